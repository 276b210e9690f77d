// Reaches back to a peer that wants to know whether it can be reached: a few addresses, each once, by tcp and udp.
import { parseAddress } from '../../transport/index.ts';
import type { Hub } from '../sessions/hub.ts';

const MOST = 16;
const DIAL_MS = 3_000;
const PORT_OF_DOUBT = 1_024;

/** Dials addresses, and sends a datagram to hosts; resolves with the addresses that answered. */
export async function probe(
  hub: Hub,
  addresses: readonly string[],
  hosts: readonly string[],
  port: number,
  nonce: string,
): Promise<{ reached: string[] }> {
  const { environment, keys } = hub.options;
  const tried = await Promise.all(
    addresses.slice(0, MOST).map(async (address) => {
      try {
        const conn = await hub.dialer.way(parseAddress(environment.networks, address), DIAL_MS)(keys.current, false);
        conn.destroy();
        return [address];
      } catch {
        return [];
      }
    }),
  );
  if (port >= PORT_OF_DOUBT) {
    try {
      const socket = await environment.datagrams.open(
        { port, multicast: false, loopback: false, family: undefined, listens: false },
        () => {},
      );
      for (const host of hosts.slice(0, MOST)) socket.send(Buffer.from(nonce, 'latin1'), host, port);
      await new Promise<void>((resolve) => environment.clock.after(50, resolve));
      await socket.close();
    } catch {
      // the asker sees by itself that no datagram arrives
    }
  }
  return { reached: tried.flat() };
}
