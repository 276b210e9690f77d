// What is given to workers: one call, one batch of map items, one stream, one task.
import type { RuntimeId } from '../../base/index.ts';
import type { Shipped } from '../../code/index.ts';
import type { WorkerInfo } from '../../host/index.ts';
import type { Pending, TaskRef } from '../../kernel/index.ts';
import type { WorkInfo } from '../events.ts';
import { means } from '../where.ts';
import { Tally } from './tally.ts';

type AnyFunction = (...args: never[]) => unknown;

/** A function as its client knows it. */
export interface Job {
  readonly id: number;
  readonly fn: AnyFunction;
  readonly label: string;
  shipped: Shipped | undefined;
  /** Milliseconds of one call or item, measured; unknown until the first is done. */
  serviceMs: number | undefined;
  /** Hosts that cannot run it, and why. */
  readonly refusedBy: Map<RuntimeId, Error>;
  /** Resolves when every host that is known has the code. */
  prepared: Promise<void> | undefined;
  ready: boolean;
}

/** A job whose code has not been looked for. Where a function without a name is written is known, and told, when it is shipped. */
export function newJob(id: number, fn: AnyFunction, label = fn.name): Job {
  return {
    id,
    fn,
    get label() {
      return label || this.shipped?.label || 'anonymous';
    },
    shipped: undefined,
    serviceMs: undefined,
    refusedBy: new Map(),
    prepared: undefined,
    ready: false,
  };
}

/** How a worker came to leave. */
export interface Loss {
  readonly worker: string;
  readonly reason: string;
  readonly lastLines: readonly string[];
  readonly what: 'worker' | 'host';
  /** It was ended on purpose: nothing that ran there is to blame. */
  readonly blameless?: boolean;
  /** A task that outlived its termination. */
  readonly terminated?: number | undefined;
}

/** Something to be done by one worker. */
export interface Work {
  readonly job: Job;
  readonly port: number;
  readonly method: unknown;
  readonly args: unknown;
  /** How many items it holds. */
  readonly weight: number;
  /** Runs beside others on a worker, at most so many at once; 0: alone, one at a time. */
  readonly io: number;
  /** Where it must run: the name of a host or of a worker. */
  readonly at: string | undefined;
  readonly retries: number;
  strikes: number;
  /** Was under way on a worker that was lost: runs with nothing ahead or behind it, so that only the guilty are blamed. */
  suspect?: boolean;
  state: { readonly kind: 'new' } | { readonly kind: 'waiting' } | Flight | { readonly kind: 'done' };
  /** Is an item of a map: counted, not told of. */
  readonly counted?: boolean;
  /** Hears the one outcome. */
  settle(ok: boolean, value: unknown, member: Member | undefined): void;
  /** It was under way on a worker that was lost: put it back, in its own way, or settle it. True if it was put back. */
  lost?(loss: Loss, running: boolean): boolean;
}

/** Why a worker is given nothing, though it is there. */
export const PAUSE = { SUSPENDED: 1, HOST_SUSPENDED: 2, OFFLINE: 4 } as const;

/** A worker as its client knows it. */
export interface Member {
  readonly info: WorkerInfo;
  /** Where its host can be reached, and it behind that. */
  readonly addresses: readonly string[];
  /** Work under way, in the order in which it was given. */
  readonly inFlight: Flights;
  readonly defined: Set<number>;
  /** Tasks that were started there and run, with what is told of them. */
  readonly tasks: Map<TaskRef<unknown>, WorkInfo>;
  state: 'ready' | 'leaving' | 'lost';
  /** Bits of {@link PAUSE}: nothing more is given to it. */
  pause: number;
  /** A task has it for itself. */
  alone: boolean;
  /** Calls that it was told to stop, and has not: it is given nothing more, for it may have to be ended. */
  readonly stopping: Set<number>;
  queuedMs: number;
  io: number;
  readonly tally: Tally;
  windowStart: number;
  windowCount: number;
  /** When the work at the head was seen to run. */
  headSince: number;
  /** What was under way when it was lost, in order, the running one first. */
  readonly losing: Flight[];
}

/** A worker that has done nothing yet. */
export function newMember(info: WorkerInfo, addresses: readonly string[] = []): Member {
  return {
    info,
    addresses,
    inFlight: new Flights(),
    defined: new Set(),
    tasks: new Map(),
    state: 'ready',
    pause: 0,
    alone: false,
    stopping: new Set(),
    queuedMs: 0,
    io: 0,
    tally: new Tally(),
    windowStart: 0,
    windowCount: 0,
    headSince: 0,
    losing: [],
  };
}

/** Work on its way: what a worker's answer finds, and the state of the work until then. There may be two of one work: the first answer counts. */
export class Flight implements Pending {
  readonly kind = 'running';
  readonly peer: RuntimeId;
  readonly member: Member;
  readonly work: Work;
  readonly #hear: (flight: Flight, ok: boolean, value: unknown) => void;
  call = 0;
  /** When it was given to the worker, by the clock. */
  since = 0;
  before: Flight | undefined;
  after: Flight | undefined;

  constructor(hear: (flight: Flight, ok: boolean, value: unknown) => void, member: Member, work: Work) {
    this.peer = member.info.id;
    this.member = member;
    this.work = work;
    this.#hear = hear;
  }

  settle(ok: boolean, value: unknown): void {
    this.#hear(this, ok, value);
  }
}

/** What is under way on one worker, in the order in which it was given. */
export class Flights implements Iterable<Flight> {
  size = 0;
  first: Flight | undefined;
  #last: Flight | undefined;

  add(flight: Flight): void {
    flight.before = this.#last;
    if (this.#last) this.#last.after = flight;
    else this.first = flight;
    this.#last = flight;
    this.size++;
  }

  has(flight: Flight): boolean {
    return flight.before !== undefined || this.first === flight;
  }

  delete(flight: Flight): boolean {
    if (!this.has(flight)) return false;
    const { before, after } = flight;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.#last = before;
    flight.before = undefined;
    flight.after = undefined;
    this.size--;
    return true;
  }

  *[Symbol.iterator](): Generator<Flight, void, void> {
    for (let flight = this.first; flight; flight = flight.after) yield flight;
  }
}

/** Whether a worker is, or is at, the place that is named. */
export function isAt({ info, addresses }: Member, at: string): boolean {
  return at === info.hostName || at === info.name || means(at, info.hostName, addresses) || means(at, info.name, addresses, info.slot);
}

/** How much runs on a worker beside other work. */
export function besides({ io, tasks }: Member): number {
  return io + tasks.size;
}

/** Whether nothing else is under way on the worker that has it. */
export function isAlone({ member }: Flight): boolean {
  return member.inFlight.size === 1 && member.tasks.size === 0;
}

/** Whether a worker has some work: one that was silent may have what others were given, too. */
export function isUnderWay(work: Work, { inFlight }: Member): boolean {
  for (const flight of inFlight) if (flight.work === work) return true;
  return false;
}
