// The types that users write for tasks: the first argument of a task's function, the function itself, and its result.
import type { Located, LocateOptions, Name } from '../names/name.ts';
import type { Category, ReceiveOptions } from './mailbox.ts';
import type { Place } from './place.ts';
import type { TaskEnded, TaskRef } from './reference.ts';

/** Options of {@link Task.suspend}. */
export interface SuspendOptions<T> {
  /** Goes on with `alarm` after so many milliseconds; none by default. */
  readonly timeout?: number;
  /** The value that the wait gives when its time is over; undefined by default. */
  readonly alarm?: T;
}

/**
 * The first argument of a task's function: its own mailbox, signal and names. `M` is the type of its messages.
 *
 * Reading the task with `for await` gives its messages until it is closed. Called `Task` in pycos.
 *
 * @example
 * ```ts
 * await using runtime = await Runtime.start();
 * const adder = runtime.spawn(async (self: Task<number>) => {
 *   let sum = 0;
 *   for await (const n of self) sum += n;
 *   return sum;
 * });
 * for (const n of [1, 2, 3]) adder.send(n);
 * adder.close();
 * console.log(await adder.result); // => 6
 * ```
 */
export interface Task<M> extends AsyncIterable<M>, Place {
  readonly name: string;
  /** A reference to this task, to be sent to others. */
  readonly ref: TaskRef<M>;
  /** The address at which its runtime can be dialled; the runtime's name if there is none. */
  readonly location: string;
  /** Aborts when the task is asked to end. */
  readonly signal: AbortSignal;
  /** The number of messages that wait in the mailbox. */
  readonly waiting: number;
  /** True: `runtime.finish()` does not wait for this task. */
  daemon: boolean;
  /** True: `runtime.swap()` may replace the function, at this task's next wait. A task refuses by catching ERR_TASK_SWAPPED there. */
  swappable: boolean;
  /** The next message. Rejects with ERR_MAILBOX_CLOSED, ERR_TIMEOUT, or ERR_TASK_INTERRUPTED. */
  receive(options?: ReceiveOptions<M>): Promise<M>;
  /** Tells messages apart, so that `receive({ category })` reads some of them; undefined leaves it to older ones. Returns how to end it. */
  categorize(categorizer: (message: M) => Category | undefined): () => void;
  /** Reads messages with a higher number first, in order among equals. */
  prioritize(priority: ((message: M) => number) | undefined): void;
  /** Waits until `ref.resume(value)`, and gives that value; or until the timeout, and gives the alarm value. */
  suspend<T = unknown>(options?: SuspendOptions<T>): Promise<T | undefined>;
  /** Waits so many milliseconds, or until resumed. */
  sleep<T = undefined>(ms: number, alarm?: T): Promise<T | undefined>;
  /** Takes a name (by default its function's), by which others locate it; freed when it ends. Rejects with ERR_NAME_TAKEN. */
  register(name?: string): Promise<void>;
  /** Gives a name back; resolves with whether the task had it. */
  unregister(name?: string): Promise<boolean>;
  /** Sends this task a {@link TaskEnded} when another ends, exactly once. The message type must have it. */
  monitor(task: [TaskEnded] extends [M] ? TaskRef<never, unknown> : never): Promise<void>;
  /** Finds a task, channel or service by name, here or at any peer. As `runtime.locate`. */
  locate<N extends Name | string>(name: N, options?: LocateOptions): Promise<Located<N>>;
}

/** The result of a task: the value that its function returns, or that its generator returns. */
export type TaskResult<R> =
  R extends Generator<unknown, infer V, never> ? V : R extends AsyncGenerator<unknown, infer V, never> ? V : Awaited<R>;

/** A function that can be run as a task: plain, async, or a generator of either kind. */
export type TaskFunction<M, A extends unknown[], R> = (self: Task<M>, ...args: A) => R;

/** A generator function as a task, without annotations: a `yield` gives a value of any type, which the variable it is given to may name. */
export type TaskGenerator<M, A extends unknown[], V> = (
  self: Task<M>,
  ...args: A
  // biome-ignore lint/suspicious/noExplicitAny: what a yield gives depends on what it was given, which no type of a generator can say
) => Generator<unknown, V, any> | AsyncGenerator<unknown, V, any>;

/** Starts tasks with options. */
export interface Spawner {
  spawn<M, A extends unknown[], V>(fn: TaskGenerator<M, A, V>, ...args: A): TaskRef<M, V>;
  spawn<M, A extends unknown[], R>(fn: TaskFunction<M, A, R>, ...args: A): TaskRef<M, TaskResult<R>>;
}
