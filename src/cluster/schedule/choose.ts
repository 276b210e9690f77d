// Chooses the client that gets the next free place, its host, and the client that must give one back: by turns, then by weighted share.
import type { RuntimeId } from '../../base/index.ts';
import type { ClientState, HostState, ScheduleState } from './state.ts';

/** The clients whose turn has just come, in order. An exclusive one waits for all before it, and a moment for late ones; none passes it. */
export function nextTurns(state: ScheduleState): ClientState[] {
  const turns: ClientState[] = [];
  let active = state.strangers.size;
  let alone = false;
  for (const client of state.clients.values()) {
    if (!client.admitted) continue;
    active++;
    alone ||= client.exclusive;
  }
  for (const client of state.clients.values()) {
    if (alone) break;
    if (client.admitted) continue;
    if (client.exclusive && (active > 0 || client.early)) break;
    turns.push(client);
    active++;
    alone = client.exclusive;
  }
  return turns;
}

/** Whether a client that holds so many wants more, now. */
export function isWaiting({ admitted, silent, wants }: ClientState, holds: number): boolean {
  return admitted && !silent && holds < wants;
}

/** Whether a place is better held by another: by one that has none, or if giving it does not only turn the tables. */
export function isFairer(from: ClientState, fromHolds: number, to: ClientState, toHolds: number): boolean {
  return (toHolds === 0 && fromHolds > 1) || (fromHolds - 1) / from.weight >= (toHolds + 1) / to.weight;
}

/** The client furthest below its share among those that want more; `counts` adds to the number of places that each holds. */
export function neediest(
  clients: Iterable<ClientState>,
  stuck: ReadonlySet<ClientState>,
  counts?: ReadonlyMap<ClientState, number>,
): ClientState | undefined {
  let best: ClientState | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const client of clients) {
    const holds = client.holds + (counts?.get(client) ?? 0);
    if (!isWaiting(client, holds) || stuck.has(client)) continue;
    const share = holds / client.weight;
    if (share >= least) continue;
    best = client;
    least = share;
  }
  return best;
}

/** The client to take a place from so that `needy` comes closer to its share; undefined if that would only turn the tables. */
export function donor(
  state: ScheduleState,
  needy: ClientState,
  needyHolds: number,
  excluded: ReadonlySet<ClientState>,
): ClientState | undefined {
  let best: ClientState | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const client of state.clients.values()) {
    const holds = client.holds - client.leaving;
    // A client that owes places it cannot give yet gives as soon as it can, so it is not asked for more; a silent client hears nothing.
    if (client === needy || client.silent || client.overdue > 0 || holds === 0 || excluded.has(client)) continue;
    if (!isFairer(client, holds, needy, needyHolds)) continue;
    const share = holds / client.weight;
    if (share <= most) continue;
    best = client;
    most = share;
  }
  return best;
}

/** Whether a host works for a client, or for one more. */
export function admits(host: HostState, client: ClientState): boolean {
  if (host.clients === Number.POSITIVE_INFINITY || client.on.has(host.id)) return true;
  return new Set([...host.held.values()].map((held) => held.client)).size < host.clients;
}

function isUseful(host: HostState | undefined, needy: readonly ClientState[]): boolean {
  return host?.open === true && needy.some((one) => appetite(one, host.id) > 0 && admits(host, one));
}

/** The hosts of a client where a place may be given back instead of one that was asked for; undefined: any. */
export function alternatives(state: ScheduleState, from: ClientState, needy: readonly ClientState[]): RuntimeId[] | undefined {
  const hosts = [...from.on.keys()];
  const useful = hosts.filter((id) => isUseful(state.hosts.get(id), needy));
  return useful.length === hosts.length ? undefined : useful;
}

/** How many more workers of a host a client takes. */
export function appetite(client: ClientState, host: RuntimeId): number {
  const allowed = client.most.get(host) ?? (client.picky ? 0 : Number.POSITIVE_INFINITY);
  const most = Math.min(allowed, client.limits.get(host)?.most ?? Number.POSITIVE_INFINITY);
  return most - (client.on.get(host)?.size ?? 0);
}

/** A host with a free place for a client: the one with most of them, so that work spreads. */
export function roomiest(state: ScheduleState, client: ClientState): HostState | undefined {
  const { byFree } = state;
  while (byFree.length > 0 && byFree.at(-1)?.size === 0) byFree.pop();
  for (let free = byFree.length - 1; free > 0; free--)
    for (const host of byFree[free] as Set<HostState>)
      if (appetite(client, host.id) > 0 && admits(host, client) && (client.limits.size === 0 || freeSlot(host, client) > 0)) return host;
  return undefined;
}

/** The lowest free slot of a host that a client takes; 0: there is none. */
export function freeSlot(host: HostState, client: ClientState): number {
  for (let slot = 1; slot <= host.workers; slot++) if (!host.held.has(slot) && !isShut(client, host.id, slot)) return slot;
  return 0;
}

/** Whether a client has closed a worker. */
export function isShut({ limits }: ClientState, host: RuntimeId, slot: number): boolean {
  return limits.get(host)?.shut.has(slot) ?? false;
}
