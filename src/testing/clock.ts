// A clock that is moved by hand. A whole cluster runs on it, minutes in milliseconds.
//
//   CK1. No timer runs by itself: timers run in `advance`, in order of their time, then of their making.
//   CK2. Between two timers every promise reaction and every deferred callback has run.
import type { Clock, Timer } from '../base/index.ts';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

const TURN_MS = 0.01;
const TURNS = 500;

/** A clock that stands still until it is told. */
export class ManualClock implements Clock {
  #now = 0;
  #order = 0;
  #steps = 0;
  #settled = 0;
  readonly #heap: Entry[] = [];
  #deferred: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now;
  }

  /** The number of timers that ran so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The number of timers that wait. */
  get pending(): number {
    return this.#heap.filter((entry) => !entry.cancelled).length;
  }

  after(ms: number, callback: () => void): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, ms), order: this.#order++, callback, cancelled: false };
    this.#push(entry);
    return {
      cancel() {
        entry.cancelled = true;
      },
    };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Calls back after a turn, which takes some time here, so that a loop of turns comes to the end of `advance`. */
  turn(callback: () => void): void {
    this.after(TURN_MS, callback);
  }

  /** Runs all promise reactions and deferred callbacks that are due now. CK2 */
  async settle(): Promise<void> {
    if (++this.#settled % TURNS === 0) await turn(); // other work of the process has its turn, too
    for (;;) {
      await reactions();
      const deferred = this.#deferred;
      if (deferred.length === 0) return;
      this.#deferred = [];
      for (const callback of deferred) callback();
    }
  }

  /** Moves time on, and runs the timers that fall due; stops early when `until` holds. CK1 */
  async advance(ms: number, until: () => boolean = () => false): Promise<boolean> {
    const end = this.#now + ms;
    await this.settle();
    while (!until()) {
      const next = this.#pop(end);
      if (!next) {
        this.#now = end;
        return until();
      }
      this.#now = next.at;
      this.#steps++;
      next.callback();
      await reactions();
      if (this.#deferred.length > 0 || this.#steps % TURNS === 0) await this.settle();
    }
    return true;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[i] = heap[parent] as Entry;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(end: number): Entry | undefined {
    const heap = this.#heap;
    while (heap.length > 0) {
      const top = heap[0] as Entry;
      if (!top.cancelled && top.at > end) return undefined;
      const last = heap.pop() as Entry;
      if (heap.length > 0) this.#sink(last);
      if (!top.cancelled) return top;
    }
    return undefined;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, entry)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

// Resolves when all promise reactions of this turn are done: a tick that one of them asks for runs after them all.
function reactions(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
