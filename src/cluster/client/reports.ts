// What a client says of its hosts and workers when it is asked.
import type { Counts } from '../dispatch/tally.ts';
import type { HostInfo } from '../events.ts';

/** A host as a client sees it. */
export interface HostReport extends HostInfo {
  readonly state: 'discovered' | 'initialized' | 'suspended' | 'offline' | 'leaving';
  /** Worker places that were granted there, and workers that are ready. */
  readonly granted: number;
  readonly ready: number;
  /** What its workers were given, those of before included. */
  readonly counts: Counts;
}

/** A worker as a client sees it. */
export interface WorkerReport {
  readonly name: string;
  readonly host: string;
  /** `tcp://HOST:PORT/N`, or its name where it cannot be dialled. */
  readonly location: string;
  readonly state: 'ready' | 'leaving' | 'lost' | 'suspended' | 'offline' | 'gone';
  readonly pid: number;
  /** Calls and items that it finished. */
  readonly done: number;
  /** What it was given, and what became of that. */
  readonly counts: Counts;
  /** How often it was lost. */
  readonly lost: number;
  /** Calls and batches that it was given, and tasks that run there. */
  readonly running: number;
  readonly tasks: number;
}
