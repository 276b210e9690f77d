// What a client knows of its hosts and workers: changed by what happens (react.ts), looked up by whoever gives them code, work or orders.
import { Deferred, type RuntimeId } from '../../base/index.ts';
import type { WorkerInfo } from '../../host/index.ts';
import { Tally } from '../dispatch/tally.ts';
import type { Member } from '../dispatch/work.ts';
import type { Station } from './station.ts';

/** What is known of a worker there was. */
export interface Past {
  readonly host: string;
  readonly tally: Tally;
}

/** A worker that is discovered, and is not used yet. */
export interface Unused {
  readonly info: WorkerInfo;
  /** Resolves with the arguments given to `enableWorker`. */
  readonly enabled: Deferred<readonly unknown[] | undefined>;
}

/** What becomes of a place when its worker has nothing under way. */
export interface After {
  readonly restart: boolean;
  readonly reason: string | undefined;
  /** Resolves when the worker has ended. */
  readonly done: Deferred<void>;
}

/** The hosts and workers of one client. */
export interface CrewState {
  readonly stations: Map<RuntimeId, Station>;
  /** Workers that work. */
  readonly members: Map<RuntimeId, Member>;
  /** Workers that are discovered, and are being set up or wait for `enableWorker`. */
  readonly unused: Map<RuntimeId, Unused>;
  /** Every worker there ever was, by name. */
  readonly history: Map<string, Past>;
  /** The worker of each place that was last said to be there, by name. */
  readonly latest: Map<string, RuntimeId>;
  /** The arguments with which a place was set up last, by the name of its worker. */
  readonly workerArgs: Map<string, readonly unknown[]>;
  /** Workers that take no more. */
  readonly after: Map<RuntimeId, After>;
  failures: number;
  lastFailure: Error | undefined;
  /** The client leaves: what ends now is no loss. */
  closing: boolean;
}

/** No hosts, no workers. */
export function emptyCrew(): CrewState {
  return {
    stations: new Map(),
    members: new Map(),
    unused: new Map(),
    history: new Map(),
    latest: new Map(),
    workerArgs: new Map(),
    after: new Map(),
    failures: 0,
    lastFailure: undefined,
    closing: false,
  };
}

/** A worker works from now on. */
export function enlist({ members, history }: CrewState, member: Member): void {
  const { id, name, hostName } = member.info;
  members.set(id, member);
  if (!history.has(name)) history.set(name, { host: hostName, tally: new Tally() });
}

/** The workers of a host. */
export function membersOf({ members }: CrewState, { id }: Station): Member[] {
  return [...members.values()].filter((member) => member.info.host === id);
}

/** The worker of a place. */
export function memberAt(state: CrewState, station: Station, slot: number): Member | undefined {
  return membersOf(state, station).find(({ info }) => info.slot === slot);
}

/** Remembers what becomes of a worker's place; what was said first holds. Returns what resolves when it has ended. */
export function leaves({ after }: CrewState, { info: { id } }: Member, restart: boolean, reason: string | undefined): Deferred<void> {
  const before = after.get(id);
  const done = before?.done ?? new Deferred<void>().quiet();
  after.set(id, { restart: before?.restart ?? restart, reason: before?.reason ?? reason, done });
  return done;
}
