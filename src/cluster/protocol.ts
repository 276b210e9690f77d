// The protocol of schedulers and clients: what they ask and tell each other, and at which ports daemons listen.
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

/** A notice of the scheduler to a client, at its client door. */
export type SchedulerNotice =
  /** The client's turn has come. */
  | { readonly kind: 'admitted' }
  | {
      readonly kind: 'grant';
      readonly host: RuntimeId;
      readonly facts: HostFacts;
      readonly addresses: readonly string[];
      readonly slots: readonly number[];
      readonly epoch: number;
    }
  /** These places were idle: the client gives them back until it has work again. */
  | IdlePlaces
  /** Other clients need these places. The client gives them back, or others where less is under way: at the hosts `among`, or at any. */
  | {
      readonly kind: 'revoke';
      readonly host: RuntimeId;
      readonly slots: readonly number[];
      readonly epoch: number;
      readonly among: readonly RuntimeId[] | undefined;
      /** How often these places have been asked for. */
      readonly times: number;
    }
  /** Places that were asked back may stay. */
  | { readonly kind: 'keep'; readonly host: RuntimeId; readonly slots: readonly number[] }
  /** A host says that it holds these places for the client, under epochs up to this one; a client that knows nothing of them says so. */
  | { readonly kind: 'holds'; readonly host: RuntimeId; readonly slots: readonly number[]; readonly epoch: number }
  /** The scheduler has closed the client. */
  | { readonly kind: 'closed'; readonly reason: string };

/** What a client wishes of the scheduler. */
export interface Wish {
  readonly name: string;
  /** The most workers that the client wants; all that it may have if absent. */
  readonly workers: number | undefined;
  readonly weight: number;
  /** The client wants the whole cluster, alone, in its turn. */
  readonly exclusive: boolean;
  /** The client has allocations: it is asked, for each host, how many workers it takes. */
  readonly picky: boolean;
  /** The client's workers start only when it says so, because it prepares their hosts first. */
  readonly hold: boolean;
  /** What the client has closed. */
  readonly limits: readonly Limit[];
  /** Milliseconds since the client first asked. */
  readonly waited: number;
}

/** How much a client takes of a host: at most so many workers, and some of them not at all. */
export interface Limit {
  readonly host: RuntimeId;
  readonly most: number;
  readonly shut: readonly number[];
}

/** The counters of a client's work, as it reports them. */
export interface Counters {
  readonly submitted: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly retried: number;
  readonly waiting: number;
  readonly running: number;
}

/** A client that has workers of a host, and for how many milliseconds (0: since before the scheduler started). */
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
  /** Whether more places are granted there. */
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
  /** Whether the client's turn has come. */
  readonly admitted: boolean;
  readonly counters: Counters | undefined;
}

/** A cluster as the scheduler sees it. */
export interface ClusterStatus {
  readonly scheduler: string;
  readonly hosts: readonly HostStatus[];
  readonly clients: readonly ClientStatus[];
}

/** A host that a client is asked about. */
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

/** The scheduler's door: what hosts, clients, and those who only look, ask there. */
export interface SchedulerDoor {
  /** Offers a host, or changes its offer. */
  offer(offer: Offer): void;
  /** Takes a client's wish for workers; answers how many hosts there are. */
  wish(wish: Wish): { readonly hosts: number };
  limit(limit: Limit): void;
  /** Says how many milliseconds ago a client first asked. */
  asked(ago: number): void;
  /** Says that a client's allocations have changed, so that it wants to be asked about each host again. */
  again(): void;
  /** Says that a client gives one place instead of another that it was asked for. */
  swaps(asked: WorkerSlot, given: WorkerSlot): void;
  /** Says that a client knows nothing of places that it is said to hold. */
  lacks(host: RuntimeId, slots: readonly number[], epoch: number): void;
  leave(): void;
  /** Says that places of a host are free; `gone`: their client is dead, or was given up. */
  freed(slots: readonly number[], epoch: number, gone?: RuntimeId): void;
  status(): ClusterStatus;
  /** Why a client (one by name or id, or each) has its places, in lines for people. */
  explain(client?: string): readonly string[];
}

/** A message of a host or client to the scheduler, which needs no answer. */
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

/** The client's door: what its scheduler asks there. */
export interface ClientDoor {
  /** How many workers of a host the client takes; if none, why. */
  allocate(offer: HostOffer): { readonly take: number; readonly why: string };
  /** What work waits in the client, and why, in lines for people. */
  explain(): readonly string[];
  /** Whether the client is there: its answer alone tells. */
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
