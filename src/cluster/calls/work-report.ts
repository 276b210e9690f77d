// Tells of tasks and calls as they begin and end, each once, however often they are tried.
import { type Clock, toError } from '../../base/index.ts';
import type { WorkerInfo } from '../../host/index.ts';
import type { TaskEnd, TaskRef } from '../../kernel/index.ts';
import type { ClientOptions } from '../client/options.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { isBeside, type Order } from '../dispatch/order.ts';
import type { Member, Work, WorkChange } from '../dispatch/work.ts';
import type { Change, Telling, WorkInfo } from '../events.ts';

/** Tells the listeners of one client of its work. */
export class WorkReport {
  readonly #clock: Clock;
  readonly #events: Telling;
  readonly #dispatcher: Dispatcher;
  readonly #begun = new WeakMap<Work, WorkInfo>();
  readonly #ids = new WeakMap<Work, number>();
  #next = 1;
  #listens = false;

  constructor(clock: Clock, events: Telling, dispatcher: Dispatcher) {
    this.#clock = clock;
    this.#events = events;
    this.#dispatcher = dispatcher;
  }

  /** Tells of calls from now on, because somebody listens. Before that, calls are not worth an event each. */
  listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    this.#dispatcher.changes.on((change) => this.#work(change));
  }

  /** Tells the listeners that a client's options name. */
  tell({ onStatus, statusTask }: ClientOptions, warn: (text: string) => void): void {
    if (onStatus) this.#events.on(onStatus);
    if (statusTask) {
      const off = this.#events.on((event) => {
        try {
          statusTask.send(event);
        } catch (error) {
          off();
          warn(`the status task '${statusTask.name}' does not read what it is told, and is told no more: ${toError(error).message}`);
        }
      });
    }
    if (onStatus || statusTask) this.listen();
  }

  /** Tells that a task has started. Returns a function that tells of its end. */
  task(work: Work, member: Member | undefined, task: TaskRef<unknown>): { info: WorkInfo; ended: (end: TaskEnd) => void } {
    const info = this.infoOf(work, member, this.#clock.wall(), task);
    const { id } = info;
    this.#events.emit({ kind: 'task-created', id, info });
    return { info, ended: (end) => this.#events.emit({ kind: 'task-ended', id, info, end }) };
  }

  item(name: string, index: number, item: unknown, end: TaskEnd, worker: WorkerInfo | undefined): void {
    this.#events.emit({ kind: 'item-ended', name, index, item, worker: worker?.name ?? '', host: worker?.hostName ?? '', end });
  }

  /** The tasks and calls under way, as the events that began them; their ends will be told. */
  present(members: Iterable<Member>): Change[] {
    const all = [...members].flatMap((member) => [...member.tasks.values(), ...this.underWay(member)]);
    return [...new Map(all.map((info) => [info.id, info])).values()].map((info) => ({ kind: 'task-created', id: info.id, info }));
  }

  /** The calls that are under way on a worker. */
  underWay(member: Member): WorkInfo[] {
    const age = this.#clock.wall() - this.#clock.now();
    return [...member.inFlight].flatMap(({ work, since }) => {
      if (!isTold(work)) return [];
      const info = this.#begun.get(work) ?? this.infoOf(work, member, since + age, undefined);
      if (this.#listens) this.#begun.set(work, info);
      return [info];
    });
  }

  infoOf(work: Work, member: Member | undefined, startTime: number, task: TaskRef<unknown> | undefined): WorkInfo {
    const { job, args } = work;
    return {
      id: this.#idOf(work),
      name: job.label,
      args,
      worker: member?.info.name ?? '',
      host: member?.info.hostName ?? '',
      startTime: Math.round(startTime),
      io: isBeside(work),
      task: task as TaskRef<never> | undefined,
    };
  }

  #work({ work, member, end }: WorkChange): void {
    if (!isTold(work)) return;
    const begun = this.#begun.get(work);
    if (end) {
      if (!begun) return;
      this.#begun.delete(work);
      const { ok, value } = end;
      this.#events.emit({
        kind: 'task-ended',
        id: begun.id,
        info: begun,
        end: ok ? { kind: 'returned', value } : { kind: 'threw', error: toError(value) },
      });
    } else if (!begun) {
      const info = this.infoOf(work, member, this.#clock.wall(), undefined);
      this.#begun.set(work, info);
      this.#events.emit({ kind: 'task-created', id: info.id, info });
    }
  }

  #idOf(work: Work): number {
    const id = this.#ids.get(work) ?? this.#next++;
    this.#ids.set(work, id);
    return id;
  }
}

// Whether listeners are told of this work itself. A map's batches are only counted, and a task is told of once it has started.
function isTold({ kind }: Order): boolean {
  return kind === 'call' || kind === 'stream';
}
