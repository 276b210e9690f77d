// The state of a crew: what a client knows of its hosts and workers. Only react.ts changes it; code, work and orders look things up.
import { Deferred, type RuntimeId } from '../../base/index.ts';
import type { WorkerInfo } from '../../host/index.ts';
import { Tally } from '../dispatch/tally.ts';
import type { Member } from '../dispatch/work.ts';
import type { Station } from './station.ts';

/** A worker that was there, and its tally. */
export interface Past {
  readonly host: string;
  readonly tally: Tally;
}

/** A worker that is discovered but not used yet. */
export interface Unused {
  readonly info: WorkerInfo;
  /** Resolves with the arguments given to `enableWorker`. */
  readonly enabled: Deferred<readonly unknown[] | undefined>;
}

/** The decision about a leaving worker's place, carried out when the worker has nothing under way. */
export interface After {
  readonly restart: boolean;
  readonly reason: string | undefined;
  /** Resolves when the worker has ended. */
  readonly done: Deferred<void>;
}

/** The hosts and workers of one client. */
export interface CrewState {
  readonly stations: Map<RuntimeId, Station>;
  /** Workers that are set up and take work. */
  readonly members: Map<RuntimeId, Member>;
  /** Workers that are discovered, and are being set up or wait for `enableWorker`. */
  readonly unused: Map<RuntimeId, Unused>;
  /** Every worker that the client ever had, by name. */
  readonly history: Map<string, Past>;
  /** The latest process of each place, by the worker's name: news of an earlier one is out of date. */
  readonly latest: Map<string, RuntimeId>;
  /** The arguments of a place's last setup, by the name of its worker: a worker that restarts there gets them again. */
  readonly workerArgs: Map<string, readonly unknown[]>;
  /** Workers that leave: they take no more work. */
  readonly after: Map<RuntimeId, After>;
  failures: number;
  lastFailure: Error | undefined;
  /** Whether the client leaves: a host or worker that ends then is no loss. */
  closing: boolean;
}

/** A crew without hosts and workers. */
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

/** Adds a worker to those that take work. */
export function enlist({ members, history }: CrewState, member: Member): void {
  const { id, name, hostName } = member.info;
  members.set(id, member);
  if (!history.has(name)) history.set(name, { host: hostName, tally: new Tally() });
}

/** The workers of a host. */
export function membersOf({ members }: CrewState, { id }: Station): Member[] {
  return [...members.values()].filter((member) => member.info.host === id);
}

/** The worker at a place of a host; undefined if none works there. */
export function memberAt(state: CrewState, station: Station, slot: number): Member | undefined {
  return membersOf(state, station).find(({ info }) => info.slot === slot);
}

/** Decides that a worker leaves; the first decision holds. Returns a promise that resolves when the worker has ended. */
export function leaves({ after }: CrewState, { info: { id } }: Member, restart: boolean, reason: string | undefined): Deferred<void> {
  const before = after.get(id);
  const done = before?.done ?? new Deferred<void>().quiet();
  after.set(id, { restart: before?.restart ?? restart, reason: before?.reason ?? reason, done });
  return done;
}
