// What a scheduler does about what it hears: events in, effects out. No clock, no socket, no await.
//
//   R1. A place is granted to one client at a time; each grant has an epoch above all before.
//   R2. A place that is taken back is granted again only when its host says that it is free.
//   R3. What hosts report is the truth: a scheduler that was restarted takes over what they hold.
//   R4. Clients are admitted in order; an exclusive one waits for those before it, and none passes it. One that holds places is admitted.
import type { RuntimeId } from '../../base/index.ts';
import { appetite, donor, freeSlot, isShut, neediest, nextTurns, roomiest } from './choose.ts';
import {
  ask,
  type ClientLimit,
  type ClientState,
  give,
  type Held,
  type HostState,
  index,
  join,
  leave,
  limit,
  type ScheduleState,
  take,
} from './state.ts';

/** What a scheduler hears. */
export type ScheduleEvent =
  | {
      readonly kind: 'host-joined';
      readonly id: RuntimeId;
      readonly name: string;
      readonly addresses: readonly string[];
      readonly workers: number;
      readonly open: boolean;
      readonly held: readonly { readonly client: RuntimeId; readonly slots: readonly number[]; readonly epoch: number }[];
    }
  | { readonly kind: 'host-left'; readonly id: RuntimeId }
  | {
      readonly kind: 'client-joined';
      readonly id: RuntimeId;
      readonly name: string;
      readonly wants: number;
      readonly weight: number;
      readonly exclusive: boolean;
      readonly picky: boolean;
      readonly limits?: readonly ClientLimit[];
    }
  | { readonly kind: 'client-left'; readonly id: RuntimeId }
  /** A client has closed workers, or wants them again. */
  | { readonly kind: 'client-limits'; readonly id: RuntimeId; readonly limits: readonly ClientLimit[] }
  /** A client's allocation says how many workers of a host it takes. */
  | { readonly kind: 'client-takes'; readonly id: RuntimeId; readonly host: RuntimeId; readonly most: number }
  /** A client does not answer any more, or does again. */
  | { readonly kind: 'client-silent'; readonly id: RuntimeId; readonly silent: boolean }
  | { readonly kind: 'freed'; readonly host: RuntimeId; readonly slots: readonly number[]; readonly epoch: number };

/** What a scheduler does. */
export type ScheduleEffect =
  | { readonly kind: 'admit'; readonly client: RuntimeId }
  | {
      readonly kind: 'grant';
      readonly host: HostState;
      readonly client: RuntimeId;
      readonly slots: readonly number[];
      readonly epoch: number;
    }
  | { readonly kind: 'revoke'; readonly host: HostState; readonly client: RuntimeId; readonly slots: readonly number[] }
  | { readonly kind: 'drop'; readonly host: HostState; readonly client: RuntimeId; readonly slots: readonly number[] };

/** Changes the state by one event; returns what is to be done. */
export function react(state: ScheduleState, event: ScheduleEvent): ScheduleEffect[] {
  switch (event.kind) {
    case 'host-joined': {
      remove(state, event.id);
      const { id, name, addresses, workers, open } = event;
      const host: HostState = { id, name, addresses, workers, open, held: new Map() };
      state.hosts.set(id, host);
      index(state, host, true);
      for (const { client, slots, epoch } of event.held) {
        state.epoch = Math.max(state.epoch, epoch);
        const known = state.clients.get(client);
        if (known) known.admitted = true; // R4
        for (const slot of slots) if (slot >= 1 && slot <= workers && !host.held.has(slot)) take(state, host, slot, client, epoch); // R3
      }
      return share(state);
    }
    case 'host-left':
      remove(state, event.id);
      return share(state);
    case 'client-joined': {
      const before = state.clients.get(event.id);
      const { id, name, wants, weight, exclusive, picky } = event;
      const client: ClientState = {
        id,
        name,
        wants,
        weight,
        exclusive,
        picky,
        asked: wants,
        most: before?.most ?? new Map(),
        limits: new Map(),
        admitted: false,
        silent: false,
        holds: 0,
        leaving: 0,
        on: new Map(),
      };
      join(state, client);
      limit(client, event.limits ?? []);
      const again = before?.admitted === true || client.holds > 0; // R4
      client.admitted = again;
      return [...(again ? [{ kind: 'admit', client: id } as const] : []), ...share(state)];
    }
    case 'client-limits': {
      const client = state.clients.get(event.id);
      if (client) limit(client, event.limits);
      return share(state);
    }
    case 'client-takes': {
      state.clients.get(event.id)?.most.set(event.host, event.most);
      return share(state);
    }
    case 'client-silent': {
      const client = state.clients.get(event.id);
      if (client) client.silent = event.silent;
      return share(state);
    }
    case 'client-left': {
      const client = state.clients.get(event.id);
      const drops: ScheduleEffect[] = [];
      for (const [hostId, slots] of client?.on ?? []) {
        const host = state.hosts.get(hostId);
        if (host) drops.push({ kind: 'drop', host, client: event.id, slots: [...slots] });
      }
      leave(state, event.id);
      return [...drops, ...share(state)];
    }
    case 'freed': {
      const host = state.hosts.get(event.host);
      for (const slot of host ? event.slots : []) {
        const held = host?.held.get(slot);
        if (host && held && held.epoch <= event.epoch) give(state, host, slot); // R2
      }
      return share(state);
    }
  }
}

