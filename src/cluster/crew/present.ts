// The present state of hosts and workers, told as the events that lead to it.
import type { WorkerInfo } from '../../host/index.ts';
import { type Member, PAUSE } from '../dispatch/work.ts';
import type { Change } from '../events.ts';
import { type CrewState, membersOf } from './state.ts';
import type { Station } from './station.ts';

/** The kinds of events about a worker that has not ended. */
export type WorkerKind = 'worker-discovered' | 'worker-initialized' | 'worker-suspended' | 'worker-resumed';

export function workerEvent(kind: WorkerKind, { name, hostName }: WorkerInfo, station: Station | undefined): Change {
  return { kind, ...placeOf(name, hostName, station) };
}

/** A worker as events name it. */
export interface NamedPlace {
  readonly worker: string;
  readonly host: string;
  readonly location: string;
}

/** The name, host and location under which events mention a worker. */
export function placeOf(worker: string, host: string, station: Station | undefined): NamedPlace {
  return { worker, host, location: `${station?.addresses[0] ?? host}/${worker.slice(worker.lastIndexOf('/') + 1)}` };
}

/** The events for a new listener, which learns the state of every host and worker from them as if it had listened from the start. */
export function presentOf(crew: CrewState): Change[] {
  return [...crew.stations.values()].flatMap((station) => {
    const waiting = [...crew.unused.values()].map(({ info }) => info).filter((info) => info.host === station.id);
    return presentAt(station, waiting, membersOf(crew, station));
  });
}

// The events of one host, its workers that are not set up yet, and its workers that work.
function presentAt(station: Station, waiting: readonly WorkerInfo[], members: readonly Member[]): Change[] {
  const { name: host, info } = station;
  const of = (kind: 'host-discovered' | 'host-initialized' | 'host-suspended' | 'host-offline'): Change => ({ kind, host, info });
  return [
    of('host-discovered'),
    ...(station.phase === 'discovered' ? [] : [of('host-initialized')]),
    ...(station.suspended ? [of('host-suspended')] : []),
    ...(station.offline ? [of('host-offline')] : []),
    ...waiting.map((worker) => workerEvent('worker-discovered', worker, station)),
    ...members.flatMap((member) => [
      workerEvent('worker-discovered', member.info, station),
      workerEvent('worker-initialized', member.info, station),
      ...(member.pause & PAUSE.SUSPENDED ? [workerEvent('worker-suspended', member.info, station)] : []),
    ]),
  ];
}
