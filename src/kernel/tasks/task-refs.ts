// References to tasks: to a task of this runtime, of another, to one that has ended; and the reply, at which an answer is awaited.
import { FlotillaError, toError } from '../../base/index.ts';
import { type SendWindow, WINDOW } from '../post/credit.ts';
import type { Mail, Post } from '../post/post.ts';
import { isSessionLoss, type OnAnswer } from '../post/requests.ts';
import { RUNTIME, TERMINATE } from '../protocol.ts';
import { Reference, type RefHome, type RefWire } from '../references/ref-base.ts';
import { lostEnd, taskEnded } from './ends.ts';
import type { TaskEnd, TaskEnded, TaskRef, WaitOptions } from './reference.ts';
import { endValue, type LocalTask } from './task.ts';
import { notify, type WatchHome } from './watch.ts';

/** The extension by which references to tasks travel. */
export const TASK_CODE = 1;
const OVERRUN = 8;

/** The parts of a runtime that a reference to a task needs. */
export interface TaskRefHome extends Mail, RefHome, WatchHome {
  readonly tasks: {
    /** Makes a reply, at which one answer is awaited. */
    addReply(make: (number: number) => ReplyRef): { readonly ref: ReplyRef; drop(): void };
  };
}

type Send = (message: unknown) => boolean;
type Deliver = (message: unknown, options?: WaitOptions) => Promise<void>;

abstract class AnyTaskRef extends Reference {
  readonly code = TASK_CODE;
  declare readonly home: TaskRefHome;
  #ended: Promise<TaskEnd> | undefined;
  #result: Promise<unknown> | undefined;
  #asking: Set<(end: TaskEnd) => void> | undefined;

  /** The functions `send` and `deliver`, bound so that they can be passed around. Made when first used: most references never are. */
  #bound: { send?: Send; deliver?: Deliver } | undefined;

  protected abstract sendOne(message: unknown): boolean;
  protected abstract deliverOne(message: unknown, options?: WaitOptions): Promise<void>;
  abstract watch(): Promise<TaskEnd>;

  get send(): Send {
    this.#bound ??= {};
    this.#bound.send ??= (message) => this.sendOne(message);
    return this.#bound.send;
  }

  get deliver(): Deliver {
    this.#bound ??= {};
    this.#bound.deliver ??= (message, options) => this.deliverOne(message, options);
    return this.#bound.deliver;
  }

  get ask(): <V>(question: (reply: TaskRef<V>) => unknown, options?: WaitOptions) => Promise<V> {
    return (question, options) => this.#ask(question, options);
  }

  get location(): string | undefined {
    return this.home.carrier.addresses[0];
  }

  get ended(): Promise<TaskEnd> {
    this.#ended ??= this.watch();
    return this.#ended;
  }

  get result(): Promise<never> {
    this.#result ??= this.ended.then(endValue);
    return this.#result as Promise<never>;
  }

  finish(options: WaitOptions = {}): Promise<never> {
    const waited = this.home.requests.within(options, `The end of the task '${this.name}'`, (settle) => {
      void this.ended.then((end) => (end.kind === 'returned' ? settle(true, end.value) : settle(false, end.error)));
      return () => {};
    });
    return waited as Promise<never>;
  }

  notify(watcher: TaskRef<TaskEnded<never>>): Promise<void> {
    return notify(this.home, this as never, watcher as TaskRef<TaskEnded>);
  }

