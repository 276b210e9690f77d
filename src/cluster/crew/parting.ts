// How a client parts from its hosts: it waits until each has let go. A host lets go only once it has brought all that its workers printed.
//
//   PT1. Hosts that bring nothing for a while are not waited for. The while is counted in looks, not in time, because a thread that
//       computes does not listen, and would take its own pause for their silence.
import type { Clock } from '../../base/index.ts';

const LOOKS = 10;

/** The partings of one client that are under way. */
export class Partings {
  readonly #clock: Clock;
  readonly #open = new Set<Promise<unknown>>();
  #heard = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for the answer of a host or scheduler that was asked to let go. */
  add(asked: Promise<unknown>): void {
    const settled = asked
      .catch(() => {}) // the peer is gone, or lets go when it finds this client gone
      .finally(() => this.#open.delete(settled));
    this.#open.add(settled);
  }

  /** Notes that a host has brought something, so the wait goes on. */
  heard(): void {
    this.#heard++;
  }

  /** Resolves when all have let go, or none has brought anything for `quietMs`. PT1 */
  over(quietMs: number): Promise<void> {
    if (this.#open.size === 0 || quietMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      let seen = this.#heard;
      let quiet = 0;
      const look = (): void => {
        quiet = seen === this.#heard ? quiet + 1 : 0;
        seen = this.#heard;
        if (quiet >= LOOKS) resolve();
        else timer = this.#clock.after(quietMs / LOOKS, look);
      };
      let timer = this.#clock.after(quietMs / LOOKS, look);
      const open = (): void => {
        if (this.#open.size > 0) return void Promise.all(this.#open).then(open);
        timer.cancel();
        resolve();
      };
      open();
    });
  }
}
