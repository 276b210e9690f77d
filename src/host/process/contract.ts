// A worker process as its host sees it: what it is told, what it may use, what is heard of it, how it is ended.
import type { Conn } from '../../transport/index.ts';
import type { HostSettings, WorkerSettings } from '../settings.ts';

/** The configuration of a worker process: the first that it is told, over its socket. */
export interface WorkerConfig extends WorkerSettings {
  readonly name: string;
  /** The location that the worker tells of itself: its host's, and its number. */
  readonly location: string;
  readonly secret: string;
  readonly folder: string;
  readonly cwd: string;
  readonly listen: readonly string[];
  readonly advertise: string | undefined;
  readonly pulse: number;
  readonly host: string;
  readonly slot: number;
  /** Milliseconds that interrupted work has before it is killed. */
  readonly graceMs: number;
  /** Where packages installed on this machine are looked for. */
  readonly packages: string;
}

/** The limits of a worker with all that it starts: heap in MiB (its main thread), memory in bytes, processes (its own included). */
export type WorkerLimits = Pick<HostSettings, 'heap' | 'memory' | 'processes'>;

/** Hears of a worker process. `ended` is called exactly once. */
export interface ChildHandler {
  output(stream: 'stdout' | 'stderr', text: string): void;
  /** Asked after output: resolves when more may come; undefined if it may at once. */
  untilRoom(): Promise<void> | undefined;
  ended(reason: string, lastLines: readonly string[]): void;
}

/** A process that was started. */
export interface Launched {
  readonly pid: number;
  /** The connection on which it greets. */
  readonly conn: Conn;
  /** Ends it and its descendants, now. Resolves when it is gone. */
  kill(reason: string): Promise<void>;
}
