// The timers of one owner that ends: none fires after the owner's end.
import type { Clock, Timer } from './clock.ts';

/** Timers that end together. */
export class Timers {
  readonly #clock: Clock;
  readonly #running = new Set<Timer>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once, after `ms`. */
  later(ms: number, act: () => void): void {
    if (this.#closed) return;
    const timer = this.#clock.after(ms, () => {
      this.#running.delete(timer);
      act();
    });
    this.#running.add(timer);
  }

  /** Calls back again and again, `ms` after the call before. */
  every(ms: number, act: () => void): void {
    this.later(ms, () => {
      act();
      this.every(ms, act);
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#running) timer.cancel();
    this.#running.clear();
  }
}
