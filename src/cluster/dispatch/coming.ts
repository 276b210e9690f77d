// Coming work: work that no worker can be given yet, because its code is on its way to the hosts.
//
// Owns the work that waits for code, and the callers that wait for code before they make work. Does not own the queue (queue.ts).
import type { Work } from './work.ts';

/** The coming work of one client. Work that is given up meanwhile stays in its list, and is passed over. */
export class Coming {
  /** Work by the promise it waits for. Calls of one function share one, so that a million of them wait at the cost of one. */
  readonly #groups = new Map<Promise<void>, Work[]>();
  readonly #waiters = new Set<(error: Error) => void>();

  /** Whether a caller waits for code before it makes work. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Hands work over when `ready` resolves, or with its error when it rejects. */
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

  /** Has a caller wait for `ready` before it makes work, then calls `then`. Rejects with the error of `ready`, or of {@link end}. */
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

  /** Ends all waits with an error; returns the work that would have come. */
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
