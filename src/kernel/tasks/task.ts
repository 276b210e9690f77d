// A task: a running function with a mailbox and exactly one end.
//
// Owns its mailbox, its waits and its end. Does not own the monitors that watch it (watch.ts), the credit of its senders
// (credit.ts), nor its names (registry.ts).
//
//   TK1. A task ends once: it returned, threw, was terminated, or was lost with its worker or host.
//   TK2. terminate() interrupts every wait and aborts the signal; a task that catches it has GRACE_MS to end by itself.
//   TK3. After its end a task takes no messages.
//   TK4. A swap is accepted when its error passes out of the function, and refused when the task waits again.
import { type Clock, FlotillaError, hasCode, type RuntimeId, toError } from '../../base/index.ts';
import type { LocateOptions, Name } from '../names/name.ts';
import { Driver, isGenerator } from './generators.ts';
import { type Category, Mailbox, type MailboxOwner, type ReceiveOptions } from './mailbox.ts';
import type { Place } from './place.ts';
import type { TaskEnd, TaskRef } from './reference.ts';
import type { SuspendOptions, Task, TaskFunction } from './self.ts';

/** The time a task has to clean up after it was asked to end. */
export const GRACE_MS = 5_000;

type State = { readonly kind: 'running' } | { readonly kind: 'ended'; readonly end: TaskEnd };
const RUNNING: State = { kind: 'running' };

interface Suspension {
  readonly wake: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Swap {
  readonly fn: TaskFunction<never, never[], unknown>;
  readonly args: readonly unknown[];
  readonly settle: (accepted: boolean) => void;
  /** The error by which the task hears of the offer; undefined until it is on its way. */
  told: Error | undefined;
}

interface Rare<M> {
  ref?: TaskRef<M>;
  daemon?: boolean;
  onEnd?: ((end: TaskEnd) => void) | undefined;
  abort?: AbortController;
  interrupted?: Error;
  suspended?: Suspension | undefined;
  driver?: Driver | undefined;
  swappable?: boolean;
  swap?: Swap | undefined;
}

/** The parts of a runtime that a task needs. */
export interface TaskHost {
  readonly clock: Clock;
  /** The time for which an interrupted task may go on before it is left to itself. */
  readonly graceMs: number;
  readonly place: Place;
  readonly location: string;
  taken(from: RuntimeId, task: number, bytes: number): void;
  taskEnded(task: { readonly number: number; readonly name: string; readonly watched: boolean }, end: TaskEnd): void;
  refOf<M>(task: LocalTask<M>): TaskRef<M>;
  register(name: string, ref: TaskRef<never>): Promise<void>;
  unregister(name: string, ref: TaskRef<never>): boolean;
  locate(name: Name | string, options: LocateOptions | undefined): Promise<unknown>;
}

/** A task of this runtime. */
export class LocalTask<M = unknown> implements Task<M>, MailboxOwner {
  readonly name: string;
  readonly number: number;
  readonly mailbox: Mailbox<M>;
  readonly #host: TaskHost;
  #ended: Promise<TaskEnd> | undefined;
  #settle: ((end: TaskEnd) => void) | undefined;
  #state: State = RUNNING;
  /** The parts that few tasks need, made when they are needed: a million waiting tasks must fit into memory. */
  #rare: Rare<M> | undefined;

  constructor(host: TaskHost, number: number, name: string) {
    this.#host = host;
    this.number = number;
    this.name = name;
    this.mailbox = new Mailbox<M>(this);
  }

  get #more(): Rare<M> {
    this.#rare ??= {};
    return this.#rare;
  }

