// Decides what a scheduler does about events of hosts and clients: events in, effects out. No clock, no socket, no await.
//
//   RE1. A place is granted to one client at a time; each grant has an epoch above all before.
//   RE2. A place that is taken back is granted again only when its host says that it is free.
//   RE3. What hosts report is the truth: a scheduler that was restarted takes over what they hold.
//   RE4. Clients are admitted in order; an exclusive one waits for those before it, and none passes it. A holder of places is admitted.
//   RE5. A place that was asked back is asked for again until it comes, or is needed no more; if it does not come in time, it is not
//       counted on.
//   RE6. A client that asked only just now has the cluster alone a moment later: clients that asked before it, and took longer, go first.
import type { RuntimeId } from '../../base/index.ts';
import { AskedBack } from './asked.ts';
import { freeSlot, isFairer, isWaiting, neediest, nextTurns, roomiest } from './choose.ts';
import {
  ask,
  askedAt,
  type ClientLimit,
  type ClientState,
  give,
  type HostState,
  index,
  join,
  leave,
  limit,
  type ScheduleState,
  take,
} from './state.ts';

/** Time in which a client that has asked is heard, if its way is not broken. */
const MOMENT_MS = 250;

/** A worker place. */
export interface WorkerSlot {
  readonly host: RuntimeId;
  readonly slot: number;
}

/** An event that a scheduler hears of. */
export type ScheduleEvent =
  | {
      readonly kind: 'host-joined';
      readonly id: RuntimeId;
      readonly name: string;
      readonly addresses: readonly string[];
      readonly workers: number;
      readonly clients?: number | undefined;
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
      /** The time, and when it asked first, in ms. */
      readonly now: number;
      readonly since: number;
    }
  /** A client asked before the time that was taken for it. */
  | { readonly kind: 'client-asked'; readonly id: RuntimeId; readonly since: number }
  /** The moment has passed that an effect `await` told of. */
  | { readonly kind: 'client-due'; readonly id: RuntimeId }
  | { readonly kind: 'client-left'; readonly id: RuntimeId }
  /** A client has closed workers, or wants them again. */
  | { readonly kind: 'client-limits'; readonly id: RuntimeId; readonly limits: readonly ClientLimit[] }
  /** A client's allocation says how many workers of a host it takes. */
  | { readonly kind: 'client-takes'; readonly id: RuntimeId; readonly host: RuntimeId; readonly most: number }
  /** A client does not answer any more, or does again. */
  | { readonly kind: 'client-silent'; readonly id: RuntimeId; readonly silent: boolean }
  /** A client gives another place back than the one it was asked for. */
  | { readonly kind: 'client-swaps'; readonly id: RuntimeId; readonly asked: WorkerSlot; readonly given: WorkerSlot }
  /** A while has passed. */
  | { readonly kind: 'ask-again' }
  | { readonly kind: 'freed'; readonly host: RuntimeId; readonly slots: readonly number[]; readonly epoch: number };

/** An effect: something that a scheduler does. */
export type ScheduleEffect =
  | { readonly kind: 'admit'; readonly client: RuntimeId }
  /** The client is due in a moment, and then to be told of. RE6 */
  | { readonly kind: 'await'; readonly client: RuntimeId; readonly ms: number }
  | {
      readonly kind: 'grant';
      readonly host: HostState;
      readonly client: RuntimeId;
      readonly slots: readonly number[];
      readonly epoch: number;
    }
  /** The client is to give these places back, or others instead: of the hosts `among`, or of any if absent. */
  | {
      readonly kind: 'revoke';
      readonly host: HostState;
      readonly client: RuntimeId;
      readonly slots: readonly number[];
      readonly among: readonly RuntimeId[] | undefined;
    }
  /** Places that were asked back may stay. */
  | { readonly kind: 'keep'; readonly host: HostState; readonly client: RuntimeId; readonly slots: readonly number[] }
  /** A host says that a client holds these. */
  | { readonly kind: 'holds'; readonly host: HostState; readonly client: RuntimeId; readonly slots: readonly number[] }
  | { readonly kind: 'drop'; readonly host: HostState; readonly client: RuntimeId; readonly slots: readonly number[] };

