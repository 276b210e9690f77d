// A worker process as its host sees it: what it is told, what it may use, what is heard of it, how it is ended.
import type { Conn } from '../../transport/index.ts';
import type { HostSettings, WorkerSettings } from '../settings.ts';

/** What a worker process is told before anything else, over its socket. */
export interface WorkerConfig extends WorkerSettings {
  readonly name: string;
  /** Where it is told to be: its host's location and its number. */
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

/** What a worker with all that it starts may use: of heap in MiB (its main thread), of memory in bytes, of processes (its own included). */
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
