// How a client parts from its hosts: it waits until each has let go, which is when all that its workers printed has been taken.
//
//   PT1. Who brings nothing for a while is not waited for. Looks are counted, not time: a thread that computed has not listened meanwhile.
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

  /** A host, or the scheduler, was asked to let go. */
  add(asked: Promise<unknown>): void {
    const settled = asked
      .catch(() => {}) // it is gone, or lets go when it finds this client gone
      .finally(() => this.#open.delete(settled));
    this.#open.add(settled);
  }

  /** Something was brought. */
  heard(): void {
    this.#heard++;
  }

  /** Resolves when all have let go, or nothing was brought for `quietMs`. PT1 */
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