function remove(state: ScheduleState, id: RuntimeId): void {
  const host = state.hosts.get(id);
  if (!host) return;
  for (const slot of [...host.held.keys()]) give(state, host, slot);
  index(state, host, false);
  state.hosts.delete(id);
}

// Admits those whose turn it is; grants free places to those furthest below their share; takes back from those above it.
function share(state: ScheduleState): ScheduleEffect[] {
  const effects: ScheduleEffect[] = [];
  for (const client of nextTurns(state)) {
    client.admitted = true;
    effects.push({ kind: 'admit', client: client.id });
  }
  const grants = new Map<string, { host: HostState; client: RuntimeId; slots: number[]; epoch: number }>();
  const stuck = new Set<ClientState>();
  for (let client = neediest(state.clients.values(), stuck); client; client = neediest(state.clients.values(), stuck)) {
    const host = roomiest(state, client);
    if (!host) {
      stuck.add(client);
      continue;
    }
    const key = `${host.id} ${client.id}`;
    let grant = grants.get(key);
    if (!grant) {
      grant = { host, client: client.id, slots: [], epoch: ++state.epoch }; // R1
      grants.set(key, grant);
    }
    const slot = freeSlot(host, client);
    take(state, host, slot, client.id, grant.epoch);
    grant.slots.push(slot);
  }
  for (const grant of grants.values()) effects.push({ kind: 'grant', ...grant });
  takeBack(state, stuck, effects);
  return effects;
}

// What is being given back already is counted as coming to the neediest; more is asked back only for what that leaves.
function takeBack(state: ScheduleState, wanting: ReadonlySet<ClientState>, effects: ScheduleEffect[]): void {
  if (wanting.size === 0 || state.clients.size < 2) return;
  let leaving = 0;
  for (const client of state.clients.values()) leaving += client.leaving;
  const coming = new Map<ClientState, number>();
  const settled = new Set<ClientState>();
  for (let needy = neediest(wanting, settled, coming); needy; needy = neediest(wanting, settled, coming)) {
    const expected = coming.get(needy) ?? 0;
    if (leaving > 0) leaving--;
    else if (!revokeFor(state, needy, needy.holds + expected, effects)) {
      settled.add(needy);
      continue;
    }
    coming.set(needy, expected + 1);
  }
}

function revokeFor(state: ScheduleState, needy: ClientState, holds: number, effects: ScheduleEffect[]): boolean {
  const excluded = new Set<ClientState>();
  for (let from = donor(state, needy, holds, excluded); from; from = donor(state, needy, holds, excluded)) {
    const place = placeOf(state, from, needy);
    if (place) {
      ask(state, place.held);
      effects.push({ kind: 'revoke', host: place.host, client: from.id, slots: [place.slot] });
      return true;
    }
    excluded.add(from);
  }
  return false;
}

function placeOf(state: ScheduleState, from: ClientState, needy: ClientState): { host: HostState; slot: number; held: Held } | undefined {
  for (const [id, slots] of from.on) {
    const host = state.hosts.get(id);
    if (!host?.open || appetite(needy, id) <= 0) continue;
    for (const slot of slots) {
      const held = host.held.get(slot);
      if (held && !held.leaving && !isShut(needy, id, slot)) return { host, slot, held };
    }
  }
  return undefined;
}
