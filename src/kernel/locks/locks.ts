// Events, locks, conditions and semaphores between tasks of one runtime.
//
//   LO1. The task that has waited longest is served first; none that comes later passes it.
//   LO2. Every wait ends: served, timed out, aborted, or with its owner task asked to end.
//   LO3. What a task holds is released when the task ends.
import { type Clock, Fifo, FlotillaError } from '../../base/index.ts';
import type { WaitOptions } from '../tasks/reference.ts';

/** The holder of a lock: a task, given as `owner: self`, which may take the lock again while it has it. */
export interface Owner {
  readonly signal: AbortSignal;
  readonly ended?: Promise<unknown>;
}

/** Options of a wait for a lock. */
export interface LockOptions extends WaitOptions {
  /** The task that waits: its end ends the wait, releases what it holds, and lets it take the same lock again. */
  readonly owner?: object;
}

interface Waiter {
  readonly serve: () => void;
  readonly owner: object | undefined;
}

/** A line of waiters, in order. LO1, LO2 */
class Line {
  readonly #clock: Clock;
  readonly #waiters = new Fifo<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Serves the waiter that has waited longest, and gives it; undefined if none waits. */
  serve(): Waiter | undefined {
    const waiter = this.#waiters.shift();
    waiter?.serve();
    return waiter;
  }

  wait(what: string, { timeout, signal, owner }: LockOptions): Promise<void> {
    const signals = [signal, (owner as Partial<Owner> | undefined)?.signal].filter((one) => one !== undefined);
    for (const one of signals) if (one.aborted) return Promise.reject(one.reason);
    if (timeout !== undefined && timeout <= 0) return Promise.reject(tooLate(what, timeout));
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        timer?.cancel();
        for (const one of signals) one.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        owner,
        serve() {
          finish();
          resolve();
        },
      };
      const leave = (error: unknown): void => {
        if (!this.#waiters.remove((one) => one === waiter)) return;
        finish();
        reject(error);
      };
      const onAbort = (): void => leave(signals.find((one) => one.aborted)?.reason);
      const timer = timeout === undefined ? undefined : this.#clock.after(timeout, () => leave(tooLate(what, timeout)));
      for (const one of signals) one.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }
}

function tooLate(what: string, timeout: number): FlotillaError {
  return new FlotillaError('ERR_TIMEOUT', `${what} was not to be had within ${timeout} ms.`);
}

/** A flag for something that has happened, or not yet. (Its name leaves the platform's `Event` visible.) */
export class EventFlag {
  readonly #line: Line;
  #set = false;

  constructor(clock: Clock) {
    this.#line = new Line(clock);
  }

  get isSet(): boolean {
    return this.#set;
  }

