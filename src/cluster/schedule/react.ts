// What a scheduler does about what it hears: events in, effects out. No clock, no socket, no await.
//
//   R1. A place is granted to one client at a time; each grant has an epoch above all before.
//   R2. A place that is taken back is granted again only when its host says that it is free.
//   R3. What hosts report is the truth: a scheduler that was restarted takes over what they hold.
import type { RuntimeId } from '../../base/index.ts';
import { donor, neediest, roomiest } from './choose.ts';
import type { ClientState, HostState, ScheduleState } from './state.ts';

/** What a scheduler hears. */
export type ScheduleEvent =
  | {
      readonly kind: 'host-joined';
      readonly id: RuntimeId;
      readonly name: string;
      readonly addresses: readonly string[];
      readonly workers: number;
      readonly held: readonly { readonly client: RuntimeId; readonly slots: readonly number[]; readonly epoch: number }[];
    }
  | { readonly kind: 'host-left'; readonly id: RuntimeId }
  | { readonly kind: 'client-joined'; readonly id: RuntimeId; readonly name: string; readonly wants: number; readonly weight: number }
  | { readonly kind: 'client-left'; readonly id: RuntimeId }
  | { readonly kind: 'freed'; readonly host: RuntimeId; readonly slots: readonly number[]; readonly epoch: number };

/** What a scheduler does. */
export type ScheduleEffect =
  | {
      readonly kind: 'grant';
      readonly host: HostState;
      readonly client: RuntimeId;
      readonly slots: readonly number[];
      readonly epoch: number;
    }
  | { readonly kind: 'revoke'; readonly host: HostState; readonly client: RuntimeId; readonly slots: readonly number[] }
  | { readonly kind: 'drop'; readonly host: HostState; readonly client: RuntimeId };

/** Changes the state by one event; returns what is to be done. */
export function react(state: ScheduleState, event: ScheduleEvent): ScheduleEffect[] {
  switch (event.kind) {
    case 'host-joined': {
      remove(state, event.id);
      const host: HostState = { id: event.id, name: event.name, addresses: event.addresses, workers: event.workers, held: new Map() };
      for (const { client, slots, epoch } of event.held) {
        // R3
        for (const slot of slots) if (slot >= 1 && slot <= host.workers) host.held.set(slot, { client, epoch, leaving: false });
        state.epoch = Math.max(state.epoch, epoch);
        const known = state.clients.get(client);
        if (known) known.holds += slots.length;
      }
      state.hosts.set(host.id, host);
      state.free += host.workers - host.held.size;
      return share(state);
    }
    case 'host-left':
      remove(state, event.id);
      return share(state);
    case 'client-joined': {
      const holds = [...state.hosts.values()].reduce((sum, host) => sum + heldBy(host, event.id).length, 0);
      state.clients.set(event.id, { id: event.id, name: event.name, wants: event.wants, weight: event.weight, holds });
      return share(state);
    }
    case 'client-left':
      state.clients.delete(event.id);
      return [...state.hosts.values()]
        .filter((host) => heldBy(host, event.id).length > 0)
        .map((host) => ({ kind: 'drop', host, client: event.id }));
    case 'freed': {
      const host = state.hosts.get(event.host);
      for (const slot of event.slots) {
        const held = host?.held.get(slot);
        if (!host || !held || held.epoch > event.epoch) continue;
        host.held.delete(slot); // R2
        state.free++;
        const client = state.clients.get(held.client);
        if (client) client.holds--;
      }
      return share(state);
    }
  }
}

/** The places of a host that a client holds. */
export function heldBy(host: HostState, client: RuntimeId): number[] {
  return [...host.held].filter(([, held]) => held.client === client).map(([slot]) => slot);
}

function remove(state: ScheduleState, id: RuntimeId): void {
  const host = state.hosts.get(id);
  if (!host) return;
  state.hosts.delete(id);
  state.free -= host.workers - host.held.size;
  for (const { client } of host.held.values()) {
    const known = state.clients.get(client);
    if (known) known.holds--;
  }
}

// Grants free places to those furthest below their share; when none are left, takes back from those above it.
function share(state: ScheduleState): ScheduleEffect[] {
  const grants = new Map<string, { host: HostState; client: RuntimeId; slots: number[]; epoch: number }>();
  while (state.free > 0) {
    const client = neediest(state);
    const host = client && roomiest(state.hosts.values());
    if (!client || !host) break;
    let slot = 1;
    while (host.held.has(slot)) slot++;
    const key = `${host.id} ${client.id}`;
    let grant = grants.get(key);
    if (!grant) {
      grant = { host, client: client.id, slots: [], epoch: ++state.epoch }; // R1
      grants.set(key, grant);
    }
    host.held.set(slot, { client: client.id, epoch: grant.epoch, leaving: false });
    grant.slots.push(slot);
    client.holds++;
    state.free--;
  }
  return [...[...grants.values()].map((grant): ScheduleEffect => ({ kind: 'grant', ...grant })), ...takeBack(state)];
}

function takeBack(state: ScheduleState): ScheduleEffect[] {
  const effects: ScheduleEffect[] = [];
  const coming = new Map<ClientState, number>();
  let leaving = 0;
  for (const host of state.hosts.values()) for (const held of host.held.values()) if (held.leaving) leaving++;
  for (;;) {
    const needy = neediest(withComing(state, coming));
    if (!needy) return effects;
    const real = state.clients.get(needy.id) as ClientState;
    if (leaving > 0) {
      leaving--;
      coming.set(real, (coming.get(real) ?? 0) + 1);
      continue;
    }
    const from = donor(withLeaving(state), needy);
    const place = from && placeOf(state, from.id);
    if (!place) return effects;
    place.held.leaving = true;
    coming.set(real, (coming.get(real) ?? 0) + 1);
    effects.push({ kind: 'revoke', host: place.host, client: (from as ClientState).id, slots: [place.slot] });
  }
}

function withComing(state: ScheduleState, coming: Map<ClientState, number>): ScheduleState {
  return {
    ...state,
    clients: new Map([...state.clients].map(([id, client]) => [id, { ...client, holds: client.holds + (coming.get(client) ?? 0) }])),
  };
}

function withLeaving(state: ScheduleState): ScheduleState {
  const gone = new Map<RuntimeId, number>();
  for (const host of state.hosts.values())
    for (const held of host.held.values()) if (held.leaving) gone.set(held.client, (gone.get(held.client) ?? 0) + 1);
  return {
    ...state,
    clients: new Map([...state.clients].map(([id, client]) => [id, { ...client, holds: client.holds - (gone.get(id) ?? 0) }])),
  };
}

function placeOf(state: ScheduleState, client: RuntimeId): { host: HostState; slot: number; held: { leaving: boolean } } | undefined {
  for (const host of state.hosts.values())
    for (const [slot, held] of host.held) if (held.client === client && !held.leaving) return { host, slot, held };
  return undefined;
}
