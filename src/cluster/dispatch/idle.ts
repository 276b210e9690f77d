// Who waits until nothing is under way: of all work, or of that which runs alone.

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

  /** Resolves when nothing waits or runs, but for what runs beside others unless `io`. */
  wait(io: boolean): Promise<void> {
    if (this.#isIdle(io)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ io, resolve }));
  }

  /** Some work has ended. */
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
