// The services of one runtime: functions that peers may start as tasks.
//
// Owns the services that are served, and knows which tasks were started through which reference. Does not own the tasks.
//
//   SP1. A call is answered once: with the result, with the error of the task, or with the reason why it could not start.
//   SP2. A reference that is closed, or whose runtime is gone, leaves no task behind, unless they were detached.
import { FlotillaError, type RuntimeId, toError } from '../../base/index.ts';
import type { Registry } from '../names/registry.ts';
import { SERVICES } from '../protocol.ts';
import type { References } from '../references/references.ts';
import type { TaskEnd } from '../tasks/reference.ts';
import type { TaskTable } from '../tasks/table.ts';
import type { LocalTask } from '../tasks/task.ts';
import type { Service } from './service-name.ts';
import { AnyServiceRef, SERVICE_CODE, type ServiceRef, type ServiceRefHome } from './service-ref.ts';

/** The most tasks that one reference of a peer has running through a service here. */
export const MOST_TASKS_EACH = 100_000;

type Anything = (...args: unknown[]) => unknown;

/** A service while it is served: end it with close(), or `using`. */
export interface Served<in M, in A extends unknown[], out R> extends Disposable {
  readonly name: string;
  readonly ref: ServiceRef<M, A, R>;
  /** Takes no more calls; tasks that run go on. */
  close(): void;
}

/** The parts of a runtime that its services need. */
export interface ServicesHome extends ServiceRefHome {
  readonly references: References;
  readonly names: Registry;
  readonly tasks: TaskTable;
}

/** The services of a runtime. */
export class Services {
  readonly #home: ServicesHome;
  readonly #served = new Map<number, { readonly definition: Service<unknown, unknown[], unknown>; readonly ref: AnyServiceRef }>();
  readonly #started = new Map<RuntimeId, Map<number, Set<LocalTask>>>();
  readonly #calls = new Map<RuntimeId, Map<number, LocalTask>>();
  #references = 0;

  constructor(home: ServicesHome) {
    this.#home = home;
    home.references.add({
      code: SERVICE_CODE,
      remote: (wire) => new AnyServiceRef(home, wire, wire),
      local: (wire) => this.#served.get(wire.number)?.ref ?? new AnyServiceRef(home, wire),
    });
    home.open(SERVICES, {
      request: (peer, id, method, args) => this.#asked(peer, id, method, args),
      cancel: (peer, id, reason) => this.#calls.get(peer)?.get(id)?.terminate(toError(reason).message),
    });
    home.on({ ended: (peer) => this.#lost(peer) });
  }

  /** Gives a number to a reference that this runtime holds. */
  nextReference(): number {
    return ++this.#references;
  }

  /** Offers a service under its name. Throws ERR_NAME_TAKEN. */
  serve<M, A extends unknown[], R>(definition: Service<M, A, R>): Served<M, A, R> {
    const number = this.#home.tasks.nextNumber();
    const { name } = definition;
    const ref = new AnyServiceRef(this.#home, { runtime: this.#home.id, number, name });
    this.#home.names.register('service', name, ref);
    this.#served.set(number, { definition: definition as never, ref });
    const close = (): void => {
      this.#served.delete(number);
      this.#home.names.unregister('service', name, ref);
    };
    return { name, ref: ref as unknown as ServiceRef<M, A, R>, close, [Symbol.dispose]: close };
  }

  // Answers one request at the door of services. SP1
  #asked(peer: RuntimeId, id: number, method: unknown, list: unknown[]): void {
    try {
      if (method === 'close') return this.#home.answer(peer, id, true, this.#closeReference(peer, list[0] as number, list[1] === true));
      const [number, reference, args] = list as [number, number, unknown[]];
      if (method !== 'spawn' && method !== 'call') {
        throw new FlotillaError('ERR_REQUEST_UNKNOWN', `Services do not know the request '${String(method)}'.`);
      }
      if (method === 'spawn') return this.#home.answer(peer, id, true, this.#start(peer, number, reference, args, () => {}).ref);
      let calls = this.#calls.get(peer);
      if (!calls) {
        calls = new Map();
        this.#calls.set(peer, calls);
      }
      const open = calls;
      const task = this.#start(peer, number, reference, args, (end) => {
        open.delete(id);
        if (end.kind === 'returned') this.#home.answer(peer, id, true, end.value);
        else this.#home.answer(peer, id, false, end.error);
      });
      if (task.alive) open.set(id, task);
    } catch (error) {
      this.#home.answer(peer, id, false, toError(error));
    }
  }

  #start(peer: RuntimeId, number: number, reference: number, args: unknown[], ended: (end: TaskEnd) => void): LocalTask {
    const definition = this.#served.get(number)?.definition;
    if (!definition) throw new FlotillaError('ERR_SERVICE_CLOSED', 'The service is not served any more.');
    this.#check(definition, args);
    let references = this.#started.get(peer);
    if (!references) {
      references = new Map();
      this.#started.set(peer, references);
    }
    let tasks = references.get(reference);
    if (!tasks) {
      tasks = new Set();
      references.set(reference, tasks);
    }
    if (tasks.size >= MOST_TASKS_EACH)
      throw new FlotillaError('ERR_LIMIT', `${MOST_TASKS_EACH} tasks of this reference to '${definition.name}' run already.`);
    const task = this.#home.tasks.create<unknown>(definition.name);
    tasks.add(task);
    const held = tasks;
    task.onEnd = (end) => {
      ended(end);
      held.delete(task);
      if (held.size === 0 && references.get(reference) === held) references.delete(reference);
    };
    task.run(definition.fn as Anything as never, args);
    return task;
  }

  #check({ name, fn, check }: Service<unknown, unknown[], unknown>, args: unknown[]): void {
    const wanted = Math.max(0, fn.length - 1);
    if (args.length < wanted) {
      throw new FlotillaError(
        'ERR_SERVICE_ARGUMENTS',
        `The service '${name}' takes ${wanted} argument${wanted === 1 ? '' : 's'}; it was given ${args.length}.`,
      );
    }
    if (!check) return;
    let why: string | undefined | void;
    try {
      why = (check as (...args: unknown[]) => string | undefined)(...args);
    } catch (error) {
      throw new FlotillaError('ERR_SERVICE_ARGUMENTS', `The service '${name}' does not take these arguments: ${toError(error).message}`, {
        cause: error,
      });
    }
    if (typeof why === 'string')
      throw new FlotillaError('ERR_SERVICE_ARGUMENTS', `The service '${name}' does not take these arguments: ${why}`);
  }

  #closeReference(peer: RuntimeId, reference: number, terminate: boolean): number {
    const tasks = [...(this.#started.get(peer)?.get(reference) ?? [])];
    this.#started.get(peer)?.delete(reference);
    if (terminate) for (const task of tasks) task.terminate('the reference through which it was started was closed');
    return tasks.length;
  }

  // Ends all tasks that a peer has started, because the peer is gone. SP2
  #lost(peer: RuntimeId): void {
    for (const reference of [...(this.#started.get(peer)?.keys() ?? [])]) this.#closeReference(peer, reference, true);
    this.#started.delete(peer);
    this.#calls.delete(peer);
  }
}
