// The state of a schedule, which says who has which worker place: plain data, the few ways it changes, and a check of all of it.
//
//   SS1. A place is taken and given back here only, so that the counts and the index of free places are always right.
//   SS2. Clients stand in the order in which they asked, whichever of them was heard first.
import { invariant, type RuntimeId } from '../../base/index.ts';

/** A place that somebody holds. */
export interface HeldSlot {
  readonly client: RuntimeId;
  readonly epoch: number;
  /** How often it has been asked back; 0: it may stay. */
  asked: number;
}

/** A place that was asked back so often and is still held will come when it can: it is not counted on. */
const OVERDUE = 3;

/** A host and its places: who holds each, under which epoch. */
export interface HostState {
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly workers: number;
  /** How many clients it works for at a time. */
  readonly clients: number;
  /** False: what is held goes on, and nothing more is granted. */
  open: boolean;
  /** The places that are held, by slot number, from 1. */
  readonly held: Map<number, HeldSlot>;
}

/** A client: how much it wants, where it may have it, and whether it is its turn. */
export interface ClientState {
  readonly id: RuntimeId;
  readonly name: string;
  /** How many workers it may have, those it has closed not counted. */
  wants: number;
  readonly asked: number;
  readonly weight: number;
  /** It has the whole cluster, alone, when its turn comes. */
  readonly exclusive: boolean;
  /** When it asked first, by the scheduler's clock. */
  since: number;
  /** It has asked only just now: a client that asked before it may still be on the way. */
  early: boolean;
  /** It takes only workers of hosts for which it has said how many it wants. */
  readonly picky: boolean;
  /** The most workers that its allocations take of a host. */
  readonly most: Map<RuntimeId, number>;
  /** What it has closed. */
  readonly limits: Map<RuntimeId, { readonly most: number; readonly shut: ReadonlySet<number> }>;
  admitted: boolean;
  /** It does not answer: it keeps what it has, and is granted nothing. */
  silent: boolean;
  holds: number;
  /** How many of its places have been asked back, and how many of these so often that they are not counted on. */
  leaving: number;
  overdue: number;
  /** The slots it holds, by host. */
  readonly on: Map<RuntimeId, Set<number>>;
}

/** How much a client takes of a host: at most so many workers, and some of them not at all. */
export interface ClientLimit {
  readonly host: RuntimeId;
  readonly most: number;
  readonly shut: readonly number[];
}

/** The whole state of a scheduler. */
export interface ScheduleState {
  readonly hosts: Map<RuntimeId, HostState>;
  /** In the order in which they asked. SS2 */
  readonly clients: Map<RuntimeId, ClientState>;
  /** Places held by clients that have not (yet) come back to this scheduler. */
  readonly strangers: Map<RuntimeId, number>;
  /** Open hosts by how many places they have free; the index is the number. */
  readonly byFree: Set<HostState>[];
  epoch: number;
}

export function emptyState(): ScheduleState {
  return { hosts: new Map(), clients: new Map(), strangers: new Map(), byFree: [], epoch: 0 };
}

/** How many places of a host nobody holds. */
export function freeOf(host: HostState): number {
  return host.workers - host.held.size;
}

/** Puts a host into the index of free places, or takes it out. */
export function index(state: ScheduleState, host: HostState, present: boolean): void {
  const free = freeOf(host);
  if (!present || !host.open || free <= 0) {
    state.byFree[free]?.delete(host);
    return;
  }
  for (let i = state.byFree.length; i <= free; i++) state.byFree.push(new Set());
  state.byFree[free]?.add(host);
}

/** A client closes workers, or wants them again: no other takes the place of one that is closed. */
export function limit(client: ClientState, limits: readonly ClientLimit[]): void {
  for (const { host, most, shut } of limits) client.limits.set(host, { most, shut: new Set(shut) });
  let closed = 0;
  for (const { shut } of client.limits.values()) closed += shut.size;
  client.wants = client.asked - closed;
}

/** Gives a place to a client. SS1 */
export function take(state: ScheduleState, host: HostState, slot: number, client: RuntimeId, epoch: number): void {
  index(state, host, false);
  host.held.set(slot, { client, epoch, asked: 0 });
  index(state, host, true);
  const known = state.clients.get(client);
  if (known) hold(known, host.id, slot);
  else state.strangers.set(client, (state.strangers.get(client) ?? 0) + 1);
}

