// The words between a host and its scheduler, clients and workers: requests at its door, and messages in both directions.
import {
  flag,
  label,
  listOf,
  measure,
  number,
  oneOf,
  optional,
  type RuntimeId,
  record,
  runtimeId,
  short,
  string,
  whole,
} from '../base/index.ts';
import type { UnitHead } from '../code/index.ts';
import { door } from '../kernel/index.ts';

/** Worker places of a host, granted to a client. A worker obeys the newest epoch. */
export interface Assignment {
  readonly client: RuntimeId;
  readonly slots: readonly number[];
  readonly epoch: number;
  /** Workers do not start before the client says so, because it sets the host up first. */
  readonly hold?: boolean;
}

/** The facts of a host's machine; sizes in bytes. */
export interface HostFacts {
  readonly name: string;
  /** `type-release-machine-node-version`, as `linux-6.1.0-x86_64-node-v20.19.0`. */
  readonly platform: string;
  readonly workers: number;
  readonly cores: number;
  readonly memory: number;
  /** The size of the disk where the host keeps its files. */
  readonly disk: number;
  readonly swap: number;
}

/** How much of a machine is free at a moment: percent of its processors, bytes of the rest. Called `DispycosNodeAvailInfo` in dispycos. */
export interface Availability {
  /** Percent. */
  readonly cpu: number;
  readonly memory: number;
  /** The free bytes of the disk where the host keeps its files. */
  readonly disk: number;
  readonly swap: number;
  /** The system's load average of a minute; 0 where there is none. */
  readonly load: number;
}

