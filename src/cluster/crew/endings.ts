// How hosts and workers end, on purpose or not: pure functions, like those of react.ts, which calls them.
import { FlotillaError, hasCode, type RuntimeId } from '../../base/index.ts';
import { isSessionLoss } from '../../kernel/index.ts';
import type { Loss } from '../dispatch/work.ts';
import type { Change } from '../events.ts';
import type { CrewEffect } from './effects.ts';
import { placeOf } from './present.ts';
import { type After, type CrewState, memberAt, membersOf } from './state.ts';
import type { Station } from './station.ts';

/** Gives a place back, and tells its host, unless the host knows or the client leaves altogether. CE3 */
export function giveBack(
  state: CrewState,
  station: Station,
  slot: number,
  reason = 'its place was given back',
  tell = !state.closing,
): CrewEffect[] {
  if (!station.slots.delete(slot)) return [];
  state.latest.delete(`${station.name}/${slot}`);
  const { after, effects } = endAt(state, station, slot, reason);
  if (tell) effects.push({ kind: 'release', station, slot });
  if (after) effects.push({ kind: 'resolve', promise: after.done });
  if (station.slots.size === 0) effects.push(...hostClosed(state, station, reason));
  return effects;
}

/** Ends the worker of a place that its host has closed on purpose; the place goes back unless the worker restarts. CE3 */
export function closedByHost(state: CrewState, station: Station, slot: number, reason: string): CrewEffect[] {
  if (!station.slots.has(slot)) return []; // the place was given back already
  const { after, effects } = endAt(state, station, slot, reason);
  if (after) effects.push({ kind: 'resolve', promise: after.done });
  if (after?.restart || station.phase === 'discovered') return effects;
  if (after) return [...effects, ...giveBack(state, station, slot, reason)];
  const then = { kind: 'give-back', station, slot, reason } as const;
  return [...effects, { kind: 'limit', station, most: station.slots.size - 1, until: 'work', then }];
}

// Ends the worker of a place on purpose, whether it works or waits to be set up; `after` is what was decided about the place before.
function endAt(state: CrewState, station: Station, slot: number, reason: string): { after: After | undefined; effects: CrewEffect[] } {
  const effects: CrewEffect[] = [];
  const member = memberAt(state, station, slot);
  if (member) {
    const { id, name, hostName } = member.info;
    state.members.delete(id);
    const loss: Loss = { worker: name, reason, lastLines: [], what: 'worker', blameless: true };
    effects.push({ kind: 'end', member, loss, place: placeOf(name, hostName, station) });
  }
  for (const [id, { info }] of state.unused) {
    if (info.host !== station.id || info.slot !== slot) continue;
    state.unused.delete(id);
    if (!member) effects.push({ kind: 'tell', change: { kind: 'worker-closed', ...placeOf(info.name, station.name, station), reason } });
  }
  const after = member && state.after.get(member.info.id);
  if (member) state.after.delete(member.info.id);
  return { after, effects };
}

/** Loses a worker. Its place stays, since its host starts another worker there, unless the worker was leaving. */
export function lost(state: CrewState, id: RuntimeId, loss: Loss): CrewEffect[] {
  const member = state.members.get(id);
  if (!member) return unusedLost(state, id, loss);
  state.members.delete(id);
  member.state = 'lost';
  const { name, host, hostName, slot } = member.info;
  const station = state.stations.get(host);
  const after = state.after.get(id);
  state.after.delete(id);
  const effects: CrewEffect[] = [{ kind: 'lose', member, loss, place: placeOf(name, hostName, station) }];
  if (after && !after.restart && station && loss.what === 'worker') effects.push(...giveBack(state, station, slot));
  if (after) effects.push({ kind: 'resolve', promise: after.done });
  return effects;
}

