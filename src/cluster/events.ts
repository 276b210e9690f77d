// Events: what a program is told of its hosts, workers and tasks. Each change comes once, a host's before its workers', the end last.
import { type Clock, Events, type Log, toError } from '../base/index.ts';
import type { Availability, HostFacts } from '../host/index.ts';
import type { TaskEnd, TaskRef } from '../kernel/index.ts';

/** A host of a client. Called `DispycosNodeInfo` in dispycos. */
export interface HostInfo extends HostFacts {
  /** Where the host can be reached. */
  readonly location: string;
  /** How much of the machine is free, as the host said last; undefined before its first pulse. */
  readonly availability: Availability | undefined;
}

/** A task or call of a client. Called `DispycosTaskInfo` in dispycos. */
export interface WorkInfo {
  /** The number by which `tasks()`, `task-created` and `task-ended` know this work; the same for all its tries. */
  readonly id: number;
  /** The function's name. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly worker: string;
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  /** Whether it runs beside others on its worker. */
  readonly io: boolean;
  /** The reference to a spawned task; undefined for a call. */
  readonly task: TaskRef<never> | undefined;
}

/** A change of a host. Called `NodeDiscovered` ... `NodeAbandoned` in dispycos. */
export type HostEvent =
  | {
      readonly kind: 'host-discovered' | 'host-initialized' | 'host-suspended' | 'host-resumed' | 'host-offline' | 'host-online';
      readonly host: string;
      readonly info: HostInfo;
    }
  /**
   * A host has left: `host-closed` on purpose, `host-lost` not so (`NodeAbandoned`, `NodeDisconnected`), `host-failed` as its setup threw;
   * or it is `host-ignored`, because no allocation takes it.
   */
  | {
      readonly kind: 'host-closed' | 'host-lost' | 'host-failed' | 'host-ignored';
      readonly host: string;
      readonly info: HostInfo;
      readonly reason: string;
    };

/** A change of a worker. Called `ServerDiscovered` ... `ServerAbandoned` in dispycos. */
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

/** A change of a task or a call. Called `TaskCreated` and `MonitorStatus` in dispycos. */
export type WorkEvent =
  | { readonly kind: 'task-created'; readonly id: number; readonly info: WorkInfo }
  | { readonly kind: 'task-ended'; readonly id: number; readonly info: WorkInfo; readonly end: TaskEnd }
  /** The end of one item of a map; told only with `itemStatus`. */
  | {
      readonly kind: 'item-ended';
      readonly name: string;
      readonly index: number;
      readonly item: unknown;
      /** The worker that ran the item; empty if none did. */
      readonly worker: string;
      readonly host: string;
      readonly end: TaskEnd;
    };

/** A change with its time (milliseconds since 1970) and its number in the order of changes. Called `DispycosStatus` in dispycos. */
export type ClusterEvent = Change & { readonly time: number; readonly sequence: number };

/** A change of a client, its hosts, workers and tasks. */
export type Change =
  | { readonly kind: 'client-scheduled' }
  | HostEvent
  | WorkerEvent
  | WorkEvent
  | { readonly kind: 'availability'; readonly host: string; readonly availability: Availability }
  /** The client has closed; no change follows this one. */
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

  /** Stamps earlier changes for a late listener. They bear the number of the latest change, so that all that follow are newer. */
  again(changes: readonly Change[]): ClusterEvent[] {
    return changes.map((change) => this.#stamped(change));
  }

  #stamped(change: Change): ClusterEvent {
    return { ...change, time: Math.round(this.#clock.wall()), sequence: this.#told };
  }
}
