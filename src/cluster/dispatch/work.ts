// Work, as it is given to workers: an order, the promise to its caller, and how far it is.
//
//   WK1. Work is made here only, by newWork or newCall, and says its kind; no code guesses the kind from anything else.
//   WK2. Its state changes by `move` only, which tells the caller that asked to hear of it.
import type { RuntimeId } from '../../base/index.ts';
import type { WorkerInfo } from '../../host/index.ts';
import type { Pending, TaskRef } from '../../kernel/index.ts';
import type { WorkInfo } from '../events.ts';
import { means } from '../where.ts';
import { type Estimate, newEstimate } from './estimate.ts';
import { Flights, type Linked } from './flights.ts';
import type { Job } from './job.ts';
import { type BatchOrder, type CallOrder, type Order, RETRIES } from './order.ts';
import { Tally } from './tally.ts';

/** How a worker was lost. */
export interface Loss {
  readonly worker: string;
  readonly reason: string;
  readonly lastLines: readonly string[];
  readonly what: 'worker' | 'host';
  /** The worker was ended on purpose: no work that ran there is to blame. */
  readonly blameless?: boolean;
  /** The number of a task for whose sake the worker was ended: it outlived its termination. */
  readonly terminated?: number | undefined;
}

/** How far work is. */
export type WorkState = { readonly kind: 'new' } | { readonly kind: 'waiting' } | Flight | { readonly kind: 'done' };

/** The promise to the caller that gave an order. */
export interface Promised {
  /** Takes the one outcome. */
  settle(ok: boolean, value: unknown, member: Member | undefined): void;
  /** Hears of each change of the work's state. */
  moved?(state: WorkState): void;
}

/** The promise to a map about its items. */
export interface PromisedItems extends Promised {
  /** Hears that the items' worker was lost: the map gives new orders for them, or settles them. Returns whether it gave new ones. */
  lost(loss: Loss, running: boolean): boolean;
}

/** How far some work is, and what it has cost. */
export interface Standing {
  state: WorkState;
  /** How many workers were lost while this work ran: it may be to blame. */
  strikes: number;
  /** The work was under way on a lost worker: it runs with nothing ahead of it or behind it, so that only the guilty work is blamed. */
  suspect?: boolean | undefined;
}

type PromisedOf<O extends Order> = O extends BatchOrder ? PromisedItems : Promised;
type WorkOf<O extends Order> = O & Standing & { readonly promised: PromisedOf<O> };

/** Something to be done by one worker. */
export type Work = { [K in Order['kind']]: WorkOf<Extract<Order, { kind: K }>> }[Order['kind']];

const NEW: WorkState = Object.freeze({ kind: 'new' });

/** Makes work of any kind. WK1 */
export function newWork<O extends Order>(order: O, promised: PromisedOf<O>, strikes = 0, suspect = false): WorkOf<O> {
  const rest = { state: NEW, strikes, suspect, promised };
  return { ...order, ...rest };
}

// A call without options. There may be a million of them, so order and promise are one small object, and common values are the class's.
class PlainCall implements CallOrder, Standing, Promised {
  readonly job: Job;
  readonly args: readonly unknown[];
  state: WorkState = NEW;
  strikes = 0;
  declare suspect?: boolean | undefined;
  readonly #resolve: (value: unknown) => void;

  constructor(job: Job, args: readonly unknown[], resolve: (value: unknown) => void) {
    this.job = job;
    this.args = args;
    this.#resolve = resolve;
  }

  get kind(): 'call' {
    return 'call';
  }

  get weight(): number {
    return 1;
  }

  get io(): number {
    return 0;
  }

  get at(): undefined {
    return undefined;
  }

  get retries(): number {
    return RETRIES;
  }

  get promised(): Promised {
    return this;
  }

  // Rejects through `resolve`: a promise's two functions weigh more than the promise, so only one is kept.
  settle(ok: boolean, value: unknown): void {
    this.#resolve(ok ? value : Promise.reject(value));
  }
}

/** Changes the state of some work. WK2 */
export function move(work: Work, state: WorkState): void {
  work.state = state;
  work.promised.moved?.(state);
}

/** Makes a call without options. WK1 */
export function newCall(job: Job, args: readonly unknown[], resolve: (value: unknown) => void): Work {
  return new PlainCall(job, args, resolve);
}

/** Reasons to give a worker no work, though it is there. */
export const PAUSE = { SUSPENDED: 1, HOST_SUSPENDED: 2, OFFLINE: 4 } as const;

/** A worker as its client knows it. */
export interface Member {
  readonly info: WorkerInfo;
  /** The addresses of its host, by which the worker is reached, too. */
  readonly addresses: readonly string[];
  /** Work under way, in the order in which it was given. */
  readonly inFlight: Flights<Flight>;
  readonly defined: Set<number>;
  /** Tasks that run there, with what listeners are told of them. */
  readonly tasks: Map<TaskRef<unknown>, WorkInfo>;
  state: 'ready' | 'leaving' | 'lost';
  /** Bits of {@link PAUSE}: nothing more is given to it. */
  pause: number;
  /** Whether a task has the worker to itself. */
  alone: boolean;
  /** Calls that the worker was told to stop, and has not yet: it gets no work until then, because it may have to be ended. */
  readonly stopping: Set<number>;
  readonly time: Estimate;
  io: number;
  readonly tally: Tally;
  /** The flights under way when the worker was lost, in order, the running one first. */
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
    time: newEstimate(),
    io: 0,
    tally: new Tally(),
    losing: [],
  };
}

/** A flight: one work under way on one worker, found by the worker's answer. One work may have two: the first answer counts. */
export class Flight implements Pending, Linked<Flight> {
  readonly kind = 'running';
  readonly peer: RuntimeId;
  readonly member: Member;
  readonly work: Work;
  readonly #hear: (flight: Flight, ok: boolean, value: unknown) => void;
  call = 0;
  /** When the work was given to the worker, by the clock. */
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

/** Tells that some work begins on a worker, or ends with an outcome. */
export interface WorkChange {
  readonly work: Work;
  readonly member: Member | undefined;
  readonly end?: { readonly ok: boolean; readonly value: unknown };
}

/** Whether a place's name means this worker, or its host. */
export function isAt({ info, addresses }: Member, at: string): boolean {
  return at === info.hostName || at === info.name || means(at, info.hostName, addresses) || means(at, info.name, addresses, info.slot);
}

/** How much runs on a worker beside other work. */
export function besides({ io, tasks }: Member): number {
  return io + tasks.size;
}

/** Whether a flight is the only work of its worker. */
export function isAlone({ member }: Flight): boolean {
  return member.inFlight.size === 1 && member.tasks.size === 0;
}

/** Whether a worker has some work: one that was silent may have work that others were given, too. */
export function isUnderWay(work: Work, { inFlight }: Member): boolean {
  for (const flight of inFlight) if (flight.work === work) return true;
  return false;
}