/** Changes the state by one event; returns what is to be done. */
export function react(state: ScheduleState, event: ScheduleEvent): ScheduleEffect[] {
  switch (event.kind) {
    case 'host-joined':
      return hostJoined(state, event);
    case 'host-left':
      remove(state, event.id);
      return share(state);
    case 'client-joined':
      return joined(state, event);
    case 'client-asked': {
      const client = state.clients.get(event.id);
      if (client) askedAt(state, client, event.since);
      return share(state);
    }
    case 'client-due': {
      const client = state.clients.get(event.id);
      if (client) client.early = false;
      return share(state);
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
    case 'client-swaps': {
      for (const [{ host, slot }, back] of [[event.asked, false] as const, [event.given, true] as const]) {
        const held = state.hosts.get(host)?.held.get(slot);
        if (held?.client === event.id && held.asked > 0 !== back) ask(state, held, back);
      }
      return [];
    }
    case 'ask-again': {
      const again = new AskedBack(state);
      for (const client of state.clients.values()) if (!client.silent) again.again(client);
      return [...again.effects, ...share(state)];
    }
    case 'freed': {
      const host = state.hosts.get(event.host);
      let expected = true;
      for (const slot of host ? event.slots : []) {
        const held = host?.held.get(slot);
        if (!host || !held || held.epoch > event.epoch) continue;
        expected &&= held.asked > 0;
        give(state, host, slot); // RE2
      }
      return share(state, expected);
    }
  }
}

function hostJoined(state: ScheduleState, event: Extract<ScheduleEvent, { kind: 'host-joined' }>): ScheduleEffect[] {
  remove(state, event.id);
  const { id, name, addresses, workers, clients = Number.POSITIVE_INFINITY, open } = event;
  const host: HostState = { id, name, addresses, workers, clients, open, held: new Map() };
  state.hosts.set(id, host);
  index(state, host, true);
  for (const { client, slots, epoch } of event.held) {
    state.epoch = Math.max(state.epoch, epoch);
    const known = state.clients.get(client);
    if (known) known.admitted = true; // RE4
    for (const slot of slots) if (slot >= 1 && slot <= workers && !host.held.has(slot)) take(state, host, slot, client, epoch); // RE3
  }
  const holders = new Set([...host.held.values()].flatMap((held) => state.clients.get(held.client) ?? []));
  return [...[...holders].flatMap((client) => holdsOf(state, client, id)), ...share(state)];
}

// RE4, RE6
function joined(state: ScheduleState, event: Extract<ScheduleEvent, { kind: 'client-joined' }>): ScheduleEffect[] {
  const { id, name, wants, weight, exclusive, picky, now } = event;
  const before = state.clients.get(id);
  const client: ClientState = {
    id,
    name,
    wants,
    weight,
    exclusive,
    picky,
    since: before?.since ?? event.since,
    early: false,
    asked: wants,
    most: before?.most ?? new Map(),
    limits: new Map(),
    admitted: false,
    silent: false,
    holds: 0,
    leaving: 0,
    overdue: 0,
    on: new Map(),
  };
  join(state, client);
  limit(client, event.limits ?? []);
  client.admitted = before?.admitted === true || client.holds > 0;
  const ms = client.since + MOMENT_MS - now;
  client.early = exclusive && !client.admitted && ms > 0;
  const effects: ScheduleEffect[] = [];
  if (client.admitted) effects.push({ kind: 'admit', client: id });
  if (client.early) effects.push({ kind: 'await', client: id, ms });
  return [...effects, ...holdsOf(state, client), ...share(state)];
}

function remove(state: ScheduleState, id: RuntimeId): void {
  const host = state.hosts.get(id);
  if (!host) return;
  for (const slot of [...host.held.keys()]) give(state, host, slot);
  index(state, host, false);
  state.hosts.delete(id);
}

// Admits clients whose turn it is, grants free places to those furthest below their share, and asks places back from those above it.
// A place that was expected (`expected`), and is granted now, changes nothing about the other places that are asked back.
function share(state: ScheduleState, expected = false): ScheduleEffect[] {
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
      grant = { host, client: client.id, slots: [], epoch: ++state.epoch }; // RE1
      grants.set(key, grant);
    }
    const slot = freeSlot(host, client);
    take(state, host, slot, client.id, grant.epoch);
    grant.slots.push(slot);
  }
  for (const grant of grants.values()) effects.push({ kind: 'grant', ...grant });
  if (!expected || grants.size === 0) takeBack(state, stuck, effects);
  return effects;
}

// Places that are being given back already count as coming to the neediest clients; if the neediest is the giver, its place may stay.
// More places are asked back only for the need that is left. RE5
function takeBack(state: ScheduleState, wanting: ReadonlySet<ClientState>, effects: ScheduleEffect[]): void {
  const expected = new Map<ClientState, number>();
  let coming = 0;
  for (const client of state.clients.values()) {
    const counted = client.silent ? 0 : client.leaving - client.overdue;
    if (counted > 0) expected.set(client, -counted);
    coming += counted;
  }
  if (coming === 0 && (wanting.size === 0 || state.clients.size < 2)) return release(state, expected, effects);
  const asked = new AskedBack(state);
  const settled = new Set<ClientState>();
  for (
    let needy = neediest(state.clients.values(), settled, expected);
    needy;
    needy = neediest(state.clients.values(), settled, expected)
  ) {
    const more = expected.get(needy) ?? 0;
    if (coming > 0) {
      coming--;
      if (more < 0) asked.keep(needy);
    } else if (!wanting.has(needy) || !asked.revokeFor(needy, needy.holds + more)) {
      settled.add(needy);
      continue;
    }
    expected.set(needy, more + 1);
  }
  effects.push(...asked.effects);
  release(state, expected, effects);
}

// Lets overdue places stay if no waiting client has a better right to them.
function release(state: ScheduleState, expected: ReadonlyMap<ClientState, number>, effects: ScheduleEffect[]): void {
  const holds = (client: ClientState): number => client.holds + (expected.get(client) ?? 0);
  for (const client of state.clients.values()) {
    if (client.overdue === 0 || client.silent) continue;
    const needed = [...state.clients.values()].some(
      (other) => other !== client && isWaiting(other, holds(other)) && isFairer(client, holds(client), other, holds(other)),
    );
    if (needed) continue;
    const asked = new AskedBack(state);
    while (client.overdue > 0) asked.keep(client);
    effects.push(...asked.effects);
  }
}

// Tells a client which places hosts hold for it, so that it can say if it knows nothing of them.
function holdsOf(state: ScheduleState, client: ClientState, only?: RuntimeId): ScheduleEffect[] {
  return [...client.on].flatMap(([id, slots]) => {
    const host = state.hosts.get(id);
    return host && (only === undefined || id === only) ? [{ kind: 'holds', host, client: client.id, slots: [...slots] } as const] : [];
  });
}
