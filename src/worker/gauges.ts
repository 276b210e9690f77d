// Numbers that both threads of a worker see: what runs, what has begun, what has been recalled. They lie in shared memory, because the
// user's thread cannot answer a question while it computes.
//
//   GA1. A call that has begun cannot be recalled, and one that was recalled does not begin, whichever thread is faster.
import type { WorkerLoad } from '../host/index.ts';

const RUNNING = 0;
const TASKS = 1;
const DONE = 2;
const BEGUN = 3;
const RECALLS = 4;
const PREPARING = 5;
const WORDS = 8;
const MOST_WAIT_MS = 1_000;

/** The shared numbers of one worker. */
export class Gauges {
  readonly words: Int32Array;
  #seen = 0;

  constructor(words: Int32Array = new Int32Array(new SharedArrayBuffer(WORDS * 4))) {
    this.words = words;
  }

  get load(): WorkerLoad {
    const { words } = this;
    return { kind: 'load', running: Atomics.load(words, RUNNING), tasks: Atomics.load(words, TASKS), done: Atomics.load(words, DONE) };
  }

  running(by: number): void {
    Atomics.add(this.words, RUNNING, by);
  }

  /** Counts preparations: code that is being loaded, set-ups that run. */
  preparing(by: number): void {
    Atomics.add(this.words, PREPARING, by);
  }

  /** Whether no code of the user's has anything to do. */
  get idle(): boolean {
    const { running, tasks } = this.load;
    return running + tasks + Atomics.load(this.words, PREPARING) === 0;
  }

  tasks(by: number): void {
    Atomics.add(this.words, TASKS, by);
  }

  done(count = 1): void {
    Atomics.add(this.words, DONE, count);
  }

  /** Notes that a call begins; calls of one client have rising numbers. True if calls were recalled since the last time. GA1 */
  begin(call: number): boolean {
    const { words } = this;
    Atomics.store(words, BEGUN, call >>> 1);
    let recalls = Atomics.load(words, RECALLS);
    if (recalls === this.#seen) return false;
    // An odd number means that a recall is under way: this thread waits, so that both agree on which calls have begun.
    while (recalls & 1) {
      Atomics.wait(words, RECALLS, recalls, MOST_WAIT_MS);
      recalls = Atomics.load(words, RECALLS);
    }
    this.#seen = recalls;
    return true;
  }

  /** Recalls those of these calls that have not begun, and returns them; `tell` is called with them before any other begins. GA1 */
  recall(calls: readonly number[], tell: (recalled: readonly number[]) => void): readonly number[] {
    const { words } = this;
    Atomics.add(words, RECALLS, 1);
    const begun = Atomics.load(words, BEGUN);
    const recalled = calls.filter((call) => (((call >>> 1) - begun) | 0) > 0);
    if (recalled.length > 0) tell(recalled);
    Atomics.add(words, RECALLS, 1);
    Atomics.notify(words, RECALLS);
    return recalled;
  }
}
