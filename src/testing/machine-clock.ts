// The time of one simulated machine: that of the world, while it is not paused; its wall clock can be wrong.
import type { Clock, Timer } from '../base/index.ts';
import type { ManualClock } from './clock.ts';

/** A clock whose timers wait while its machine is paused. */
export class MachineClock implements Clock {
  readonly #world: ManualClock;
  #paused = false;
  #dead = false;
  #held: (() => void)[] = [];
  readonly #timers = new Set<Timer>();
  /** Milliseconds by which its wall clock differs from that of the world. */
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

  /** Its machine is no more: nothing that was to happen there will. */
  die(): void {
    this.#dead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#held = [];
  }

  pause(): void {
    this.#paused = true;
  }

  /** Goes on; what fell due meanwhile happens now, in its order. */
  resume(): void {
    this.#paused = false;
    for (const fire of this.#held.splice(0)) fire();
  }
}
