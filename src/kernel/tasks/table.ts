// The table has the tasks of one runtime by number, and all else that takes messages there: channels and replies.
//
//   TB1. A number is never used again.
//   TB2. The ends of the last ENDS_KEPT tasks that ended can still be asked.
import { type Clock, defineOptions, dropFirst, FlotillaError, flag, type RuntimeId, text } from '../../base/index.ts';
import type { LocateOptions, Name } from '../names/name.ts';
import type { Registry } from '../names/registry.ts';
import { TakeCount } from '../post/credit.ts';
import { FIRST_TASK } from '../post/door.ts';
import type { Place } from './place.ts';
import type { TaskEnd, TaskRef } from './reference.ts';
import type { TaskFunction, TaskResult } from './self.ts';
import type { TaskHost } from './task.ts';
import { GRACE_MS, LocalTask } from './task.ts';
import { LocalRef, type ReplyRef, type TaskRefHome } from './task-refs.ts';

const ENDS_KEPT = 1_000;

/** Takes the messages that are sent to a number, as a channel does. */
export interface Receiver {
  take(value: unknown, from: RuntimeId, bytes: number, hops: number): void;
  close?(): void;
}

/** Options of a task. */
export interface TaskOptions {
  /** The name by which it is shown, and registered if it registers without one; by default that of its function. */
  readonly name?: string;
  /** Whether `runtime.finish()` waits for it; it does by default. */
  readonly daemon?: boolean;
}

/** Checks the options of a task. */
export const TASK_OPTIONS = defineOptions<TaskOptions>('runtime.with', { name: { is: text }, daemon: { is: flag } });

/** The parts of a runtime that its tasks need. */
export interface TableHome extends TaskRefHome {
  readonly place: Place;
  readonly names: Registry;
  locate(name: Name | string, options?: LocateOptions): Promise<unknown>;
}

/** The table: everything of one runtime that has a number. */
export class TaskTable implements TaskHost {
  readonly #home: TableHome;
  readonly #tasks = new Map<number, LocalTask>();
  readonly #receivers = new Map<number, Receiver>();
  readonly #replies = new Map<number, ReplyRef>();
  readonly #ends = new Map<number, TaskEnd>();
  readonly #counts = new Map<RuntimeId, Map<number, TakeCount>>();
  readonly #idle: (() => void)[] = [];
  readonly #empty: (() => void)[] = [];
  graceMs = GRACE_MS;
  #next = FIRST_TASK;

  constructor(home: TableHome) {
    this.#home = home;
  }

  get clock(): Clock {
    return this.#home.clock;
  }

  get place(): Place {
    return this.#home.place;
  }

  get location(): string {
    const { location, addresses, name } = this.#home.carrier;
    return location ?? addresses[0] ?? name;
  }

  get size(): number {
    return this.#tasks.size;
  }

  all(): IterableIterator<LocalTask> {
    return this.#tasks.values();
  }

