// The listeners of one runtime: the places where it can be dialled.
//
// Owns the places that it has opened. Does not own the links that come of them (hub.ts).
import { hasCode, type Log } from '../../base/index.ts';
import {
  type Address,
  acceptAt,
  type Conn,
  type Greeted,
  type ListeningPlace,
  mustEncrypt,
  type Networks,
  networkOf,
  reachableAt,
  type Self,
} from '../../transport/index.ts';
import type { ListenPlace } from '../runtime-options.ts';

/** The places of one runtime, each of whatever network its address belongs to. */
export class Listeners {
  /** The addresses that others are told, in the order in which the places were opened. */
  addresses: readonly string[] = [];
  readonly #networks: Networks;
  readonly #self: Self;
  readonly #log: Log;
  readonly #greeted: (conn: Conn, greeted: Greeted) => void;
  readonly #open: ListeningPlace[] = [];

  constructor(networks: Networks, self: Self, log: Log, greeted: (conn: Conn, greeted: Greeted) => void) {
    this.#networks = networks;
    this.#self = self;
    this.#log = log;
    this.#greeted = greeted;
  }

  /** Listens at a place; at any other beside it if that one is used and will do. Rejects with ERR_LINK_PORT_IN_USE or ERR_LINK_ADDRESS. */
  async at({ address, orAny, advertise }: Omit<ListenPlace, 'local'>): Promise<void> {
    try {
      await this.#listen(address, advertise);
    } catch (error) {
      const other = orAny && hasCode(error, 'ERR_LINK_PORT_IN_USE') && networkOf(this.#networks, address).beside(address);
      if (!other) throw error;
      await this.#listen(other, advertise);
    }
  }

  async #listen(address: Address, advertise: string | undefined): Promise<void> {
    const place = await acceptAt(networkOf(this.#networks, address), address, this.#self, {
      greeted: this.#greeted,
      failed: (remote, error) => this.#log[mustEncrypt(error) ? 'debug' : 'warn'](`A connection from ${remote} failed: ${error.message}`),
    });
    this.#open.push(place);
    this.addresses = [...this.addresses, ...reachableAt(this.#networks, place.address, advertise)];
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((place) => place.close()));
  }
}
