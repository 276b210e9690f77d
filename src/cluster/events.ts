// What a client is told of its hosts, workers and tasks. Each change once, a host's before its workers', the end last.
import { type Clock, Events, type Log, toError } from '../base/index.ts';
import type { Availability, HostFacts } from '../host/index.ts';
import type { TaskEnd, TaskRef } from '../kernel/index.ts';

/** A host of a client. Called `DispycosNodeInfo` in dispycos. */
export interface HostInfo extends HostFacts {
  /** Where it can be reached. */
  readonly location: string;
  /** How much of it is free, as it said last; undefined before its first pulse. */
  readonly availability: Availability | undefined;
}

/** A task or call of a client. Called `DispycosTaskInfo` in dispycos. */
export interface WorkInfo {
  /** What `tasks()`, `task-created` and `task-ended` know it by: one number for all its tries. */
  readonly id: number;
  /** The function's name. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly worker: string;
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  /** Runs beside others on its worker. */
  readonly io: boolean;
  /** The reference to a spawned task; undefined for a call. */
  readonly task: TaskRef<never> | undefined;
}

/** What happens to a host. Called `NodeDiscovered` ... `NodeAbandoned` in dispycos. */
export type HostEvent =
  | {
      readonly kind: 'host-discovered' | 'host-initialized' | 'host-suspended' | 'host-resumed' | 'host-offline' | 'host-online';
      readonly host: string;
      readonly info: HostInfo;
    }
  /** Left: `host-closed` on purpose; `host-lost` without (`NodeAbandoned`, `NodeDisconnected`); `host-failed` when its set-up threw; `host-ignored` when no allocation takes it. */
  | {
      readonly kind: 'host-closed' | 'host-lost' | 'host-failed' | 'host-ignored';
      readonly host: string;
      readonly info: HostInfo;
      readonly reason: string;
    };

/** What happens to a worker. Called `ServerDiscovered` ... `ServerAbandoned` in dispycos. */
export type WorkerEvent =
  | {
      readonly kind: 'worker-discovered' | 'worker-initialized' | 'worker-suspended' | 'worker-resumed';
      readonly worker: string;
      readonly host: string;
      readonly location: string;
    }
  | {
      readonly kind: 'worker-closed' | 'worker-failed';
      readonly worker: string;
      readonly host: string;
      readonly location: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'worker-lost';
      readonly worker: string;
      readonly host: string;
      readonly location: string;
      readonly reason: string;
      readonly retried: number;
    };

/** What happens to a task or a call. Called `TaskCreated` and `MonitorStatus` in dispycos. */
export type WorkEvent =
  | { readonly kind: 'task-created'; readonly id: number; readonly info: WorkInfo }
  | { readonly kind: 'task-ended'; readonly id: number; readonly info: WorkInfo; readonly end: TaskEnd }
  /** Only with `itemStatus`. */
  | {
      readonly kind: 'item-ended';
      readonly name: string;
      readonly index: number;
      readonly item: unknown;
      /** Where it ran; empty if it did not. */
      readonly worker: string;
      readonly host: string;
      readonly end: TaskEnd;
    };

/** A change that a client is told of: when (milliseconds since 1970), and the how manieth. Called `DispycosStatus` in dispycos. */
export type ClusterEvent = Change & { readonly time: number; readonly sequence: number };

/** What happens to a client, its hosts, workers and tasks. */
export type Change =
  | { readonly kind: 'client-scheduled' }
  | HostEvent
  | WorkerEvent
  | WorkEvent
  | { readonly kind: 'availability'; readonly host: string; readonly availability: Availability }
  /** The last of all. */
  | { readonly kind: 'client-closed'; readonly reason: string };

/** A line that a worker printed, or logged. */
export interface OutputLine {
  readonly worker: string;
  readonly stream: 'stdout' | 'stderr' | 'log';
  readonly text: string;
}

/** The events of one client. */
export class Telling extends Events<ClusterEvent> {
  readonly #clock: Clock;
  #told = 0;

  constructor(clock: Clock, log: Log) {
    super((error) => log.error(`A listener of events threw: ${toError(error).message}`));
    this.#clock = clock;
  }

  override emit(change: Change): void {
    this.#told++;
    if (this.size > 0) super.emit(this.#stamped(change));
  }

  /** Changes of before, for who comes later: each with the number of the last one told, so that those that follow are newer. */
  again(changes: readonly Change[]): ClusterEvent[] {
    return changes.map((change) => this.#stamped(change));
  }

  #stamped(change: Change): ClusterEvent {
    return { ...change, time: Math.round(this.#clock.wall()), sequence: this.#told };
  }
}