  /** Says that it has happened: all waiting tasks go on, and no task waits from now on. */
  set(): void {
    this.#set = true;
    while (this.#line.serve());
  }

  clear(): void {
    this.#set = false;
  }

  /** Resolves when it has happened. Rejects with ERR_TIMEOUT or the signal's reason. */
  async wait(options: LockOptions = {}): Promise<void> {
    if (!this.#set) await this.#line.wait('The event', options);
  }
}

/** A lock or a place of a semaphore that is held: give it back with `release()`, or `using`. */
export class Held implements Disposable {
  readonly owner: object | undefined;
  readonly #release: (held: Held) => void;
  #open = true;

  constructor(owner: object | undefined, release: (held: Held) => void) {
    this.owner = owner;
    this.#release = release;
    void (owner as Partial<Owner> | undefined)?.ended?.then(() => this.#give()); // LO3
  }

  get open(): boolean {
    return this.#open;
  }

  /** Gives it back. Throws ERR_LOCK_NOT_HELD the second time. */
  release(): void {
    if (!this.#give()) throw new FlotillaError('ERR_LOCK_NOT_HELD', 'This was released before.');
  }

  [Symbol.dispose](): void {
    this.#give();
  }

  #give(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#release(this);
    return true;
  }
}

/**
 * A lock, which one task holds at a time. With `owner: self` the same task may take it again and gives it back as often, as an `RLock` of
 * pycos.
 *
 * @example
 * ```ts
 * await using runtime = await Runtime.start();
 * const lock = runtime.lock();
 * {
 *   using held = await lock.acquire();
 *   console.log(lock.locked, held.open); // => true true
 * }
 * console.log(lock.locked); // => false
 * ```
 */
export class Lock {
  readonly #line: Line;
  #owner: object | undefined;
  #depth = 0;

  constructor(clock: Clock) {
    this.#line = new Line(clock);
  }

  get locked(): boolean {
    return this.#depth > 0;
  }

  /** Waits for its turn. Rejects with ERR_TIMEOUT (`timeout: 0` does not wait at all) or the signal's reason. */
  async acquire(options: LockOptions = {}): Promise<Held> {
    const { owner } = options;
    if (this.#depth > 0 && owner !== undefined && owner === this.#owner) {
      this.#depth++;
      return new Held(owner, this.#release);
    }
    if (this.#depth > 0 || this.#line.size > 0) await this.#line.wait('The lock', options);
    this.#depth = 1;
    this.#owner = owner;
    return new Held(owner, this.#release);
  }

  /** Gives the lock up, whatever the depth of the hold; returns a function that takes it again. For conditions. @internal */
  suspend(held: Held): () => Promise<void> {
    if (!held.open || this.#depth === 0)
      throw new FlotillaError('ERR_LOCK_NOT_HELD', 'A condition is used by one who does not hold its lock.');
    const depth = this.#depth;
    const owner = this.#owner;
    this.#depth = 1;
    this.#release();
    return async () => {
      if (this.#depth > 0 || this.#line.size > 0) await this.#line.wait('The lock', {});
      this.#depth = depth;
      this.#owner = owner;
    };
  }

  readonly #release = (): void => {
    if (--this.#depth > 0) return;
    this.#owner = undefined;
    if (this.#line.size === 0) return;
    this.#depth = 1; // the lock is handed on while it is locked, so that no newcomer takes it before the waiter runs
    this.#owner = this.#line.serve()?.owner;
  };
}

/** A condition: tasks that hold a lock wait for others to say that something has changed. */
export class Condition {
  readonly lock: Lock;
  readonly #line: Line;

  constructor(clock: Clock, lock: Lock) {
    this.lock = lock;
    this.#line = new Line(clock);
  }

  /** Gives the lock up, waits to be notified, and has the lock again, also when it rejects. Throws ERR_LOCK_NOT_HELD. */
  async wait(held: Held, options: LockOptions = {}): Promise<void> {
    const again = this.lock.suspend(held);
    try {
      await this.#line.wait('The condition', options);
    } finally {
      await again();
    }
  }

  /** Wakes so many waiting tasks, those that have waited longest first. */
  notify(count = 1): void {
    for (let i = 0; i < count && this.#line.serve(); i++);
  }

  notifyAll(): void {
    while (this.#line.serve());
  }
}

/** A semaphore, which so many tasks hold at a time. */
export class Semaphore {
  readonly #line: Line;
  #free: number;

  constructor(clock: Clock, places: number) {
    if (!Number.isInteger(places) || places < 0) {
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `A semaphore has a whole number of places, at least 0; it was given ${String(places)}.`,
      );
    }
    this.#line = new Line(clock);
    this.#free = places;
  }

  get free(): number {
    return this.#free;
  }

  /** Waits for a place. Rejects with ERR_TIMEOUT or the signal's reason. */
  async acquire(options: LockOptions = {}): Promise<Held> {
    if (this.#free > 0 && this.#line.size === 0) this.#free--;
    else await this.#line.wait('The semaphore', options);
    return new Held(options.owner, () => this.release());
  }

  /** Gives a place back, or adds one: the task that has waited longest gets it. */
  release(): void {
    if (!this.#line.serve()) this.#free++;
  }
}
