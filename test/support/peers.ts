// Peers of a runtime, as they come and go.
import type { PeerInfo, PeerStatus, Runtime } from '../../src/kernel/index.ts';

/** Hears of each change at once; returns what ends that. */
export function onStatus({ kernel }: Runtime, hear: (status: PeerStatus['status'], peer: PeerInfo) => void): () => void {
  const known = new Map(kernel.peers);
  const tell = (status: PeerStatus['status'], peer: PeerInfo | undefined): void => {
    if (peer) hear(status, peer);
  };
  return kernel.on({
    opened(peer) {
      known.set(peer.id, peer);
      tell('online', peer);
    },
    offline: (id) => tell('offline', known.get(id)),
    online: (id) => tell('online', known.get(id)),
    ended: (_id, _end, info) => tell('offline', info),
  });
}
