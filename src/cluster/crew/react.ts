// Decides what a client does about events of its hosts and workers: events in, effects out. No clock, no socket, no await,
// so that every order of events can be tried in a test.
//
// A host and a worker go through steps. The crew (crew.ts) takes each step, and its end comes back as the next event:
//
//   granted -> attached -> equipped (-> enabled) -> set-up            worker-arrived -> worker-equipped (-> worker-enabled) -> worker-set-up
//      `--------------`------------------------------`-> failed            `---------------------------------------------------`-> worker-failed
//
//   CE1. An event of a host that this client no longer has changes nothing: between two steps the host may have gone, or come anew.
//   CE2. Of each host and worker every change is told once: discovered before initialized, a host before its workers, its end after theirs.
//   CE3. A place that was given back is released at its host, and is not asked for again.
import { Deferred, FlotillaError } from '../../base/index.ts';
import type { WorkerInfo } from '../../host/index.ts';
import { newMember, PAUSE } from '../dispatch/work.ts';
import type { CrewEffect, CrewEvent, Grant, HostWord } from './effects.ts';
import { closedByHost, failed, giveBack, hostClosed, hostLost, lost, workerFailed } from './endings.ts';
import { workerEvent } from './present.ts';
import { type CrewState, enlist } from './state.ts';
import { Station } from './station.ts';

/** Changes the state by one event, and returns its effects in order. */
export function react(state: CrewState, event: CrewEvent): CrewEffect[] {
  if ('station' in event && state.stations.get(event.station.id) !== event.station) return []; // CE1
  switch (event.kind) {
    case 'granted':
      return granted(state, event.grant, event.barred);
    case 'more':
      return more(state, event);
    case 'attached':
      return attached(event.station, event.tenancy);
    case 'equipped':
      return equipped(event.station, event.waits);
    case 'enabled':
      return enabled(event.station, event.args);
    case 'set-up':
      return setUp(event.station);
    case 'failed':
      return failed(state, event.station, event.error);
    case 'worker-arrived':
      return workerArrived(state, event.station, event.info);
    case 'worker-equipped':
      return workerEquipped(state, event);
    case 'worker-enabled':
      if (event.args) state.workerArgs.set(event.info.name, event.args);
      return [{ kind: 'set-up-worker', station: event.station, info: event.info, args: event.args }];
    case 'worker-set-up':
      return workerSetUp(state, event.station, event.info);
    case 'worker-failed':
      return workerSpoilt(state, event.station, event.info, event.error);
    case 'heard':
      return heard(state, event.station, event.notice);
    case 'peer-ended':
      return peerEnded(state, event);
    case 'worker-lost':
      return lost(state, event.id, event.loss);
    case 'drained':
      return drained(state, event);
    case 'give-back':
      return giveBack(state, event.station, event.slot, event.reason);
  }
}

function granted(state: CrewState, grant: Grant, barred: boolean): CrewEffect[] {
  if (state.closing) return []; // the scheduler hears that the client leaves, and takes all places back
  const known = state.stations.get(grant.host);
  if (!known && barred) return [{ kind: 'detach', host: grant.host, isParting: false }];
  const station = known ?? new Station(grant.host, grant.facts, grant.addresses);
  for (const slot of grant.slots) station.slots.add(slot);
  station.epoch = grant.epoch;
  if (known) return known.phase === 'initialized' ? [{ kind: 'attach-again', station, grant, barred }] : [];
  state.stations.set(station.id, station);
  return [{ kind: 'attach', station, grant }];
}

// Begins more places of a host that was granted before. Another tenancy means that the host has let the client go meanwhile, and its
// notice of that is still on the way: the earlier stay is lost, and this grant begins a new one.
function more(state: CrewState, { began, grant, barred, tenancy }: CrewEvent & { kind: 'more' }): CrewEffect[] {
  const isHere = state.stations.get(began.id) === began; // CE1: else only the grant still holds
  if (tenancy === began.tenancy) return isHere ? [{ kind: 'begin', station: began, slots: grant.slots, isStep: false }] : [];
  const anew = new FlotillaError('ERR_CLUSTER_STALE_GRANT', 'it was granted anew');
  return [...(isHere ? hostLost(state, began, anew, true) : []), ...granted(state, grant, barred)];
}

function attached(station: Station, tenancy: number): CrewEffect[] {
  station.tenancy = tenancy;
  station.told = true;
  station.waitsFor = 'it is being given code';
  return [
    { kind: 'found', station },
    { kind: 'tell', change: { kind: 'host-discovered', host: station.name, info: station.info } }, // CE2
    { kind: 'equip', station },
  ];
}

function equipped(station: Station, waits: boolean): CrewEffect[] {
  if (waits) {
    station.waitsFor = `it is disabled: client.enableHost('${station.name}') lets it be used`;
    return [{ kind: 'await-enabled', station }];
  }
  station.waitsFor = 'it is being set up';
  return [{ kind: 'set-up', station }];
}

function enabled(station: Station, args: readonly unknown[] | undefined): CrewEffect[] {
  station.args = args;
  station.isEnabled = true;
  return equipped(station, false);
}

