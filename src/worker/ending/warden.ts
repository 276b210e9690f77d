// Ends the work of a worker, and the worker with it: cancelled calls, tasks that do not end, an interruption, silence.
//
// Nothing in a process can stop a function that computes; only the end of the process does. So work is asked to end, has its time, and
// then costs the worker its life. The host starts another.
//
// Owns the time that work which was asked to end still has, and which tasks are open. Does not own the process, the sessions, nor the
// work: it lives on the kernel's thread, which user code cannot stop, and tells others what is to be done.
//
//   WD1. A cancelled call that has not settled after CANCEL_MS costs the worker its life, unless it can be kept from beginning;
//       so does a task that outlives its grace. Both have that time while the process can run (patience.ts).
//   WD2. When all is interrupted, the process ends with the last of what ran, or with the grace period.
//   WD3. A worker that no longer answers calls, although nothing runs there, is ended: its place gets another.
//   WD4. Why the worker ends itself is told to its host before it does, so that the other work here is not blamed.
import type { Clock, Timer } from '../../base/index.ts';
import type { WorkerDies } from '../../host/index.ts';
import type { Gauges } from '../gauges.ts';
import type { Control } from '../serve.ts';
import { watchAnswers } from './answering.ts';
import { afterTimeHad } from './patience.ts';

const QUIET_MS = 20;
/** Cancelling must stop running code within a second. */
const CANCEL_MS = 500;
const AFTER_GRACE_MS = 250;
const SILENT_WORKER =
  'it did not answer calls any more, though nothing ran there: something that was left behind computes, or what the language or Node.js gives was replaced (as nextTick of the process, or a method of Map.prototype)';

/** The worker, as its {@link Warden} sees it. */
export interface Guarded {
  readonly clock: Clock;
  readonly gauges: Gauges;
  /** Milliseconds that interrupted work has before it is killed. */
  readonly graceMs: number;
  /** Tells the user's thread. */
  readonly say: (message: Control) => void;
  /** Tells the host why the worker ends; false if no host is known yet. */
  readonly tellHost: (dies: WorkerDies) => boolean;
  /** Ends the process, at once. */
  readonly die: () => void;
  /** Ends the process when its last messages have left. */
  readonly leave: () => void;
}

/** Sees to it that work which was asked to end does end. */
export class Warden {
  readonly #guarded: Guarded;
  /** The calls and tasks that were asked to end, each with the timer of its time. */
  readonly #ending = new Map<string, Timer>();
  readonly #openTasks = new Set<number>();

  constructor(guarded: Guarded) {
    this.#guarded = guarded;
  }

  /** A task takes messages from now on, or has ended. */
  mailbox(task: number, open: boolean): void {
    if (open) this.#openTasks.add(task);
    else this.#openTasks.delete(task);
  }

  /** A cancelled call must settle soon. A call that still waits its turn after that time is only kept from beginning. WD1 */
  cancel(call: number, inTurn: boolean): void {
    // The user's thread drops a waiting call itself, unless it computes all that time: only then is the call recalled from here.
    this.#killUnless(`call ${call}`, CANCEL_MS, () => !(inTurn && this.recall([call]).length > 0));
  }

  /** A call has settled. */
  settled(call: number): void {
    const key = `call ${call}`;
    this.#ending.get(key)?.cancel();
    this.#ending.delete(key);
  }

  /** Asks a task to end within its grace. WD1 */
  terminate(task: number, reason: string | undefined): void {
    const { say, graceMs } = this.#guarded;
    say({ kind: 'terminate', task, reason });
    this.#killUnless(`task ${task}`, graceMs + AFTER_GRACE_MS, () => this.#openTasks.has(task), task);
  }

  /** Keeps calls from beginning; returns those that will not begin. */
  recall(calls: readonly number[]): readonly number[] {
    const { gauges, say } = this.#guarded;
    return gauges.recall(calls, (recalled) => say({ kind: 'recalled', calls: recalled }));
  }

  /** Asks all that runs to end, and ends the process with it. WD2 */
  interrupt(reason: string): void {
    const { clock, gauges, graceMs, say, leave } = this.#guarded;
    say({ kind: 'interrupt', reason });
    const end = clock.now() + graceMs + AFTER_GRACE_MS;
    const look = (): void => {
      const { running, tasks } = gauges.load;
      if (running + tasks > 0 && clock.now() < end) return void clock.after(QUIET_MS, look);
      for (const task of this.#openTasks) this.#endLate(task, reason);
      clock.after(QUIET_MS * 2, leave); // the last answers are still on their way
    };
    look();
  }

  /** Watches whether calls are answered; `ask` sends a probe the way a call goes. WD3 */
  watch(ask: (answered: () => void) => void): void {
    const { clock, gauges } = this.#guarded;
    watchAnswers({ clock, idle: () => gauges.idle, ask, onSilent: () => this.#dieOf(SILENT_WORKER) });
  }

  #killUnless(key: string, ms: number, stays: () => boolean, task?: number): void {
    if (this.#ending.has(key)) return;
    const over = (): void => {
      this.#ending.delete(key);
      if (stays()) this.#dieOf(`it was ended: ${key} did not end in time`, task);
    };
    this.#ending.set(key, afterTimeHad(this.#guarded.clock, ms, over));
  }

  // WD4
  #dieOf(reason: string, task?: number): void {
    const { clock, tellHost, die } = this.#guarded;
    if (!tellHost({ kind: 'dies', reason, task })) return die();
    if (task !== undefined) this.#endLate(task, reason);
    clock.after(QUIET_MS, die);
  }

  #endLate(task: number, reason: string): void {
    this.#guarded.say({ kind: 'over', task, reason: `The task was ended: ${reason}.` });
  }
}
