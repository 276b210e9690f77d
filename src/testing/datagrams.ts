// Datagrams between machines of a memory network: late, lost, or twice, as chance has it.
import type { DatagramOptions, DatagramPeer, DatagramSocket, Datagrams } from '../discovery/index.ts';
import type { MemoryNetwork } from '../transport/index.ts';

interface Place {
  readonly machine: string;
  readonly options: DatagramOptions;
  readonly own: number;
  readonly receive: (bytes: Buffer, from: DatagramPeer) => void;
}

const FIRST_PORT = 50_000;

/** The datagrams of a simulated network. */
export class MemoryDatagrams {
  /** The chance that a datagram is lost; `doubled` is the chance that it arrives twice. Numbers in [0, 1]. */
  lost = 0;
  doubled = 0;
  readonly #network: MemoryNetwork;
  readonly #places = new Set<Place>();
  #next = FIRST_PORT;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  get open(): number {
    return this.#places.size;
  }

  /** Closes all sockets of a machine, because the machine is gone. */
  crash(machine: string): void {
    for (const place of this.#places) if (place.machine === machine) this.#places.delete(place);
  }

  /** The datagrams as one machine has them. */
  at(machine: string): Datagrams {
    return {
      open: async (options, receive): Promise<DatagramSocket> => {
        const place: Place = { machine, options, own: this.#next++, receive };
        this.#places.add(place);
        return {
          shout: (bytes, here = false) => {
            for (const to of [...this.#places]) {
              const local = to.machine === machine;
              if (
                to.options.port === options.port &&
                to.options.listens !== false &&
                (local || !(here || options.loopback || to.options.loopback))
              )
                this.#carry(place, to, true, bytes);
            }
          },
          send: (bytes, host, port) => {
            const there = [...this.#places].filter((one) => one.machine === host);
            const own = there.find((one) => one.own === port);
            // One of several sockets at a shared port gets it.
            const shared = there.find((one) => one.options.port === port && one.options.listens !== false);
            const to = own ?? shared;
            if (to) this.#carry(place, to, to !== own, bytes);
          },
          close: async () => void this.#places.delete(place),
        };
      },
    };
  }

  #carry(from: Place, to: Place, shared: boolean, bytes: Buffer): void {
    const { clock, random } = this.#network;
    if (!this.#network.passes(from.machine, to.machine) || random() < this.lost) return;
    const copies = random() < this.doubled ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const copy = Buffer.from(bytes);
      clock.after(this.#network.latency(), () => {
        if (this.#places.has(to)) to.receive(copy, { host: from.machine, port: from.own, shared });
      });
    }
  }
}
