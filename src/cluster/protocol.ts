// What is asked of schedulers and of clients, and told to them; where daemons listen.
import { atMost, flag, label, listOf, measure, number, optional, type RuntimeId, record, runtimeId, string, whole } from '../base/index.ts';
import {
  type Availability,
  HOST_KINDS,
  type HostFacts,
  type HostPulse,
  type IdlePlaces,
  MOST_WORKERS,
  type Offer,
  type SlotReport,
} from '../host/index.ts';
import { door } from '../kernel/index.ts';
import type { WorkerSlot } from './schedule/index.ts';

/** The port of a host, unless said otherwise. */
export const HOST_PORT = 9706;
/** The port of a scheduler, unless said otherwise. */
export const SCHEDULER_PORT = 9705;

/** From the scheduler to a client, at its client door. */
export type SchedulerNotice =
  /** Its turn has come. */
  | { readonly kind: 'admitted' }
  | {
      readonly kind: 'grant';
      readonly host: RuntimeId;
      readonly facts: HostFacts;
      readonly addresses: readonly string[];
      readonly slots: readonly number[];
      readonly epoch: number;
    }
  /** Nothing was done there: to be given back until there is work again. */
  | IdlePlaces
  /** Others need them: to be given back, or others instead of these hosts (of any, if absent) where less is under way. */
  | {
      readonly kind: 'revoke';
      readonly host: RuntimeId;
      readonly slots: readonly number[];
      readonly epoch: number;
      readonly among: readonly RuntimeId[] | undefined;
      /** How often that has been asked for. */
      readonly times: number;
    }
  /** What was asked back may stay. */
  | { readonly kind: 'keep'; readonly host: RuntimeId; readonly slots: readonly number[] }
  /** A host holds these for the client, under epochs up to this one. */
  | { readonly kind: 'holds'; readonly host: RuntimeId; readonly slots: readonly number[]; readonly epoch: number }
  /** The scheduler has closed the client. */
  | { readonly kind: 'closed'; readonly reason: string };

/** What a client asks of the scheduler. */
export interface Wish {
  readonly name: string;
  /** At most so many workers; all that it may have if absent. */
  readonly workers: number | undefined;
  readonly weight: number;
  /** Has the whole cluster, alone, in its turn. */
  readonly exclusive: boolean;
  /** Is asked, of each host, how many workers it takes. */
  readonly picky: boolean;
  /** Its workers start when it says so. */
  readonly hold: boolean;
  /** What it has closed. */
  readonly limits: readonly Limit[];
  /** Milliseconds since it asked first. */
  readonly waited: number;
}

/** How much a client takes of a host: at most so many workers, and some of them not at all. */
export interface Limit {
  readonly host: RuntimeId;
  readonly most: number;
  readonly shut: readonly number[];
}

/** What a client has done, as it reports it. */
export interface Counters {
  readonly submitted: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly retried: number;
  readonly waiting: number;
  readonly running: number;
}

/** A client that has workers of a host, and for how long already (0: since before the scheduler started). */
export interface Holder {
  readonly client: RuntimeId;
  readonly name: string;
  readonly workers: number;
  readonly ms: number;
}

/** A host as the scheduler sees it. */
export interface HostStatus {
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly platform: string;
  readonly workers: number;
  readonly granted: number;
  /** Whether more is granted there. */
  readonly open: boolean;
  readonly availability: Availability | undefined;
  readonly slots: readonly (SlotReport & { readonly clientName: string })[];
  readonly holders: readonly Holder[];
}

/** A client as the scheduler sees it. */
export interface ClientStatus {
  readonly id: RuntimeId;
  readonly name: string;
  readonly workers: number;
  readonly wants: number | undefined;
  readonly weight: number;
  readonly exclusive: boolean;
  /** False: it waits for its turn. */
  readonly admitted: boolean;
  readonly counters: Counters | undefined;
}

/** A cluster as the scheduler sees it. */
export interface ClusterStatus {
  readonly scheduler: string;
  readonly hosts: readonly HostStatus[];
  readonly clients: readonly ClientStatus[];
}

/** What a client is asked about. */
export interface HostOffer extends HostFacts {
  readonly location: string;
  readonly addresses: readonly string[];
  readonly availability: Availability | undefined;
}

