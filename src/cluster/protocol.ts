// What clients and workers say to each other, and clients and the scheduler.
import type { RuntimeId } from '../base/index.ts';
import type { Shipped } from '../code/index.ts';

/** From a client to a worker, before the first call of a function. */
export interface Define {
  readonly kind: 'define';
  readonly fn: number;
  readonly shipped: Shipped;
}

/** What a batch of `map` items came to. */
export interface BatchOutcome {
  readonly values: readonly unknown[];
  /** Which items failed, and how. */
  readonly failed: readonly (readonly [index: number, error: unknown])[];
  /** Milliseconds of work. */
  readonly elapsed: number;
}

/** From a worker to its client, at its client door. */
export type WorkerNotice =
  | { readonly kind: 'item'; readonly call: number; readonly value: unknown }
  | {
      readonly kind: 'progress';
      readonly call: number;
      readonly done: number;
      readonly total: number | undefined;
      readonly note: string | undefined;
    };

/** To the kernel thread of a worker. */
export type WorkerOrder = { readonly kind: 'cancel'; readonly call: number } | { readonly kind: 'kill'; readonly reason: string };

/** From the scheduler to a client, at its client door. */
export type SchedulerNotice =
  | {
      readonly kind: 'grant';
      readonly host: RuntimeId;
      readonly hostName: string;
      readonly addresses: readonly string[];
      readonly slots: readonly number[];
      readonly epoch: number;
    }
  | { readonly kind: 'revoke'; readonly host: RuntimeId; readonly slots: readonly number[] };

/** From the scheduler to a host, at its host door. */
export interface AssignNotice {
  readonly kind: 'assign';
  readonly client: RuntimeId;
  readonly slots: readonly number[];
  readonly epoch: number;
}

/** What a client asks of the scheduler. */
export interface Wish {
  readonly name: string;
  /** At most so many workers; all that it may have if absent. */
  readonly workers: number | undefined;
  readonly weight: number;
  /** What it has been granted already. */
  readonly held: readonly { readonly host: RuntimeId; readonly slots: readonly number[]; readonly epoch: number }[];
}

/** What a client has done, as it reports it. */
export interface Counters {
  readonly done: number;
  readonly failed: number;
  readonly retried: number;
  readonly waiting: number;
  readonly running: number;
}

/** A cluster as the scheduler sees it. */
export interface ClusterStatus {
  readonly scheduler: string;
  readonly hosts: readonly {
    readonly id: RuntimeId;
    readonly name: string;
    readonly addresses: readonly string[];
    readonly workers: number;
    readonly granted: number;
  }[];
  readonly clients: readonly {
    readonly id: RuntimeId;
    readonly name: string;
    readonly workers: number;
    readonly wants: number | undefined;
    readonly counters: Counters | undefined;
  }[];
}