  #ask<V>(question: (reply: TaskRef<V>) => unknown, options: WaitOptions = {}): Promise<V> {
    const { home } = this;
    const asked = home.requests.within(options, `A question to the task '${this.name}'`, (settle) => {
      const done: OnAnswer = (ok, value) => {
        reply.drop();
        this.#asking?.delete(onEnd);
        settle(ok, value);
      };
      const onEnd = (end: TaskEnd): void =>
        done(
          false,
          'error' in end && end.kind !== 'threw'
            ? end.error
            : new FlotillaError('ERR_TASK_ENDED', `The task '${this.name}' ended before it answered.`),
        );
      const reply = home.tasks.addReply((ref) => new ReplyRef(home, ref, done));
      this.#onEnd(onEnd);
      try {
        this.send(question(reply.ref));
      } catch (error) {
        reply.drop();
        this.#asking?.delete(onEnd);
        throw error;
      }
      return () => {
        reply.drop();
        this.#asking?.delete(onEnd);
      };
    });
    return asked as Promise<V>;
  }

  // One watch serves all questions of this reference, because each watch of a task of a peer is a request to that peer.
  #onEnd(callback: (end: TaskEnd) => void): void {
    if (!this.#asking) {
      this.#asking = new Set();
      void this.ended.then((end) => {
        for (const one of [...(this.#asking ?? [])]) one(end);
      });
    }
    this.#asking.add(callback);
  }
}

/** A task of this runtime. */
export class LocalRef extends AnyTaskRef implements TaskRef<unknown> {
  readonly #task: LocalTask;

  constructor(home: TaskRefHome, task: LocalTask) {
    super(home, { name: task.name, runtime: home.id, number: task.number });
    this.#task = task;
  }

  // The task keeps the reference that travels, so that it is the same object when it comes home.
  override travel(by: RefHome): RefWire {
    this.#task.keep(this as TaskRef<unknown>);
    return super.travel(by);
  }

  protected sendOne(message: unknown): boolean {
    const { mailbox } = this.#task;
    if (mailbox.size >= WINDOW.messages * OVERRUN) {
      throw new FlotillaError(
        'ERR_SESSION_OVERRUN',
        `${mailbox.size} messages wait to be taken by the task '${this.name}'. When send() returns false, wait for room().`,
      );
    }
    mailbox.put(message, undefined, 0);
    return mailbox.size < WINDOW.messages;
  }

  async room(options: WaitOptions = {}): Promise<void> {
    const { mailbox } = this.#task;
    while (mailbox.open && mailbox.size >= WINDOW.messages) {
      await this.home.requests.within(options, 'Room', (settle) => {
        mailbox.onRoom(() => settle(true, undefined));
        return () => {};
      });
    }
  }

  protected async deliverOne(message: unknown, options: WaitOptions = {}): Promise<void> {
    if (this.#task.mailbox.size >= WINDOW.messages) await this.room(options);
    if (!this.#task.mailbox.put(message, undefined, 0)) throw taskEnded();
  }

  close(): void {
    this.#task.close();
  }

  terminate(reason?: string): void {
    this.#task.terminate(reason);
  }

  throw(error: Error): void {
    this.#task.throw(error);
  }

  async resume(value?: unknown): Promise<boolean> {
    return this.#task.resume(value);
  }

  watch(): Promise<TaskEnd> {
    return this.#task.ended;
  }
}

/** A task of another runtime. */
export class RemoteRef extends AnyTaskRef implements TaskRef<unknown> {
  declare readonly wire: RefWire;
  #window: SendWindow | undefined;
  /** The task is known to be lost. Nothing is sent to it any more, even if its runtime has a session again. */
  #over = false;

  constructor(home: TaskRefHome, wire: RefWire) {
    super(home, wire, wire);
  }

  override get location(): string | undefined {
    return this.wire.addresses[0];
  }

  protected sendOne(message: unknown): boolean {
    if (!this.wire.once) return this.home.sendTo(this.runtime, this.number, this.open(), message);
    this.home.sendOnce(this.runtime, this.number, message);
    return true;
  }

  room(options: WaitOptions = {}): Promise<void> {
    return this.wire.once ? Promise.resolve() : roomFor(this.home, this, options);
  }

  protected async deliverOne(message: unknown, options: WaitOptions = {}): Promise<void> {
    const window = this.open();
    if (!window.hasRoom || !this.home.carrier.hasRoom(this.runtime)) await roomFor(this.home, this, options);
    if (window.ended) throw window.lost ?? taskEnded();
    await this.home.deliverTo(this.runtime, this.number, window, message, options);
  }

  close(): void {
    this.home.closeTask(this.runtime, this.number);
  }

  terminate(reason?: string): void {
    this.home.message(this.runtime, TERMINATE, { kind: 'terminate', task: this.number, reason });
  }

  throw(error: Error): void {
    this.home.message(this.runtime, RUNTIME, { kind: 'throw', task: this.number, error });
  }

  resume(value?: unknown, options?: WaitOptions): Promise<boolean> {
    return this.home.at(this.runtime, RUNTIME, options).resume(this.number, value);
  }

  async watch(): Promise<TaskEnd> {
    try {
      return await this.home.at(this.runtime, RUNTIME).watch(this.number);
    } catch (error) {
      if (!isSessionLoss(error)) return { kind: 'threw', error: toError(error) }; // the task has ended, but its end could not be read here
      this.#over = true;
      const window = this.open();
      window.lost ??= error as Error;
      window.ended = true;
      window.wake();
      return lostEnd(error, this.number);
    }
  }

  /** The window that counts what is under way to the task. */
  open(): SendWindow {
    if (!this.#window || (this.#window.lost && !this.#over))
      // the session of its runtime ended, and there may be another
      this.#window = this.home.windows.get(this.runtime, this.number);
    return this.#window;
  }
}

/** A task of this runtime that has ended. */
export class EndedRef extends AnyTaskRef implements TaskRef<unknown> {
  readonly #end: TaskEnd;

  constructor(home: TaskRefHome, wire: RefWire, end: TaskEnd) {
    super(home, wire, wire);
    this.#end = end;
  }

  protected sendOne(): boolean {
    return true;
  }
  protected deliverOne(): Promise<void> {
    return Promise.reject(taskEnded());
  }
  room(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {}
  terminate(): void {}
  throw(): void {}
  resume(): Promise<boolean> {
    return Promise.resolve(false);
  }
  watch(): Promise<TaskEnd> {
    return Promise.resolve(this.#end);
  }
}

/** A reply, at which one answer is awaited: it takes one message, or an error. */
export class ReplyRef extends AnyTaskRef implements TaskRef<unknown> {
  readonly #settle: OnAnswer;

  constructor(home: TaskRefHome, number: number, settle: OnAnswer) {
    super(home, { name: 'reply', runtime: home.id, number });
    this.#settle = settle;
  }

  // A reply travels without addresses: most questions go straight to the runtime that answers, which has a session with this one.
  override travel(by: RefHome): RefWire {
    const wire = super.travel(by);
    return { ...wire, addresses: by === this.home ? [] : wire.addresses, once: true };
  }

  protected sendOne(message: unknown): boolean {
    this.#settle(true, message);
    return true;
  }
  protected async deliverOne(message: unknown): Promise<void> {
    this.#settle(true, message);
  }
  throw(error: Error): void {
    this.#settle(false, error);
  }
  room(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {}
  terminate(): void {}
  resume(): Promise<boolean> {
    return Promise.resolve(false);
  }
  watch(): Promise<TaskEnd> {
    return new Promise(() => {});
  }
}

/** Resolves when there is room to send to a task of a peer, or the task or its runtime is gone. */
export function roomFor(
  post: Post,
  ref: { readonly runtime: RemoteRef['runtime']; open(): SendWindow },
  options: WaitOptions,
): Promise<void> {
  const window = ref.open();
  if (window.ended || (window.hasRoom && post.carrier.hasRoom(ref.runtime))) return Promise.resolve();
  const waited = post.requests.within(options, 'Room', (settle) => {
    window.onRoom(() => settle(true, undefined));
    return () => {};
  });
  return waited as Promise<void>;
}