/** A host's offer to a scheduler. */
export interface Offer {
  readonly facts: HostFacts;
  readonly addresses: readonly string[];
  /** If false, running work goes on, and no new client is taken. */
  readonly open: boolean;
  /** The most clients that the host works for at a time; any number if absent. */
  readonly clients?: number | undefined;
  /** The grants that hold now. A scheduler that was restarted learns from them who has what. */
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

/** A host's report to its scheduler, at every pulse. */
export interface HostPulse {
  readonly availability: Availability;
  readonly slots: readonly SlotReport[];
}

/** A worker as its client knows it. */
export interface WorkerInfo {
  readonly id: RuntimeId;
  /** `HOST/N`, or the name that its tenant gave to a process beside places. */
  readonly name: string;
  readonly host: RuntimeId;
  readonly hostName: string;
  /** The number of its place; less than 0 beside places. */
  readonly slot: number;
  readonly epoch: number;
  readonly pid: number;
  readonly addresses: readonly string[];
}

/** These places seem idle to their host. Only their client is certain: it gives those back that are, until it has work again. */
export interface IdlePlaces {
  readonly kind: 'idle';
  readonly host: RuntimeId;
  readonly slots: readonly number[];
  readonly reason: string;
}

/** From a host to a client, at its tenant door. */
export type HostNotice =
  | IdlePlaces
  | { readonly kind: 'worker-ready'; readonly worker: WorkerInfo }
  | {
      readonly kind: 'worker-ended';
      readonly worker: RuntimeId;
      readonly name: string;
      readonly reason: string;
      readonly lastLines: readonly string[];
      /** Whether the other work there is not to blame. */
      readonly blameless: boolean;
      /** The number of a task that outlived its termination. */
      readonly terminated: number | undefined;
    }
  | { readonly kind: 'worker-failed'; readonly name: string; readonly reason: string }
  /** The host has ended a worker on purpose. */
  | { readonly kind: 'worker-closed'; readonly worker: RuntimeId; readonly name: string; readonly slot: number; readonly reason: string }
  /** All that the client had here, by this tenancy, is gone. */
  | { readonly kind: 'dismissed'; readonly tenancy: number; readonly reason: string }
  /** The host asks the client to leave: nothing more may begin there; `forGood`: nor ever again. */
  | { readonly kind: 'host-leaving'; readonly reason: string; readonly forGood: boolean }
  | { readonly kind: 'availability'; readonly availability: Availability }
  | { readonly kind: 'output'; readonly worker: string; readonly stream: 'stdout' | 'stderr'; readonly text: string };

/** From a worker to its host: it ends itself, for a reason that is no fault of the other work there. */
export interface WorkerDies {
  readonly kind: 'dies';
  readonly reason: string;
  /** The task that outlived its termination, if that is why. */
  readonly task: number | undefined;
}

/** From a worker to its host: how many calls and tasks run, and how many are done. */
export interface WorkerLoad {
  readonly kind: 'load';
  readonly running: number;
  readonly tasks: number;
  readonly done: number;
}

/** The most workers of a host. */
export const MOST_WORKERS = 4_096;
const MOST_EPOCH = 2 ** 52;
const count = whole(0, Number.MAX_SAFE_INTEGER);
const slot = whole(0, MOST_WORKERS);

// Place 0 belongs to the process that sets the host up; numbers below it are those of processes beside places.
const beside = whole(Number.MIN_SAFE_INTEGER, -1);
const numbered = whole(Number.MIN_SAFE_INTEGER, MOST_WORKERS);
const slots = listOf(slot);
const addresses = listOf(short);
const epoch = whole(0, MOST_EPOCH);

const facts = record<HostFacts>({
  name: label,
  platform: string,
  workers: whole(1, MOST_WORKERS),
  cores: measure,
  memory: measure,
  disk: measure,
  swap: measure,
});

const availability = record<Availability>({ cpu: measure, memory: measure, disk: measure, swap: measure, load: measure });

const assignment = record<Assignment>({ client: runtimeId, slots, epoch, hold: optional(flag) });

const offer = record<Offer>({
  facts,
  addresses,
  open: flag,
  clients: optional(whole(1, MOST_WORKERS)),
  held: listOf(assignment),
});

const report = record<SlotReport>({ slot, client: runtimeId, pid: measure, running: measure, tasks: measure, idleMs: measure });
const idlePlaces = { host: runtimeId, slots, reason: string };

/** The kinds of values that tell of hosts, by which other doors check theirs. */
export const HOST_KINDS = { slots, addresses, epoch, facts, availability, offer, report, idlePlaces } as const;

/** The requests of schedulers and clients to a host. */
export interface HostDoor {
  /** Gives places to a client; only the host's scheduler may. */
  assign(assignment: Assignment): void;
  /** The asker wants to be the host's scheduler. */
  enlist(): Offer;
  /** The addresses of the shared scheduler that has the host; none if it has none. */
  owner(): readonly string[];
  /** A client has nothing here any more; only the host's scheduler may. */
  dismiss(client: RuntimeId): void;
  /** Takes back places that a client knows nothing of; returns those that it does not hold. Only the host's scheduler may. */
  withdraw(client: RuntimeId, slots: readonly number[], epoch: number): readonly number[];
  /** A client with a grant is here, and tells its pulse in ms; returns the pulse that is agreed, and the number of this stay. */
  attach(pulse: number): { readonly pulse: number; readonly tenancy: number };
  /** Names units of code; returns the hashes of those whose text is to be put. */
  provide(units: readonly UnitHead[]): readonly string[];
  put(hash: string, text: string): void;
  install(name: string): void;
  /** Starts the process that sets the host up; `prepared` ends it when that is done. */
  prepare(): void;
  prepared(): void;
  /** The workers of these places may start. */
  begin(slots: readonly number[]): void;
  release(slots: readonly number[]): void;
  close(slot: number, restart: boolean): void;
  interrupt(slot: number, reason: string, restart: boolean): void;
  /** The client leaves. */
  detach(): void;
  /** Starts a process of the asker's own, beside the places that are granted; nobody needs to have granted it anything. */
  start(name: string): WorkerInfo;
  /** Ends such a process, by its number; answered when it is gone, and all that it printed is on its way. */
  end(number: number, reason: string): void;
}

/** The messages of workers to their host. */
export type HostHears = WorkerLoad | WorkerDies;

export const HOST = door<HostDoor, HostHears>(
  'host',
  16,
  {
    assign: [assignment],
    enlist: [],
    owner: [],
    dismiss: [runtimeId],
    withdraw: [runtimeId, slots, epoch],
    attach: [number(0)],
    provide: [listOf(record<UnitHead>({ name: string, hash: string, externals: listOf(string) }))],
    put: [string, string],
    install: [string],
    prepare: [],
    prepared: [],
    begin: [slots],
    release: [slots],
    close: [slot, flag],
    interrupt: [slot, string, flag],
    detach: [],
    start: [label],
    end: [beside, string],
  },
  { load: { running: count, tasks: count, done: count }, dies: { reason: string, task: optional(count) } },
);

const worker = record<WorkerInfo>({
  id: runtimeId,
  name: string,
  host: runtimeId,
  hostName: string,
  slot: numbered,
  epoch,
  pid: measure,
  addresses,
});

/** The door of a tenant, at which a host tells it of its workers and of its processes beside places. */
export const TENANT = door<object, HostNotice>(
  'tenant',
  17,
  {},
  {
    idle: idlePlaces,
    'worker-ready': { worker },
    'worker-ended': {
      worker: runtimeId,
      name: string,
      reason: string,
      lastLines: listOf(string),
      blameless: flag,
      terminated: optional(count),
    },
    'worker-failed': { name: string, reason: string },
    'worker-closed': { worker: runtimeId, name: string, slot: numbered, reason: string },
    dismissed: { tenancy: count, reason: string },
    'host-leaving': { reason: string, forGood: flag },
    availability: { availability },
    output: { worker: string, stream: oneOf('stdout', 'stderr'), text: string },
  },
);

/** An order to a worker. Its kernel side takes it, because user code may keep the other thread busy. */
export type WorkerOrder =
  /** A call, asked at a door, was cancelled, and must settle soon. */
  | { readonly kind: 'cancel'; readonly call: number; readonly port: number }
  /** Interrupts all that runs, and ends the process when all has ended, or after the grace period. */
  | { readonly kind: 'interrupt'; readonly reason: string };

/** The requests that the kernel side of a worker answers. */
export interface WorkerDoor {
  /** Keeps calls from beginning; returns those that will not begin. */
  recall(calls: readonly number[]): readonly number[];
}

/** The door of a worker's kernel side, for its host and its client. */
export const WORKER = door<WorkerDoor, WorkerOrder>(
  'worker',
  18,
  { recall: [listOf(count)] },
  { cancel: { call: count, port: count }, interrupt: { reason: string } },
);
