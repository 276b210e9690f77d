// A scope collects closers: the thing that was opened last is closed first, and each is closed once.

/** Collects the closers of things that were opened. */
export class Scope {
  readonly #closers: (() => unknown)[] = [];
  #closed: Promise<void> | undefined;

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Remembers a closer; if the scope is closed already, calls it at once. */
  add(closer: () => unknown): void {
    if (this.#closed) void closer();
    else this.#closers.push(closer);
  }

  /** Closes everything, last first. The first error is thrown after all have been tried. */
  close(): Promise<void> {
    this.#closed ??= this.#run();
    return this.#closed;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      try {
        await closer();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
