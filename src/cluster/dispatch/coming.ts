// Work that is not ready for any worker yet: its code is on its way to the hosts.
//
// Owns what waits for code, and who waits for it before making work. Does not own what waits for a worker (queue.ts).
import type { Work } from './work.ts';

/** The coming work of one client. Work that was given up meanwhile is passed over. */
export class Coming {
  /** By what is waited for: calls of one function wait together. */
  readonly #groups = new Map<Promise<void>, Work[]>();
  readonly #waiters = new Set<(error: Error) => void>();

  /** Whether somebody waits to make work. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Hands work over when it is ready, or with why it will not be. */
  add(work: Work, ready: Promise<void>, hand: (work: Work, error?: unknown) => void): void {
    const group = this.#groups.get(ready);
    if (group) return void group.push(work);
    const first = [work];
    this.#groups.set(ready, first);
    const end = (...why: [] | [unknown]): void => {
      this.#groups.delete(ready);
      for (const one of first) if (one.state.kind === 'waiting') hand(one, ...why);
    };
    ready.then(
      () => end(),
      (error: unknown) => end(error),
    );
  }

  /** Waits before work can be made at all; `then` is called when that is over. Rejects with why it will not be, or with what ends all. */
  wait(ready: Promise<void>, then: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = (settle: () => void): void => {
        if (!this.#waiters.delete(reject)) return;
        settle();
        then();
      };
      this.#waiters.add(reject);
      ready.then(
        () => over(resolve),
        (error: unknown) => over(() => reject(error)),
      );
    });
  }

  /** Nothing comes any more; returns what would have. */
  end(error: Error): Work[] {
    const all = [...this];
    this.#groups.clear();
    for (const reject of this.#waiters) reject(error);
    this.#waiters.clear();
    return all;
  }

  *[Symbol.iterator](): Generator<Work, void, void> {
    for (const group of this.#groups.values()) for (const work of group) if (work.state.kind === 'waiting') yield work;
  }
}
