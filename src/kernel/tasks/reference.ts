// The reference to a task, as users see it: it stands for the task in a message, and works wherever it arrives.
import type { RuntimeId } from '../../base/index.ts';

/**
 * The end of a task. Called `MonitorStatus` in pycos.
 *
 * A task that was asked to end was `terminated` if it let the interruption pass or was not done in the grace period; it `returned` if it
 * caught the interruption and returned, and `threw` if it threw something else.
 */
export type TaskEnd<R = unknown> =
  | { readonly kind: 'returned'; readonly value: R }
  | { readonly kind: 'threw'; readonly error: Error }
  | { readonly kind: 'terminated'; readonly error: Error }
  | { readonly kind: 'worker-lost'; readonly error: Error }
  | { readonly kind: 'host-lost'; readonly error: Error };

/** The message that a monitoring task gets, exactly once, when a task that it watches has ended in whatever way. */
export interface TaskEnded<R = unknown> {
  readonly kind: 'task-ended';
  readonly task: TaskRef<never, R>;
  readonly end: TaskEnd<R>;
}

/** Options of a wait for the other side. */
export interface WaitOptions {
  /** Rejects with ERR_TIMEOUT after so many milliseconds; none by default. */
  readonly timeout?: number;
  /** Rejects with the signal's reason when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * A reference to a task, here or in any other runtime. It can be sent in messages, arguments and results.
 *
 * `M` is the type of the messages the task takes, `R` the type of the value it returns.
 *
 * Messages from one runtime to another arrive in the order they were sent. Called `Task` (rtask) in pycos.
 */
export interface TaskRef<in M = never, out R = unknown> {
  readonly name: string;
  /** The runtime the task is in, and its number there, as text. */
  readonly id: string;
  readonly runtime: RuntimeId;
  /** The first address at which its runtime can be dialled; undefined if it only dials. */
  readonly location: string | undefined;
  /** Sends without waiting. False: wait for room() before you send more. Throws ERR_WIRE_CANNOT_TRAVEL, and ERR_SESSION_OVERRUN when `false` is ignored far past the window. */
  readonly send: (message: M) => boolean;
  /** Resolves when there is room again. */
  room(options?: WaitOptions): Promise<void>;
  /** Resolves when the message is in the task's mailbox; rejects with ERR_TASK_ENDED, ERR_SESSION_LOST or ERR_TIMEOUT. */
  readonly deliver: (message: M, options?: WaitOptions) => Promise<void>;
  /**
   * Sends a question that carries a reference to answer to, and resolves with the answer. `reply.throw(error)` at the other side
   * rejects it; so do ERR_TASK_ENDED, ERR_SESSION_LOST and ERR_TIMEOUT.
   */
  readonly ask: <V>(question: (reply: TaskRef<V>) => M, options?: WaitOptions) => Promise<V>;
  /** Ends the task's loop after the messages that are in its mailbox. */
  close(): void;
  /** Interrupts the task's waits. A task that has not ended when the grace period is over is ended then. */
  terminate(reason?: string): void;
  /** Throws an error into the task's present wait, or its next one. */
  throw(error: Error): void;
  /** Wakes the task if it is suspended, with a value; resolves with whether it was. */
  resume(value?: unknown, options?: WaitOptions): Promise<boolean>;
  /** Sends another task a {@link TaskEnded} when this one has ended, exactly once. */
  notify(watcher: TaskRef<TaskEnded<R>>): Promise<void>;
  /** Resolves with the end of the task; never rejects. The same promise every time. */
  readonly ended: Promise<TaskEnd<R>>;
  /** The value that the task returns; rejects with the error that it threw, or that ended it. */
  readonly result: Promise<R>;
  /** As `result`, within a time. Rejects with ERR_TIMEOUT; the task goes on. */
  finish(options?: WaitOptions): Promise<R>;
}
