// Callers that wait until nothing is under way: no work at all, or none that runs alone on its worker.

interface Waiting {
  readonly io: boolean;
  readonly resolve: () => void;
}

/** The waits of one client for the end of its work. */
export class Idle {
  readonly #isIdle: (io: boolean) => boolean;
  #waiting: Waiting[] = [];

  constructor(isIdle: (io: boolean) => boolean) {
    this.#isIdle = isIdle;
  }

  /** Resolves when no work waits or runs; work that runs beside others counts only if `io`. */
  wait(io: boolean): Promise<void> {
    if (this.#isIdle(io)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ io, resolve }));
  }

  /** Looks, after some work has ended, which waits are over. */
  look(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (this.#isIdle(one.io)) one.resolve();
      else this.#waiting.push(one);
    }
  }
}
