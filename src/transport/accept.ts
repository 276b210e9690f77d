// Accepts connections where a runtime listens, and hands over those whose other side has proved itself.
import { hasCode } from '../base/index.ts';
import type { Address } from './address.ts';
import type { Conn, ListeningPlace, Network } from './contract.ts';
import { Doorkeeper, type Guest } from './door.ts';
import { type Greeted, greetAsListener, refuse, type Self } from './handshake.ts';

/** Listens, and hands over each connection whose other side has proved itself. */
export function acceptAt(
  network: Network,
  address: Address,
  self: Self,
  on: { greeted(conn: Conn, greeted: Greeted): void; failed(remote: string, error: Error): void },
): Promise<ListeningPlace> {
  const door = new Doorkeeper(self.clock);
  const accept = (conn: Conn, known?: Guest): void => {
    const guest = known ?? door.enter(hostOf(conn.remote), conn.local, () => conn.destroy());
    if (!guest) return refuse(conn, 'busy');
    greetAsListener(conn, self)
      .then((greeted) => {
        guest.leave();
        on.greeted(conn, greeted);
      })
      .catch((error: Error) => {
        if (hasCode(error, 'ERR_REFERENCE_STALE')) guest.leave();
        else guest.failed();
        on.failed(conn.remote, error);
      });
  };
  return network.listen(address, accept, {
    door,
    findKey: (identity) => self.keys.psk(identity),
    certificate: self.certificate,
    onFailure: on.failed,
  });
}

// tcp://HOST:PORT, tcp://[HOST]:PORT
function hostOf(remote: string): string {
  return remote
    .replace(/^\w+:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
}
