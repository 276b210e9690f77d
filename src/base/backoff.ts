// Waits between attempts: they grow, so that a busy peer is left alone, and vary, so that many runtimes do not try all at once.

/** A wait that doubles from `firstMs` to `mostMs`, each drawn from the upper half of its range. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #random: () => number;
  #tries = 0;

  constructor(options: { firstMs: number; mostMs: number; random: () => number }) {
    this.#firstMs = options.firstMs;
    this.#mostMs = options.mostMs;
    this.#random = options.random;
  }

  get tries(): number {
    return this.#tries;
  }

  next(): number {
    const ceiling = Math.min(this.#mostMs, this.#firstMs * 2 ** Math.min(this.#tries++, 30));
    return ceiling * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#tries = 0;
  }
}
