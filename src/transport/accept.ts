// The door of a listening runtime: how many strangers may stand in it, and for how long.

import type { Address } from './address.ts';
import type { Conn, Listening, ListenOptions, Network } from './contract.ts';
import { type Greeted, greetAsListener, refuse, type Self } from './handshake.ts';

/** Unproven connections at once, over all and from one other machine. */
export const PENDING = { all: 512, each: 64 } as const;

/** Listens, and hands over each connection whose other side has proved itself. */
export function acceptAt(
  network: Network,
  address: Address,
  self: Self,
  on: { greeted(conn: Conn, greeted: Greeted): void; failed(remote: string, error: Error): void },
): Promise<Listening> {
  const pending = new Map<string, number>();
  let total = 0;
  const accept = (conn: Conn): void => {
    const from = conn.remote.replace(/:\d+$/, '');
    const count = pending.get(from) ?? 0;
    if (total >= PENDING.all || (!conn.local && count >= PENDING.each)) {
      refuse(conn, 'busy');
      conn.destroy();
      return;
    }
    total++;
    pending.set(from, count + 1);
    greetAsListener(conn, self)
      .then((greeted) => on.greeted(conn, greeted))
      .catch((error: Error) => on.failed(conn.remote, error))
      .finally(() => {
        total--;
        const left = (pending.get(from) ?? 1) - 1;
        if (left > 0) pending.set(from, left);
        else pending.delete(from);
      });
  };
  const options: ListenOptions = {
    findKey: (identity) => self.keys.psk(identity),
    certificate: self.certificate,
    onFailure: on.failed,
  };
  return network.listen(address, accept, options);
}