/** Takes a place back from whoever holds it. SS1 */
export function give(state: ScheduleState, host: HostState, slot: number): void {
  const held = host.held.get(slot);
  if (!held) return;
  index(state, host, false);
  host.held.delete(slot);
  index(state, host, true);
  const known = state.clients.get(held.client);
  if (known) {
    known.holds--;
    count(known, held, -1);
    const slots = known.on.get(host.id);
    slots?.delete(slot);
    if (slots?.size === 0) known.on.delete(host.id);
    return;
  }
  const left = (state.strangers.get(held.client) ?? 1) - 1;
  if (left > 0) state.strangers.set(held.client, left);
  else state.strangers.delete(held.client);
}

/** A place is asked back, once more; or may stay. */
export function ask(state: ScheduleState, held: HeldSlot, back = true): void {
  const known = state.clients.get(held.client);
  if (!known) return;
  count(known, held, -1);
  held.asked = back ? held.asked + 1 : 0;
  count(known, held, 1);
}

/** The places that a client has been asked for. */
export function askedOf(state: ScheduleState, client: ClientState): { host: HostState; slot: number; held: HeldSlot }[] {
  if (client.leaving === 0) return [];
  return [...client.on].flatMap(([id, slots]) => {
    const host = state.hosts.get(id);
    if (!host) return [];
    return [...slots].flatMap((slot) => {
      const held = host.held.get(slot);
      return held && held.asked > 0 ? [{ host, slot, held }] : [];
    });
  });
}

function count(client: ClientState, { asked }: HeldSlot, by: 1 | -1): void {
  if (asked > 0) client.leaving += by;
  if (asked >= OVERDUE) client.overdue += by;
}

/** Adds a client; what hosts say it holds already is its own. */
export function join(state: ScheduleState, client: ClientState): void {
  const isNew = !state.clients.has(client.id);
  state.clients.set(client.id, client);
  if (isNew) lineUp(state, client);
  state.strangers.delete(client.id);
  for (const host of state.hosts.values())
    for (const [slot, held] of host.held) {
      if (held.client !== client.id) continue;
      hold(client, host.id, slot);
      count(client, held, 1);
    }
}

/** A client is known to have asked before the time that was taken for it. SS2 */
export function askedAt(state: ScheduleState, client: ClientState, since: number): void {
  if (since >= client.since) return;
  client.since = since;
  lineUp(state, client);
}

// SS2
function lineUp(state: ScheduleState, client: ClientState): void {
  const later = [...state.clients.values()].filter((other) => other !== client && other.since > client.since);
  for (const one of [client, ...later]) {
    state.clients.delete(one.id);
    state.clients.set(one.id, one);
  }
}

/** Takes a client out; what it still holds is a stranger's until the hosts say that it is free. */
export function leave(state: ScheduleState, id: RuntimeId): void {
  const client = state.clients.get(id);
  if (!client) return;
  state.clients.delete(id);
  if (client.holds > 0) state.strangers.set(id, client.holds);
}

function hold(client: ClientState, host: RuntimeId, slot: number): void {
  client.holds++;
  let slots = client.on.get(host);
  if (!slots) {
    slots = new Set();
    client.on.set(host, slots);
  }
  slots.add(slot);
}

/** Throws if the state contradicts itself. */
export function checkState(state: ScheduleState): void {
  const holds = new Map<RuntimeId, number>();
  for (const host of state.hosts.values()) {
    for (const [slot, { client, epoch }] of host.held) {
      invariant(slot >= 1 && slot <= host.workers, 'a held place exists');
      invariant(epoch <= state.epoch, 'no place is held under an epoch to come');
      invariant(state.clients.get(client)?.on.get(host.id)?.has(slot) ?? state.strangers.has(client), 'its holder knows of it');
      holds.set(client, (holds.get(client) ?? 0) + 1);
    }
    const free = freeOf(host);
    for (const [number, hosts] of state.byFree.entries())
      invariant(hosts.has(host) === (host.open && free > 0 && number === free), 'a host is in the index where it belongs');
  }
  let since = Number.NEGATIVE_INFINITY;
  for (const client of state.clients.values()) {
    invariant(client.since >= since, 'clients are in the order in which they asked');
    since = client.since;
    invariant((holds.get(client.id) ?? 0) === client.holds, 'the count of what a client holds is right');
    const asked = askedOf(state, client);
    invariant(asked.length === client.leaving, 'the count of what has been asked back is right');
    invariant(asked.filter(({ held }) => held.asked >= OVERDUE).length === client.overdue, 'the count of what is overdue is right');
    invariant(client.holds === 0 || client.admitted, 'who holds a place has been admitted');
  }
  for (const [id, count] of state.strangers) invariant(holds.get(id) === count, 'the count of what a stranger holds is right');
}
