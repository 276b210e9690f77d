// What a client knows of its hosts and workers: data, changed by the crew only, looked up by whoever gives them code, work or orders.
import type { Deferred, RuntimeId } from '../../base/index.ts';
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

/** The hosts and workers of one client. */
export interface CrewState {
  readonly stations: Map<RuntimeId, Station>;
  /** Workers that work. */
  readonly members: Map<RuntimeId, Member>;
  /** Workers that are discovered, and are being set up or wait for `enableWorker`. */
  readonly unused: Map<RuntimeId, Unused>;
  /** Every worker there ever was, by name. */
  readonly history: Map<string, Past>;
}

/** No hosts, no workers. */
export function emptyCrew(): CrewState {
  return { stations: new Map(), members: new Map(), unused: new Map(), history: new Map() };
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