function setUp(station: Station): CrewEffect[] {
  if (station.phase === 'leaving') return [];
  station.phase = 'initialized';
  const change = { kind: 'host-initialized', host: station.name, info: station.info } as const;
  station.waitsFor = 'its workers start';
  return [
    { kind: 'tell', change },
    { kind: 'resolve', promise: station.ready },
    { kind: 'begin', station, slots: [...station.slots], isStep: true },
  ];
}

function workerArrived(state: CrewState, station: Station, info: WorkerInfo): CrewEffect[] {
  if (state.latest.get(info.name) !== info.id || !station.slots.has(info.slot)) return [];
  state.unused.set(info.id, { info, enabled: new Deferred<readonly unknown[] | undefined>().quiet() });
  return [
    { kind: 'tell', change: workerEvent('worker-discovered', info, station) },
    { kind: 'equip-worker', station, info },
  ];
}

function workerEquipped(state: CrewState, { station, info, waits }: CrewEvent & { kind: 'worker-equipped' }): CrewEffect[] {
  if (!state.unused.has(info.id)) return []; // the worker ended meanwhile
  const args = state.workerArgs.get(info.name);
  if (waits && !args) return [{ kind: 'await-worker-enabled', station, info }];
  return [{ kind: 'set-up-worker', station, info, args }];
}

function workerSetUp(state: CrewState, station: Station, info: WorkerInfo): CrewEffect[] {
  if (!state.unused.delete(info.id)) return []; // the worker ended meanwhile
  const member = newMember(info, station.addresses);
  if (station.suspended) member.pause |= PAUSE.HOST_SUSPENDED;
  enlist(state, member);
  return [
    { kind: 'tell', change: workerEvent('worker-initialized', info, station) },
    { kind: 'employ', member },
  ];
}

// Gives back the place of a worker that cannot be set up, because the next worker there would fail, too.
function workerSpoilt(state: CrewState, station: Station, info: WorkerInfo, error: Error): CrewEffect[] {
  if (!state.unused.delete(info.id)) return []; // the worker ended meanwhile
  return [
    ...workerFailed(state, station, info.name, error),
    { kind: 'limit', station, most: station.slots.size - 1, until: 'asked' },
    ...giveBack(state, station, info.slot),
  ];
}

// Takes a notice of a host.
function heard(state: CrewState, station: Station, notice: HostWord): CrewEffect[] {
  switch (notice.kind) {
    case 'worker-ready':
      if (!station.slots.has(notice.worker.slot)) return [];
      state.latest.set(notice.worker.name, notice.worker.id);
      return [{ kind: 'await-host', station, info: notice.worker }];
    case 'worker-ended': {
      const { name, worker, reason, lastLines, blameless, terminated } = notice;
      if (state.latest.get(name) === worker) state.latest.delete(name);
      return lost(state, worker, { worker: name, reason, lastLines, what: 'worker', blameless, terminated });
    }
    case 'worker-failed':
      return workerFailed(state, station, notice.name, new FlotillaError('ERR_HOST_START', notice.reason));
    case 'worker-closed':
      if (state.latest.get(notice.name) !== notice.worker) return []; // the place was given back before
      state.latest.delete(notice.name);
      return closedByHost(state, station, notice.slot, notice.reason);
    case 'dismissed': {
      if (notice.tenancy !== station.tenancy) return [];
      const places = [...station.slots].flatMap((slot) => giveBack(state, station, slot, notice.reason, false));
      return [...places, ...hostClosed(state, station, notice.reason)];
    }
    case 'host-leaving': {
      const { reason, forGood } = notice;
      const never: CrewEffect[] = forGood ? [{ kind: 'limit', station, most: 0, until: 'never' }] : [];
      const text = `Host '${station.name}' wants to be left: ${reason}.`;
      return [{ kind: 'log', level: 'info', text }, ...never, { kind: 'wants-leave', station, reason }];
    }
    case 'availability':
      station.availability = notice.availability;
      return [{ kind: 'tell', change: { ...notice, host: station.name } }];
  }
}

function peerEnded(state: CrewState, { peer, end }: CrewEvent & { kind: 'peer-ended' }): CrewEffect[] {
  const station = state.stations.get(peer);
  if (station) {
    const error = new FlotillaError('ERR_SESSION_LOST', end.message);
    const disown: CrewEffect[] = state.closing ? [] : [{ kind: 'disown', station, silent: end.kind === 'silent' }];
    return [...disown, ...hostLost(state, station, error, end.kind === 'closed')];
  }
  const member = state.members.get(peer);
  if (!member) return [];
  member.state = 'lost';
  const loss = { worker: member.info.name, reason: end.message, lastLines: [], what: 'worker' } as const;
  return state.stations.has(member.info.host) ? [{ kind: 'await-report', id: peer, loss }] : lost(state, peer, loss);
}

function drained(state: CrewState, { member }: CrewEvent & { kind: 'drained' }): CrewEffect[] {
  const { host, slot, id } = member.info;
  const station = state.stations.get(host);
  if (!station || !state.members.has(id)) return [];
  const after = state.after.get(id);
  if (!after) return [{ kind: 'idle', member }];
  const again = station.phase === 'discovered'; // the host restarts, and this place with it: the place is kept
  if (after.restart || again) return [{ kind: 'close', host, slot, restart: after.restart }];
  return giveBack(state, station, slot, after.reason);
}
