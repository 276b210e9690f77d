// A task: a running function with a mailbox and exactly one end.
//
// Owns its mailbox and its end. Does not own: who watches it (kernel.ts), what its messages cost their senders (credit.ts).
//
//   T1. A task ends once: it returned, threw, was terminated, or was lost with its worker or host.
//   T2. terminate() interrupts every wait and aborts the signal; a task that catches it has GRACE_MS to end by itself.
//   T3. After its end a task takes no messages.
import { type Clock, FlotillaError, hasCode, type RuntimeId, toError } from '../../base/index.ts';
import { Mailbox, type ReceiveOptions } from './mailbox.ts';
import type { TaskRef } from './reference.ts';

/** Time for a task to clean up after it was asked to end. */
export const GRACE_MS = 5_000;

/** How a task ended. */
export type TaskEnd<R = unknown> =
  | { readonly kind: 'returned'; readonly value: R }
  | { readonly kind: 'threw'; readonly error: Error }
  | { readonly kind: 'terminated'; readonly error: Error }
  | { readonly kind: 'worker-lost'; readonly error: Error }
  | { readonly kind: 'host-lost'; readonly error: Error };

/**
 * What a task's function gets first: its own mailbox and signal. `M` is the type of its messages.
 *
 * Reading the task with `for await` gives its messages until it is closed.
 */
export interface Task<M> extends AsyncIterable<M> {
  readonly name: string;
  /** A reference to this task, to be sent to others. */
  readonly ref: TaskRef<M>;
  /** Aborts when the task is asked to end. */
  readonly signal: AbortSignal;
  /** Messages that wait. */
  readonly waiting: number;
  /** The next message. Rejects with ERR_MAILBOX_CLOSED, ERR_TIMEOUT, or ERR_TASK_INTERRUPTED. */
  receive(options?: ReceiveOptions): Promise<M>;
}

/** A function that can be run as a task. */
export type TaskFunction<M, A extends unknown[], R> = (self: Task<M>, ...args: A) => R;

/** A task of this runtime. */
export class LocalTask<M = unknown> implements Task<M> {
  readonly name: string;
  readonly number: number;
  readonly mailbox: Mailbox<M>;
  readonly ended: Promise<TaskEnd>;
  ref!: TaskRef<M>;
  #abort: AbortController | undefined;
  #interrupted: Error | undefined;
  #state: { readonly kind: 'running' } | { readonly kind: 'ended'; readonly end: TaskEnd } = { kind: 'running' };
  #settle!: (end: TaskEnd) => void;
  readonly #clock: Clock;
  readonly #onEnd: (end: TaskEnd) => void;

  constructor(options: {
    name: string;
    number: number;
    clock: Clock;
    onTake: (from: RuntimeId | undefined, bytes: number) => void;
    onEnd: (end: TaskEnd) => void;
  }) {
    this.name = options.name;
    this.number = options.number;
    this.#clock = options.clock;
    this.#onEnd = options.onEnd;
    this.mailbox = new Mailbox<M>(options.clock, (from, bytes) => options.onTake(from as RuntimeId | undefined, bytes));
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#interrupted) this.#abort.abort(this.#interrupted);
    }
    return this.#abort.signal;
  }

  get waiting(): number {
    return this.mailbox.size;
  }

  receive(options?: ReceiveOptions): Promise<M> {
    return this.mailbox.receive(options);
  }

  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    return { next: () => this.mailbox.next() };
  }

  /** Runs the function. Its outcome is the end of the task. */
  run<A extends unknown[], R>(fn: TaskFunction<M, A, R>, args: A): void {
    let outcome: unknown;
    try {
      outcome = fn(this, ...args);
    } catch (error) {
      return this.#threw(error);
    }
    if (outcome instanceof Promise)
      outcome.then(
        (value) => this.end({ kind: 'returned', value }),
        (error: unknown) => this.#threw(error),
      );
    else
      Promise.resolve(outcome).then(
        (value) => this.end({ kind: 'returned', value }),
        (error: unknown) => this.#threw(error),
      );
  }

  close(): void {
    this.mailbox.close();
  }

  /** T2 */
  terminate(reason?: string): void {
    if (this.#state.kind === 'ended' || this.#interrupted) return;
    const error = new FlotillaError('ERR_TASK_INTERRUPTED', `Task '${this.name}' was asked to end${reason ? `: ${reason}` : ''}.`);
    this.#interrupted = error;
    this.mailbox.interrupt(error);
    this.#abort?.abort(error);
    const timer = this.#clock.after(GRACE_MS, () => this.end({ kind: 'terminated', error }), { background: true });
    void this.ended.then(() => timer.cancel());
  }

  /** T1 */
  end(end: TaskEnd): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended', end };
    this.mailbox.close(); // T3
    this.#onEnd(end);
    this.#settle(end);
  }

  #threw(thrown: unknown): void {
    const error = toError(thrown);
    const interrupted = this.#interrupted !== undefined && (thrown === this.#interrupted || hasCode(error, 'ERR_TASK_INTERRUPTED'));
    this.end(interrupted ? { kind: 'terminated', error } : { kind: 'threw', error });
  }
}

/** The value of a task that returned; throws what any other end means. */
export function endValue<R>(end: TaskEnd<R>): R {
  if (end.kind === 'returned') return end.value;
  throw end.error;
}
