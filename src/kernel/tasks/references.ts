// References as they are made, sent and received: a task of this runtime comes home as itself.
import { FlotillaError, type RuntimeId, shortId } from '../../base/index.ts';
import type { Kernel } from '../kernel.ts';
import { PORT } from '../ports.ts';
import { type SendWindow, WINDOW } from '../sessions/credit.ts';
import { lostEnd, taskEnded } from './ends.ts';
import type { TaskRef, WaitOptions } from './reference.ts';
import { endValue, type LocalTask, type TaskEnd } from './task.ts';

/** A reference as it travels. */
export interface RefWire {
  readonly runtime: string;
  readonly number: number;
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Makes references and turns them into what travels, and back. */
export class References {
  static readonly CODE = 1;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  static unknown(code: number): never {
    throw new FlotillaError('ERR_WIRE_MALFORMED', `A value of a kind (${code}) that this runtime does not know arrived.`);
  }

  local(task: LocalTask<unknown>): TaskRef<unknown> {
    return new LocalRef(this.#kernel, task);
  }

  remote(wire: RefWire): TaskRef<unknown> {
    return new RemoteRef(this.#kernel, wire);
  }

  replace(value: object): { code: number; payload: RefWire } | undefined {
    if (value instanceof LocalRef) {
      const { id, addresses } = this.#kernel.carrier;
      return { code: References.CODE, payload: { runtime: id, number: value.number, name: value.name, addresses } };
    }
    return value instanceof RemoteRef ? { code: References.CODE, payload: value.wire } : undefined;
  }

  revive(wire: RefWire, from: RuntimeId | undefined): TaskRef<unknown> {
    if (typeof wire?.runtime !== 'string' || typeof wire.number !== 'number' || !Array.isArray(wire.addresses)) {
      throw new FlotillaError('ERR_WIRE_MALFORMED', 'A reference that is none arrived.');
    }
    const runtime = wire.runtime as RuntimeId;
    if (runtime === this.#kernel.id) {
      const { task, end } = this.#kernel.find(wire.number);
      if (task) return task.ref;
      return new EndedRef(
        wire,
        end ?? { kind: 'threw', error: new FlotillaError('ERR_TASK_UNKNOWN', `Task '${wire.name}' ended long ago.`) },
      );
    }
    this.#kernel.carrier.reach(runtime, wire.addresses, from === runtime ? undefined : from);
    return new RemoteRef(this.#kernel, wire);
  }
}

abstract class Reference {
  readonly name: string;
  readonly runtime: RuntimeId;
  readonly number: number;
  #ended: Promise<TaskEnd> | undefined;
  #result: Promise<unknown> | undefined;

  constructor(name: string, runtime: RuntimeId, number: number) {
    this.name = name;
    this.runtime = runtime;
    this.number = number;
  }

  get id(): string {
    return `${shortId(this.runtime)}/${this.number}`;
  }

  get ended(): Promise<TaskEnd> {
    this.#ended ??= this.watch();
    return this.#ended;
  }

  get result(): Promise<never> {
    this.#result ??= this.ended.then(endValue);
    return this.#result as Promise<never>;
  }

  abstract watch(): Promise<TaskEnd>;
}

class LocalRef extends Reference implements TaskRef<unknown> {
  readonly #kernel: Kernel;
  readonly #task: LocalTask<unknown>;

  constructor(kernel: Kernel, task: LocalTask<unknown>) {
    super(task.name, kernel.id, task.number);
    this.#kernel = kernel;
    this.#task = task;
  }

  readonly send = (message: unknown): boolean => {
    const { mailbox } = this.#task;
    if (mailbox.size >= WINDOW.messages * 8) {
      throw new FlotillaError(
        'ERR_SESSION_OVERRUN',
        `${mailbox.size} messages wait to be taken by the task '${this.name}'. When send() returns false, wait for room().`,
      );
    }
    mailbox.put(message, undefined, 0);
    return mailbox.size < WINDOW.messages;
  };

  async room(options: WaitOptions = {}): Promise<void> {
    while (this.#task.mailbox.size >= WINDOW.messages) {
      await this.#kernel.requests.within(options, 'Room', (settle) => {
        const timer = this.#kernel.clock.after(1, () => settle(true, undefined));
        return () => timer.cancel();
      });
    }
  }

  readonly deliver = async (message: unknown, options: WaitOptions = {}): Promise<void> => {
    await this.room(options);
    if (!this.#task.mailbox.put(message, undefined, 0)) throw taskEnded();
  };

  close(): void {
    this.#task.close();
  }

  terminate(reason?: string): void {
    this.#task.terminate(reason);
  }

  watch(): Promise<TaskEnd> {
    return this.#task.ended;
  }
}

class RemoteRef extends Reference implements TaskRef<unknown> {
  readonly wire: RefWire;
  readonly #kernel: Kernel;
  #window: SendWindow | undefined;

  constructor(kernel: Kernel, wire: RefWire) {
    super(wire.name, wire.runtime as RuntimeId, wire.number);
    this.#kernel = kernel;
    this.wire = wire;
  }

  readonly send = (message: unknown): boolean => this.#kernel.sendTo(this.runtime, this.number, this.#open(), message);

  room(options: WaitOptions = {}): Promise<void> {
    return roomFor(this.#kernel, this.runtime, this.#open(), options);
  }

  readonly deliver = async (message: unknown, options: WaitOptions = {}): Promise<void> => {
    const window = this.#open();
    await roomFor(this.#kernel, this.runtime, window, options);
    if (window.ended) throw window.lost ?? taskEnded();
    await this.#kernel.deliverTo(this.runtime, this.number, window, message, options);
  };

  close(): void {
    this.#kernel.closeTask(this.runtime, this.number);
  }

  terminate(reason?: string): void {
    this.#kernel.message(this.runtime, PORT.TERMINATE, { task: this.number, reason });
  }

  async watch(): Promise<TaskEnd> {
    try {
      return (await this.#kernel.ask(this.runtime, PORT.RUNTIME, 'watch', [this.number])) as TaskEnd;
    } catch (error) {
      return lostEnd(error);
    }
  }

  #open(): SendWindow {
    if (!this.#window || (this.#window.ended && !this.#kernel.peers.has(this.runtime)))
      this.#window = this.#kernel.windows.get(this.runtime, this.number);
    return this.#window;
  }
}

class EndedRef extends Reference implements TaskRef<unknown> {
  readonly #end: TaskEnd;

  constructor(wire: RefWire, end: TaskEnd) {
    super(wire.name, wire.runtime as RuntimeId, wire.number);
    this.#end = end;
  }

  readonly send = (): boolean => true;
  readonly deliver = (): Promise<void> => Promise.reject(taskEnded());
  room(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {}
  terminate(): void {}
  watch(): Promise<TaskEnd> {
    return Promise.resolve(this.#end);
  }
}

// Resolves when there is room to send to a task of a peer, or the task or its runtime is gone.
function roomFor(kernel: Kernel, peer: RuntimeId, window: SendWindow, options: WaitOptions): Promise<void> {
  if (window.ended || (window.hasRoom && kernel.carrier.hasRoom(peer))) return Promise.resolve();
  const waited = kernel.requests.within(options, 'Room', (settle) => {
    window.onRoom(() => settle(true, undefined));
    return () => {};
  });
  return waited as Promise<void>;
}
