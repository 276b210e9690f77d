// What clients and the scheduler say to each other, and where daemons listen.
import type { RuntimeId } from '../base/index.ts';
import type { Availability, HostFacts, IdlePlaces, SlotReport } from '../host/index.ts';

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
