// The message by which tasks hear of peers.
import type { PeerInfo } from '../sessions/hub-options.ts';

/** The message that tells of a peer that came or went. Called `PeerStatus` in pycos. */
export interface PeerStatus {
  readonly kind: 'peer-status';
  readonly status: 'online' | 'offline';
  readonly peer: PeerInfo;
}
