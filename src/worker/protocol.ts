// The words between a worker and those whose code it runs: requests at its doors, and what it asks and tells in return.
import { anything, flag, type Kind, list, listOf, optional, record, string, whole } from '../base/index.ts';
import type { Shipped } from '../code/index.ts';
import { door, type TaskRef, workDoor } from '../kernel/index.ts';

/** From a client to a worker, before the first call of a function: its number, and where its code is. */
export interface Define {
  readonly kind: 'define';
  readonly fn: number;
  readonly shipped: Shipped;
}

/** The outcome of a batch of `map` items. */
export interface BatchOutcome {
  readonly values: readonly unknown[];
  /** The items that failed, each with its error. */
  readonly failed: readonly (readonly [index: number, error: unknown])[];
  /** Milliseconds of work. */
  readonly elapsed: number;
}

/** From a worker to the client that has it work. */
export type WorkerNotice =
  | { readonly kind: 'item'; readonly call: number; readonly value: unknown }
  | {
      readonly kind: 'progress';
      readonly call: number;
      readonly done: number;
      readonly total: number | undefined;
      readonly note: string | undefined;
    }
  | { readonly kind: 'log'; readonly text: string }
  /** A call that was cancelled has ended, or will not begin. */
  | { readonly kind: 'stopped'; readonly call: number };

/** The reader of a stream has taken so many values, and has room for as many more. */
export interface Taken {
  readonly kind: 'taken';
  readonly call: number;
  readonly more: number;
}

const count = whole(0, Number.MAX_SAFE_INTEGER);
const shipped = record<Shipped>({ label: string, unit: string, name: string, path: listOf(string), package: optional(string) });
const batch: Kind = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(Array.isArray) ? undefined : 'items, and arguments for each';

/** Calls, one at a time. Functions are defined here, for all the doors at which they are asked by number. */
export const CALLS = workDoor<Define>('calls', 32, list, { define: { fn: count, shipped } });
/** Batches of `map` items, in turn with calls. */
export const BATCH = workDoor('batch', 33, batch);
/** Calls that mostly wait, and run beside others. */
export const IO = workDoor('io', 34);
/** Calls of generators: their values are told at the caller's door. */
export const STREAM = workDoor<Taken>('stream', 35, list, { taken: { call: count, more: count } });

/** Requests to start tasks, and to prepare what calls need beforehand. */
export interface TasksDoor {
  spawn(fn: number, args: readonly unknown[]): TaskRef<unknown, unknown>;
  /** Lets objects of the classes that units export travel. */
  classes(units: readonly string[]): void;
  /** Runs a set-up; the value that a host's set-up returns is kept for all workers there. */
  setUp(fn: number, args: readonly unknown[], ofHost: boolean): void;
}

export const TASKS = door<TasksDoor>('tasks', 36, {
  spawn: [count, list],
  classes: [listOf(string)],
  setUp: [count, list, flag],
});

/** The requests of a worker to the client that has it work. */
export interface CallerDoor {
  closeWorker(options: { readonly terminate: boolean; readonly restart: boolean }): void;
  closeHost(options: { readonly terminate: boolean }): void;
}

export const CALLER = door<CallerDoor, WorkerNotice>(
  'caller',
  37,
  {
    closeWorker: [record<{ terminate: boolean; restart: boolean }>({ terminate: flag, restart: flag })],
    closeHost: [record<{ terminate: boolean }>({ terminate: flag })],
  },
  {
    item: { call: count, value: anything },
    progress: { call: count, done: anything, total: anything, note: anything },
    log: { text: string },
    stopped: { call: count },
  },
);
