// Reports of a client about its hosts and workers, for a program that asks.
import type { Counts } from '../dispatch/tally.ts';
import type { HostInfo } from '../events.ts';

/** A host as a client sees it. */
export interface HostReport extends HostInfo {
  readonly state: 'discovered' | 'initialized' | 'suspended' | 'offline' | 'leaving';
  /** Places that were granted there, whether their workers are ready or not. */
  readonly granted: number;
  readonly ready: number;
  /** How much its workers were given, and how that ended; workers of the past are included. */
  readonly counts: Counts;
}

/** A worker as a client sees it. */
export interface WorkerReport {
  readonly name: string;
  readonly host: string;
  /** `tcp://HOST:PORT/N`, or the worker's name if it cannot be dialled. */
  readonly location: string;
  readonly state: 'ready' | 'leaving' | 'lost' | 'suspended' | 'offline' | 'gone';
  readonly pid: number;
  /** Calls and items that it finished. */
  readonly done: number;
  /** How much it was given, and how that ended. */
  readonly counts: Counts;
  /** How often it was lost. */
  readonly lost: number;
  /** Calls and batches that it was given, and tasks that run there. */
  readonly running: number;
  readonly tasks: number;
}