const { slots, addresses, epoch, facts, availability } = HOST_KINDS;
const MOST_WANTED = 10_000;
const LEAST_WEIGHT = 0.001;
const MOST_WEIGHT = 1_000_000;
const MOST_LIMITS = 20_000;
const MOST_MS = 2 ** 52;
const count = whole(0, Number.MAX_SAFE_INTEGER);
const time = number(0, MOST_MS);
const place = record<WorkerSlot>({ host: runtimeId, slot: whole(0, MOST_WORKERS) });
const limit = record<Limit>({ host: runtimeId, most: number(0), shut: atMost(MOST_WORKERS, slots) });

/** What hosts, clients, and those who only look, ask of a scheduler. */
export interface SchedulerDoor {
  /** A host is there, or offers something else than before. */
  offer(offer: Offer): void;
  /** A client wants workers; how many hosts there are. */
  wish(wish: Wish): { readonly hosts: number };
  limit(limit: Limit): void;
  /** A client asked first so many milliseconds ago. */
  asked(ago: number): void;
  /** A client has other allocations than before. */
  again(): void;
  /** A client gives one place for another that it was asked for. */
  swaps(asked: WorkerSlot, given: WorkerSlot): void;
  /** A client knows nothing of places that it is said to hold. */
  lacks(host: RuntimeId, slots: readonly number[], epoch: number): void;
  leave(): void;
  /** Places of a host are free; `gone`: their client is dead, or was given up. */
  freed(slots: readonly number[], epoch: number, gone?: RuntimeId): void;
  status(): ClusterStatus;
  /** Why a client (one by name or id, or each) has what it has, in lines for people. */
  explain(client?: string): readonly string[];
}

/** What a scheduler hears of hosts and clients. */
export type SchedulerHears =
  | ({ readonly kind: 'report' } & HostPulse)
  | ({ readonly kind: 'counters' } & Counters)
  /** A host that belonged to another is free. */
  | { readonly kind: 'free' };

export const SCHEDULER = door<SchedulerDoor, SchedulerHears>(
  'scheduler',
  24,
  {
    offer: [HOST_KINDS.offer],
    wish: [
      record<Wish>({
        name: label,
        workers: optional(whole(1, MOST_WANTED)),
        weight: number(LEAST_WEIGHT, MOST_WEIGHT),
        exclusive: flag,
        picky: flag,
        hold: flag,
        limits: atMost(MOST_LIMITS, listOf(limit)),
        waited: time,
      }),
    ],
    limit: [limit],
    asked: [time],
    again: [],
    swaps: [place, place],
    lacks: [runtimeId, slots, epoch],
    leave: [],
    freed: [slots, epoch, optional(runtimeId)],
    status: [],
    explain: [optional(string)],
  },
  {
    report: { availability, slots: atMost(MOST_WORKERS, listOf(HOST_KINDS.report)) },
    counters: { submitted: count, done: count, failed: count, cancelled: count, retried: count, waiting: count, running: count },
    free: {},
  },
);

/** What a scheduler asks of a client. */
export interface ClientDoor {
  /** How many workers of a host it takes, and if none, why. */
  allocate(offer: HostOffer): { readonly take: number; readonly why: string };
  /** What waits in it, and why, in lines for people. */
  explain(): readonly string[];
  /** Whether it is there. */
  here(): boolean;
}

export const CLIENT = door<ClientDoor, SchedulerNotice>(
  'client',
  25,
  {
    allocate: [
      record<HostOffer>({
        name: string,
        platform: string,
        workers: measure,
        cores: measure,
        memory: measure,
        disk: measure,
        swap: measure,
        location: string,
        addresses,
        availability: optional(availability),
      }),
    ],
    explain: [],
    here: [],
  },
  {
    admitted: {},
    grant: { host: runtimeId, facts, addresses, slots, epoch },
    idle: HOST_KINDS.idlePlaces,
    revoke: { host: runtimeId, slots, epoch, among: optional(listOf(runtimeId)), times: count },
    keep: { host: runtimeId, slots },
    holds: { host: runtimeId, slots, epoch },
    closed: { reason: string },
  },
);
