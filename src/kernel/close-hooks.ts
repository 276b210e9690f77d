// Close hooks: functions that a program wants called before its runtime is gone, when it closes, or when the program just ends.
//
//   CH1. A hook is called once, those of higher priority first, of equal priority in the order in which they were given.
//   CH2. A process that is ending has one turn left: each hook runs up to its first wait, and the next is called.
import type { Log } from '../base/index.ts';
import type { Environment } from './environment.ts';

interface Entry {
  readonly hook: () => unknown;
  readonly priority: number;
}

/** The hooks of one runtime. */
export class CloseHooks {
  readonly #environment: Environment;
  readonly #log: Log;
  readonly #entries: Entry[] = [];
  #forgets: (() => void)[] = [];

  constructor(environment: Environment, log: Log) {
    this.#environment = environment;
    this.#log = log;
  }

  /** Adds a hook; returns a function that takes it back. */
  add(hook: () => unknown, priority: number): () => void {
    if (this.#entries.length === 0 && this.#forgets.length === 0) {
      const { atIdle, atExit } = this.#environment;
      this.#forgets = [atIdle(() => this.run()), atExit(() => this.#runNow())];
    }
    const entry = { hook, priority };
    const after = this.#entries.findIndex((other) => other.priority < priority);
    this.#entries.splice(after < 0 ? this.#entries.length : after, 0, entry); // CH1
    return () => {
      const at = this.#entries.indexOf(entry);
      if (at >= 0) this.#entries.splice(at, 1);
    };
  }

  /** Calls all hooks that have not been called, one after the other. An error that one throws is in the log. */
  async run(): Promise<void> {
    for (let entry = this.#entries.shift(); entry; entry = this.#entries.shift()) {
      try {
        await entry.hook();
      } catch (error) {
        this.#failed(error);
      }
    }
    for (const forget of this.#forgets.splice(0)) forget();
  }

  // Calls all hooks in this turn. CH2
  #runNow(): void {
    for (let entry = this.#entries.shift(); entry; entry = this.#entries.shift()) {
      try {
        entry.hook();
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    this.#log.error(`A function given to onClose threw: ${(error as Error)?.message ?? String(error)}`);
  }
}
