// The door of a listening runtime: how many strangers may stand in it, and for how long.

import type { Clock } from '../base/index.ts';
import type { Address } from './address.ts';
import type { Conn, Listening, ListenOptions, Network } from './contract.ts';
import { type Greeted, greetAsListener, refuse, type Self } from './handshake.ts';

/** Unproven connections at once, over all and from one other machine. */
export const PENDING = { all: 512, each: 64 } as const;

/** A machine whose connections fail so often within a time is turned away for that time, ever longer. */
export const FAILING = { times: 20, withinMs: 10_000, longestMs: 300_000, remembered: 10_000 } as const;

/** Who has failed to prove itself, and how often of late. */
class Failures {
  readonly #clock: Clock;
  readonly #by = new Map<string, { count: number; until: number; ms: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(machine: string): void {
    const now = this.#clock.now();
    const known = this.#by.get(machine);
    const entry = known && known.until > now ? known : { count: 0, until: now + FAILING.withinMs, ms: known?.ms ?? FAILING.withinMs };
    this.#by.delete(machine);
    this.#by.set(machine, entry);
    if (this.#by.size > FAILING.remembered) this.#by.delete(this.#by.keys().next().value as string);
    if (++entry.count !== FAILING.times) return;
    entry.until = now + entry.ms;
    entry.ms = Math.min(entry.ms * 2, FAILING.longestMs);
  }

  tooMany(machine: string): boolean {
    const entry = this.#by.get(machine);
    return entry !== undefined && entry.count >= FAILING.times && entry.until > this.#clock.now();
  }
}

/** Listens, and hands over each connection whose other side has proved itself. */
export function acceptAt(
  network: Network,
  address: Address,
  self: Self,
  on: { greeted(conn: Conn, greeted: Greeted): void; failed(remote: string, error: Error): void },
): Promise<Listening> {
  const pending = new Map<string, number>();
  const failures = new Failures(self.clock);
  let total = 0;
  const accept = (conn: Conn): void => {
    const from = conn.remote.replace(/:\d+$/, '');
    const count = pending.get(from) ?? 0;
    if (total >= PENDING.all || (!conn.local && (count >= PENDING.each || failures.tooMany(from)))) {
      refuse(conn, 'busy');
      conn.destroy();
      return;
    }
    total++;
    pending.set(from, count + 1);
    greetAsListener(conn, self)
      .then((greeted) => on.greeted(conn, greeted))
      .catch((error: Error) => {
        failures.add(from);
        on.failed(conn.remote, error);
      })
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
