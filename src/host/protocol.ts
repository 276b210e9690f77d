// What hosts, workers, clients and the scheduler say to each other, beside calls.
import type { RuntimeId } from '../base/index.ts';

/** Worker places of a host, granted to a client. A worker obeys the newest epoch. */
export interface Assignment {
  readonly client: RuntimeId;
  readonly slots: readonly number[];
  readonly epoch: number;
  /** The client says itself when its workers may start: it sets the host up first. */
  readonly hold?: boolean;
}

/** What a machine has. Bytes. */
export interface HostFacts {
  readonly name: string;
  /** `type-release-machine-node-version`, as `linux-6.1.0-x86_64-node-v20.19.0`. */
  readonly platform: string;
  readonly workers: number;
  readonly cores: number;
  readonly memory: number;
  /** Of the disk where the host keeps its files. */
  readonly disk: number;
  readonly swap: number;
}

/** How much of a machine is free at a moment: percent of its processors, bytes of the rest. Called `DispycosNodeAvailInfo` in dispycos. */
export interface Availability {
  /** Percent. */
  readonly cpu: number;
  readonly memory: number;
  /** Where the host keeps its files. */
  readonly disk: number;
  readonly swap: number;
  /** The system's load average of a minute; 0 where there is none. */
  readonly load: number;
}

/** What a host offers. */
export interface Offer {
  readonly facts: HostFacts;
  readonly addresses: readonly string[];
  /** False: what runs goes on, nothing more is taken. */
  readonly open: boolean;
  /** It works for so many clients at a time; for any number if absent. */
  readonly clients?: number | undefined;
  /** What it has granted already: the truth for a scheduler that was restarted. */
  readonly held: readonly Assignment[];
}

/** A worker place at a moment. */
export interface SlotReport {
  readonly slot: number;
  readonly client: RuntimeId;
  readonly pid: number;
  /** Calls that run, and tasks. */
  readonly running: number;
  readonly tasks: number;
  /** Milliseconds since it last had work. */
  readonly idleMs: number;
}

/** What a host tells its scheduler at every pulse. */
export interface HostPulse {
  readonly availability: Availability;
  readonly slots: readonly SlotReport[];
}

/** A worker as its client knows it. */
export interface WorkerInfo {
  readonly id: RuntimeId;
  /** `HOST/N`. */
  readonly name: string;
  readonly host: RuntimeId;
  readonly hostName: string;
  readonly slot: number;
  readonly epoch: number;
  readonly pid: number;
  readonly addresses: readonly string[];
}

/** Nothing was done at these places, as far as is known: their client gives those back where that is so, until it has work again. */
export interface IdlePlaces {
  readonly kind: 'idle';
  readonly host: RuntimeId;
  readonly slots: readonly number[];
  readonly reason: string;
}

/** From a host to a client, at its client door. */
export type HostNotice =
  | IdlePlaces
  | { readonly kind: 'worker-ready'; readonly worker: WorkerInfo }
  | {
      readonly kind: 'worker-ended';
      readonly worker: RuntimeId;
      readonly name: string;
      readonly reason: string;
      readonly lastLines: readonly string[];
      /** The other work there is not to blame. */
      readonly blameless: boolean;
      /** The number of a task that outlived its termination. */
      readonly terminated: number | undefined;
    }
  | { readonly kind: 'worker-failed'; readonly name: string; readonly reason: string }
  /** The host has ended a worker on purpose, and what of its place. */
  | { readonly kind: 'worker-closed'; readonly worker: RuntimeId; readonly name: string; readonly slot: number; readonly reason: string }
  /** All that the client had here, by this tenancy, is gone. */
  | { readonly kind: 'dismissed'; readonly tenancy: number; readonly reason: string }
  /** The host wants to be left: nothing more is to be begun there; `forGood`: nor ever again. */
  | { readonly kind: 'host-leaving'; readonly reason: string; readonly forGood: boolean }
  | { readonly kind: 'availability'; readonly availability: Availability }
  | { readonly kind: 'output'; readonly worker: string; readonly stream: 'stdout' | 'stderr'; readonly text: string };

/** To the kernel's thread of a worker. */
export type WorkerOrder =
  /** A call, asked at a door, is to settle soon. */
  | { readonly kind: 'cancel'; readonly call: number; readonly port: number }
  /** Interrupts all that runs, and ends the process when it has ended, or after the grace period. */
  | { readonly kind: 'interrupt'; readonly reason: string };

/** From a worker to its host: it ends itself, for a reason that is no fault of the other work there. */
export interface WorkerDies {
  readonly kind: 'dies';
  readonly reason: string;
  /** The task that outlived its termination, if that is why. */
  readonly task: number | undefined;
}

/** From a worker to its host: what it does. */
export interface WorkerLoad {
  readonly kind: 'load';
  readonly running: number;
  readonly tasks: number;
  readonly done: number;
}
