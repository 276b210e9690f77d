// Who gets the next free place, and who must give one back: weighted fair share.
import type { ClientState, HostState, ScheduleState } from './state.ts';

/** The client that is furthest below its share and wants more; undefined if none wants any. */
export function neediest(state: ScheduleState): ClientState | undefined {
  let best: ClientState | undefined;
  for (const client of state.clients.values()) {
    if (client.holds >= client.wants) continue;
    if (best === undefined || client.holds / client.weight < best.holds / best.weight) best = client;
  }
  return best;
}

/** The client to take a place from so that `needy` comes closer to its share; undefined if that would only turn the tables. */
export function donor(state: ScheduleState, needy: ClientState): ClientState | undefined {
  let best: ClientState | undefined;
  for (const client of state.clients.values()) {
    if (client === needy || client.holds === 0) continue;
    const after = (client.holds - 1) / client.weight;
    if (after < (needy.holds + 1) / needy.weight) continue;
    if (best === undefined || client.holds / client.weight > best.holds / best.weight) best = client;
  }
  return best;
}

/** A host with a free place: the one with most of them, so that work spreads. */
export function roomiest(hosts: Iterable<HostState>): HostState | undefined {
  let best: HostState | undefined;
  for (const host of hosts) {
    const free = host.workers - host.held.size;
    if (free > 0 && (best === undefined || free > best.workers - best.held.size)) best = host;
  }
  return best;
}