function unusedLost(state: CrewState, id: RuntimeId, { worker, reason }: Loss): CrewEffect[] {
  const unused = state.unused.get(id);
  if (!unused) return [];
  state.unused.delete(id);
  const place = placeOf(worker, unused.info.hostName, state.stations.get(unused.info.host));
  return [{ kind: 'tell', change: { kind: 'worker-lost', ...place, reason, retried: 0 } }];
}

/** Notes that a worker does not start, or cannot be set up. */
export function workerFailed(state: CrewState, station: Station, worker: string, error: Error): CrewEffect[] {
  state.failures++;
  state.lastFailure = error;
  const change: Change = { kind: 'worker-failed', ...placeOf(worker, station.name, station), reason: error.message };
  return [
    { kind: 'tell', change },
    { kind: 'log', level: 'warn', text: error.message },
  ];
}

/** Leaves a host that cannot be used, since its setup would fail again; a host that was only not reached is tried when there is work. */
export function failed(state: CrewState, station: Station, error: Error): CrewEffect[] {
  if (state.closing) return [];
  if (hasCode(error, 'ERR_CLUSTER_STALE_GRANT')) return hostLost(state, station, error, true); // the host has let go: it is granted anew
  const workers = loseWorkers(state, station, `its host is not used: ${error.message}`, true);
  state.stations.delete(station.id);
  state.failures++;
  state.lastFailure = error;
  const until = isSessionLoss(error) ? 'work' : 'asked';
  return [
    ...workers,
    { kind: 'resolve', promise: station.ready, error },
    { kind: 'log', level: 'warn', text: `Host '${station.name}' is not used: ${error.message}` },
    { kind: 'limit', station, most: 0, until, then: { kind: 'disown', station, silent: false } },
    { kind: 'detach', host: station.id, isParting: true },
    { kind: 'tell', change: { kind: 'host-failed', host: station.name, info: station.info, reason: error.message } },
    { kind: 'resolve', promise: station.left },
  ];
}

/** Ends a host on purpose. */
export function hostClosed(state: CrewState, station: Station, reason: string): CrewEffect[] {
  if (state.stations.get(station.id) !== station) return [];
  const error = new FlotillaError('ERR_HOST_UNKNOWN', `Host '${station.name}' was closed: ${reason}.`);
  const effects = gone(state, station, error, { kind: 'host-closed', host: station.name, info: station.info, reason }, reason);
  if (state.stations.size === 0 && !state.closing) effects.push({ kind: 'none-left', station, reason });
  return effects;
}

/** Loses a host, and its workers with it. */
export function hostLost(state: CrewState, station: Station, error: Error, blameless = false): CrewEffect[] {
  if (state.closing) return []; // the client's end tells of all hosts
  const costs = membersOf(state, station).some((member) => member.inFlight.size + member.tasks.size > 0);
  const text = `Host '${station.name}' is lost: ${error.message}`;
  const workers = loseWorkers(state, station, `its host is lost: ${error.message}`, blameless);
  const change: Change = { kind: 'host-lost', host: station.name, info: station.info, reason: error.message };
  return [
    { kind: 'log', level: costs || !blameless ? 'warn' : 'info', text },
    ...workers,
    ...gone(state, station, error, change, 'it is lost'),
  ];
}

function gone(state: CrewState, station: Station, error: Error, change: Change, reason: string): CrewEffect[] {
  state.stations.delete(station.id);
  const effects: CrewEffect[] = [
    { kind: 'resolve', promise: station.ready, error },
    { kind: 'resolve', promise: station.left },
  ];
  // A host whose discovery was never told has no end to tell. CE2
  if (station.told) effects.push({ kind: 'tell', change }, { kind: 'fail-waiting', station, reason });
  return effects;
}

function loseWorkers(state: CrewState, station: Station, reason: string, blameless: boolean): CrewEffect[] {
  const there = [...membersOf(state, station), ...state.unused.values()].filter(({ info }) => info.host === station.id);
  return there.flatMap(({ info }) => lost(state, info.id, { worker: info.name, reason, lastLines: [], what: 'host', blameless }));
}
