// What is given to workers: one call, one batch of map items, one stream, one task.
import type { RuntimeId } from '../base/index.ts';
import type { Shipped } from '../code/index.ts';
import type { WorkerInfo } from '../host/index.ts';

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

/** How a worker came to leave. */
export interface Loss {
  readonly worker: string;
  readonly reason: string;
  readonly lastLines: readonly string[];
  readonly what: 'worker' | 'host';
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
  state:
    | { readonly kind: 'waiting' }
    | { readonly kind: 'running'; readonly member: Member; readonly call: number }
    | { readonly kind: 'done' };
  /** Hears the one outcome. */
  settle(ok: boolean, value: unknown, member: Member | undefined): void;
  /** It was under way on a worker that was lost: put it back, in its own way, or settle it. True if it was put back. */
  lost?(loss: Loss, running: boolean): boolean;
}

/** A worker as its client knows it. */
export interface Member {
  readonly info: WorkerInfo;
  readonly inFlight: Set<Work>;
  readonly defined: Set<number>;
  /** Work of a kind that has the worker for itself. */
  alone: boolean;
  state: 'ready' | 'leaving' | 'lost';
  queuedMs: number;
  io: number;
  done: number;
  windowStart: number;
  windowCount: number;
  /** What was under way when it was lost, in order, the running one first. */
  readonly losing: Work[];
}

/** A worker that has done nothing yet. */
export function newMember(info: WorkerInfo): Member {
  return {
    info,
    inFlight: new Set(),
    defined: new Set(),
    alone: false,
    state: 'ready',
    queuedMs: 0,
    io: 0,
    done: 0,
    windowStart: 0,
    windowCount: 0,
    losing: [],
  };
}
