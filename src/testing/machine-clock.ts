// The clock of one simulated machine. It shows the time of the world; its timers wait while the machine is paused, and its wall clock
// can be wrong.
import type { Clock, Timer } from '../base/index.ts';
import type { ManualClock } from './clock.ts';

/** A clock whose timers wait while its machine is paused. */
export class MachineClock implements Clock {
  readonly #world: ManualClock;
  #paused = false;
  #dead = false;
  #held: (() => void)[] = [];
  readonly #timers = new Set<Timer>();
  /** The milliseconds by which its wall clock differs from that of the world. */
  skew = 0;

  constructor(world: ManualClock) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now();
  }

  wall(): number {
    return this.#world.wall() + this.skew;
  }

  after(ms: number, callback: () => void): Timer {
    let cancelled = false;
    const fire = (): void => {
      if (cancelled || this.#dead) return;
      this.#timers.delete(timer);
      if (this.#paused) this.#held.push(fire);
      else callback();
    };
    if (this.#dead) return { cancel() {} };
    const timer = this.#world.after(ms, fire);
    this.#timers.add(timer);
    return {
      cancel: () => {
        cancelled = true;
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  defer(callback: () => void): void {
    this.#world.defer(callback);
  }

  turn(callback: () => void): void {
    this.#world.turn(callback);
  }

  /** Stops the clock for good, because the machine is gone: no timer of it fires any more. */
  die(): void {
    this.#dead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#held = [];
  }

  pause(): void {
    this.#paused = true;
  }

  /** Goes on; timers that fell due meanwhile fire now, in their order. */
  resume(): void {
    this.#paused = false;
    for (const fire of this.#held.splice(0)) fire();
  }
}