  get #interrupted(): Error | undefined {
    return this.#rare?.interrupted;
  }

  get #suspended(): Suspension | undefined {
    return this.#rare?.suspended;
  }

  get #driver(): Driver | undefined {
    return this.#rare?.driver;
  }

  get #swap(): Swap | undefined {
    return this.#rare?.swap;
  }

  /** Daemon tasks do not hold up `runtime.finish()`. */
  get daemon(): boolean {
    return this.#rare?.daemon ?? false;
  }

  set daemon(value: boolean) {
    this.#more.daemon = value;
  }

  /** A callback that hears of the end before anybody else. */
  set onEnd(callback: (end: TaskEnd) => void) {
    this.#more.onEnd = callback;
  }

  get clock(): Clock {
    return this.#host.clock;
  }

  get ref(): TaskRef<M> {
    this.#more.ref ??= this.#host.refOf(this);
    return this.#more.ref;
  }

  /** The reference that `ref` gives, if it has given one. */
  get kept(): TaskRef<M> | undefined {
    return this.#rare?.ref;
  }

  /** Keeps a reference, which `ref` gives from now on, unless one is kept already. */
  keep(ref: TaskRef<M>): void {
    this.#more.ref ??= ref;
  }

  get location(): string {
    return this.#host.location;
  }

  get worker(): Place['worker'] {
    return this.#host.place.worker;
  }

  get host(): Place['host'] {
    return this.#host.place.host;
  }

  file(name: string): string {
    return this.#host.place.file(name);
  }

  import(name: string): Promise<unknown> {
    return this.#host.place.import(name);
  }

  sendFile(...args: Parameters<Place['sendFile']>): ReturnType<Place['sendFile']> {
    return this.#host.place.sendFile(...args);
  }

  /** Resolves with the end of the task. The promise is made when it is first asked for: most tasks are never watched. */
  get ended(): Promise<TaskEnd> {
    if (!this.#ended) {
      const state = this.#state;
      this.#ended =
        state.kind === 'ended'
          ? Promise.resolve(state.end)
          : new Promise((resolve) => {
              this.#settle = resolve;
            });
    }
    return this.#ended;
  }

  /** Whether anybody waits for the end. */
  get watched(): boolean {
    return this.#settle !== undefined || this.#rare?.onEnd !== undefined;
  }

  get alive(): boolean {
    return this.#state === RUNNING;
  }

  get signal(): AbortSignal {
    const more = this.#more;
    if (!more.abort) {
      more.abort = new AbortController();
      if (more.interrupted) more.abort.abort(more.interrupted);
    }
    return more.abort.signal;
  }

  get waiting(): number {
    return this.mailbox.size;
  }

  get swappable(): boolean {
    return this.#rare?.swappable ?? false;
  }

  set swappable(value: boolean) {
    this.#more.swappable = value;
    if (value) this.#tellSwap();
  }

  taken(from: RuntimeId | undefined, bytes: number): void {
    if (from !== undefined) this.#host.taken(from, this.number, bytes);
  }

  receive(options?: ReceiveOptions<M>): Promise<M> {
    this.#waits();
    return this.mailbox.receive(options);
  }

  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    return {
      next: () => {
        this.#waits();
        return this.mailbox.next();
      },
    };
  }

  categorize(categorizer: (message: M) => Category | undefined): () => void {
    return this.mailbox.categorize(categorizer);
  }

  prioritize(priority: ((message: M) => number) | undefined): void {
    this.mailbox.prioritize(priority);
  }

  suspend<T = unknown>(options: SuspendOptions<T> = {}): Promise<T | undefined> {
    this.#waits();
    const { timeout, alarm } = options;
    const refused = this.#interrupted ?? this.mailbox.takeInjected();
    if (refused) return Promise.reject(refused);
    if (timeout !== undefined && timeout <= 0) return Promise.resolve(alarm);
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        timer?.cancel();
        if (this.#suspended === suspension) this.#more.suspended = undefined;
      };
      const suspension: Suspension = {
        wake(value) {
          finish();
          resolve(value as T);
        },
        reject(error) {
          finish();
          reject(error);
        },
      };
      const timer = timeout === undefined ? undefined : this.#host.clock.after(timeout, () => suspension.wake(alarm));
      this.#more.suspended = suspension;
    });
  }

  sleep<T = undefined>(ms: number, alarm?: T): Promise<T | undefined> {
    return this.suspend<T>(alarm === undefined ? { timeout: ms } : { timeout: ms, alarm });
  }

  async register(name: string = this.name): Promise<void> {
    await this.#host.register(name, this.ref as TaskRef<never>);
  }

  async unregister(name: string = this.name): Promise<boolean> {
    return this.#host.unregister(name, this.ref as TaskRef<never>);
  }

  monitor(task: unknown): Promise<void> {
    return (task as TaskRef<never>).notify(this.ref as never);
  }

  locate(name: never, options?: never): Promise<never> {
    return this.#host.locate(name, options) as Promise<never>;
  }

  /** Wakes the task if it is suspended; says whether it was. */
  resume(value?: unknown): boolean {
    if (!this.#suspended) return false;
    this.#suspended.wake(value);
    return true;
  }

  /** Throws an error into the present wait, or else the next one. */
  throw(error: Error): void {
    if (!this.alive) return;
    if (this.#driver) this.#driver.throw(error);
    else if (this.#suspended) this.#suspended.reject(error);
    else this.mailbox.inject(error);
  }

  /** Offers the task another function; resolves with whether it took it. TK4 */
  swap(fn: TaskFunction<never, never[], unknown>, args: readonly unknown[]): Promise<boolean> {
    if (!this.alive || this.#interrupted) return Promise.resolve(false);
    this.#swap?.settle(false);
    return new Promise((settle) => {
      this.#more.swap = { fn, args, settle, told: undefined };
      if (this.swappable) this.#tellSwap();
    });
  }

  /** Takes an offer back. Too late once the task has met its error: then the task itself decides. */
  withdraw(): void {
    const swap = this.#swap;
    if (!swap || (swap.told && this.mailbox.injected !== swap.told)) return;
    if (swap.told) this.mailbox.takeInjected();
    this.#more.swap = undefined;
    swap.settle(false);
  }

  /** Runs the function, whose outcome is the end of the task. */
  run<A extends unknown[], R>(fn: TaskFunction<M, A, R>, args: A): void {
    if (this.#rare) this.#rare.driver = undefined;
    let outcome: unknown;
    try {
      outcome = fn(this, ...args);
    } catch (error) {
      return this.#threw(error);
    }
    if (isGenerator(outcome)) {
      const driver = new Driver(outcome, this.#host.clock);
      this.#more.driver = driver;
      outcome = driver.run();
      if (this.#interrupted) driver.stop(this.#interrupted);
    }
    if (typeof outcome !== 'object' || outcome === null || !('then' in outcome)) return this.end({ kind: 'returned', value: outcome });
    (outcome instanceof Promise ? outcome : Promise.resolve(outcome)).then(
      (value) => this.end({ kind: 'returned', value }),
      (error) => this.#threw(error),
    );
  }

  /** Closes the mailbox: the task's loop ends after the messages that are in it. */
  close(): void {
    this.mailbox.close();
  }

  /** Asks the task to end, and ends it when the grace period is over. TK2 */
  terminate(reason?: string): void {
    if (!this.alive || this.#interrupted) return;
    const error = new FlotillaError('ERR_TASK_INTERRUPTED', `Task '${this.name}' was asked to end${reason ? `: ${reason}` : ''}.`);
    this.#more.interrupted = error;
    this.#swap?.settle(false);
    this.mailbox.interrupt(error);
    this.#suspended?.reject(error);
    this.#rare?.abort?.abort(error);
    this.#driver?.stop(error);
    const timer = this.#host.clock.after(this.#host.graceMs, () => this.end({ kind: 'terminated', error }), { background: true });
    void this.ended.then(() => timer.cancel());
  }

  /** Ends the task, unless it has ended. TK1 */
  end(end: TaskEnd): void {
    if (!this.alive) return;
    this.#state = { kind: 'ended', end };
    this.#swap?.settle(false);
    this.mailbox.close(); // TK3
    this.#rare?.onEnd?.(end);
    this.#host.taskEnded(this, end);
    this.#settle?.(end);
  }

  // A task that waits again after it met the error of a swap has caught it, so it has refused. One that was not told is told now.
  #waits(): void {
    const swap = this.#swap;
    if (!swap) return;
    if (swap.told && this.mailbox.injected === swap.told) return; // the error has met no wait yet; this one gets it
    if (swap.told) {
      this.#more.swap = undefined;
      swap.settle(false);
    } else if (this.swappable) this.#tellSwap();
  }

  #tellSwap(): void {
    const swap = this.#swap;
    if (!swap || swap.told) return;
    swap.told = new FlotillaError('ERR_TASK_SWAPPED', `The function of the task '${this.name}' is to be replaced by '${swap.fn.name}'.`);
    this.throw(swap.told);
  }

  #threw(thrown: unknown): void {
    const swap = this.#swap;
    if (swap?.told !== undefined && thrown === swap.told && this.alive) {
      this.#more.swap = undefined;
      swap.settle(true);
      return this.run(swap.fn as never, [...swap.args] as never);
    }
    const error = toError(thrown);
    const interrupted = this.#interrupted !== undefined && (thrown === this.#interrupted || hasCode(error, 'ERR_TASK_INTERRUPTED'));
    this.end(interrupted ? { kind: 'terminated', error } : { kind: 'threw', error });
  }
}

/** Gives the value of a task that returned; for any other end, throws its error. */
export function endValue<R>(end: TaskEnd<R>): R {
  if (end.kind === 'returned') return end.value;
  throw end.error;
}