  /** Starts a function as a task; `begin` may put off when it first runs. */
  spawn<M, A extends unknown[], R>(
    fn: TaskFunction<M, A, R>,
    args: A,
    options: TaskOptions = {},
    begin?: (run: () => void) => void,
  ): TaskRef<M, TaskResult<R>> {
    if (typeof fn !== 'function')
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `spawn: the first argument must be a function; it is ${fn === null ? 'null' : typeof fn}.`,
      );
    const task = this.create<M>(options.name ?? (fn.name || 'task'));
    if (options.daemon) task.daemon = true;
    if (begin) begin(() => task.run(fn, args));
    else task.run(fn, args);
    // The task does not keep this reference, because most are not used again.
    return (task.kept ?? this.refOf(task)) as TaskRef<M, TaskResult<R>>;
  }

  /** Makes a task that does not run yet. */
  create<M>(name: string): LocalTask<M> {
    const number = this.#next++; // TB1
    const task = new LocalTask<M>(this, number, name);
    this.#tasks.set(number, erased(task));
    this.#home.carrier.mailbox(number, true);
    return task;
  }

  /** Gives a number to something that takes no messages. */
  nextNumber(): number {
    return this.#next++;
  }

  /** Gives a number to something else that takes messages. */
  add(receiver: Receiver): number {
    const number = this.#next++;
    this.#receivers.set(number, receiver);
    this.#home.carrier.mailbox(number, true);
    return number;
  }

  remove(number: number): void {
    if (this.#receivers.delete(number)) this.#closed(number);
  }

  /** Makes a reply, at which one answer is awaited. */
  addReply(make: (number: number) => ReplyRef): { ref: ReplyRef; drop(): void } {
    const number = this.#next++;
    const ref = make(number);
    this.#replies.set(number, ref);
    this.#home.carrier.mailbox(number, true);
    return {
      ref,
      drop: () => {
        if (this.#replies.delete(number)) this.#home.carrier.mailbox(number, false);
      },
    };
  }

  reply(number: number): ReplyRef | undefined {
    return this.#replies.get(number);
  }

  get(number: number): LocalTask | undefined {
    return this.#tasks.get(number);
  }

  receiver(number: number): Receiver | undefined {
    return this.#receivers.get(number);
  }

  /** Finds a task of this runtime, or its end. TB2 */
  find(number: number): { task?: LocalTask; end?: TaskEnd } {
    const task = this.#tasks.get(number);
    if (task) return { task };
    const end = this.#ends.get(number);
    return end ? { end } : {};
  }

  /** Hands a message to the task, channel or reply of this number; false if there is none. */
  take(number: number, value: unknown, from: RuntimeId, bytes: number, hops = 0): boolean {
    const task = this.#tasks.get(number);
    if (task) return task.mailbox.put(value, from, bytes);
    const receiver = this.#receivers.get(number);
    if (receiver) receiver.take(value, from, bytes, hops);
    else {
      const reply = this.#replies.get(number);
      if (!reply) return false;
      reply.send(value);
    }
    return true;
  }

  /** Resolves when no task runs that is not a daemon. */
  idle(): Promise<void> {
    if (!this.#busy()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Resolves when no task runs at all. */
  empty(): Promise<void> {
    if (this.#tasks.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty.push(resolve));
  }

  taken(from: RuntimeId, number: number, bytes: number): void {
    let counts = this.#counts.get(from);
    if (!counts) {
      counts = new Map();
      this.#counts.set(from, counts);
    }
    let count = counts.get(number);
    if (!count) {
      count = new TakeCount();
      counts.set(number, count);
    }
    const credit = count.taken(bytes);
    if (credit) this.#home.credit(from, number, credit);
  }

  /** Counts a message that could not be read as taken, so that its sender gets the room back. */
  passedOver(from: RuntimeId, number: number, bytes: number): void {
    if (this.#tasks.has(number) || this.#receivers.has(number)) this.taken(from, number, bytes);
  }

  /** Forgets the credit that is owed to a peer, because the peer is gone. */
  lost(peer: RuntimeId): void {
    this.#counts.delete(peer);
  }

  taskEnded(task: { readonly number: number; readonly name: string; readonly watched: boolean }, end: TaskEnd): void {
    const { number } = task;
    this.#tasks.delete(number);
    this.#closed(number);
    this.#ends.set(number, end);
    if (this.#ends.size > ENDS_KEPT) dropFirst(this.#ends);
    this.#home.names.release(task.number);
    if (end.kind === 'threw' && !task.watched) {
      this.#home.log.warn(`The task '${task.name}' threw, and nobody waits for its end: ${end.error.stack ?? end.error.message}`);
    }
    if (this.#tasks.size === 0) for (const resolve of this.#empty.splice(0)) resolve();
    if (this.#idle.length > 0 && !this.#busy()) for (const resolve of this.#idle.splice(0)) resolve();
  }

  refOf<M>(task: LocalTask<M>): TaskRef<M> {
    return new LocalRef(this.#home, erased(task));
  }

  async register(name: string, ref: TaskRef<never>): Promise<void> {
    this.#home.names.register('task', name, ref as never);
  }

  unregister(name: string, ref: TaskRef<never>): boolean {
    return this.#home.names.unregister('task', name, ref as never);
  }

  locate(name: Name | string, options: LocateOptions | undefined): Promise<unknown> {
    return this.#home.locate(name, options);
  }

  #busy(): boolean {
    for (const task of this.#tasks.values()) if (!task.daemon) return true;
    return false;
  }

  #closed(number: number): void {
    this.#home.carrier.mailbox(number, false);
    for (const counts of this.#counts.values()) counts.delete(number);
  }
}

// A value from the wire has no type: from here on the type of a task's messages is a promise of those who hold a reference.
function erased<M>(task: LocalTask<M>): LocalTask {
  return task as unknown as LocalTask;
}
