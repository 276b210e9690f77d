// The status of a cluster, as its scheduler sees it: its clients, and its hosts, with the holders of their places and since when.
import type { RuntimeId } from '../../base/index.ts';
import type { HostPulse, Offer } from '../../host/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import type { ClusterStatus, Counters, Holder } from '../protocol.ts';
import type { ClientState, HostState, ScheduleState } from '../schedule/index.ts';

const MOST_WHYS = 8;

/** The knowledge of a scheduler beside its schedule. */
export interface Seen {
  readonly reports: ReadonlyMap<RuntimeId, HostPulse>;
  readonly offers: ReadonlyMap<RuntimeId, Offer>;
  /** The time at which each epoch was granted, by the clock. */
  readonly grantedAt: ReadonlyMap<number, number>;
  counters(client: RuntimeId): Counters | undefined;
}

export function clusterStatus({ name: scheduler, environment }: Runtime, state: ScheduleState, seen: Seen): ClusterStatus {
  const { hosts, clients } = state;
  const nameOf = (client: RuntimeId): string => clients.get(client)?.name ?? client.slice(0, 8);
  const now = environment.clock.now();
  return {
    scheduler,
    hosts: [...hosts.values()].map((host) => {
      const { id, name, addresses, workers, held, open } = host;
      const report = seen.reports.get(id);
      const slots = (report?.slots ?? []).map((slot) => ({ ...slot, clientName: nameOf(slot.client) }));
      const platform = seen.offers.get(id)?.facts.platform ?? '';
      const holders = holdersOf(host, nameOf, (epoch) => now - (seen.grantedAt.get(epoch) ?? now));
      return { id, name, addresses, platform, workers, granted: held.size, open, availability: report?.availability, slots, holders };
    }),
    clients: [...clients.values()].map(({ id, name, wants, holds, weight, exclusive, admitted }) => ({
      id,
      name,
      workers: holds,
      wants: Number.isFinite(wants) ? wants : undefined,
      weight,
      exclusive,
      admitted,
      counters: seen.counters(id),
    })),
  };
}

function holdersOf({ held }: HostState, nameOf: (client: RuntimeId) => string, ageOf: (epoch: number) => number): Holder[] {
  const holders = new Map<RuntimeId, { client: RuntimeId; name: string; workers: number; ms: number }>();
  for (const { client, epoch } of held.values()) {
    const known = holders.get(client) ?? { client, name: nameOf(client), workers: 0, ms: 0 };
    holders.set(client, { ...known, workers: known.workers + 1, ms: Math.max(known.ms, ageOf(epoch)) });
  }
  return [...holders.values()];
}

/** The places of a client, by host, that have been idle for so long. */
export function idleOf(
  { id, on }: ClientState,
  reports: ReadonlyMap<RuntimeId, HostPulse>,
  ms: number,
): { readonly host: RuntimeId; readonly slots: readonly number[] }[] {
  return [...on].map(([host, held]) => {
    const all = reports.get(host)?.slots ?? [];
    return { host, slots: all.filter((one) => one.client === id && held.has(one.slot) && one.idleMs >= ms).map(({ slot }) => slot) };
  });
}

/** Why a client has no worker, host by host: "client 'b' has both workers of host 'a' since 40 s". */
export function waitsText({ hosts }: ClusterStatus, client: RuntimeId, refused: ReadonlyMap<string, string>): string {
  const whys = hosts.flatMap((host) => {
    const why = refused.get(host.name);
    if (why !== undefined) return [`host '${host.name}' is not taken: ${why}`];
    if (host.holders.some((holder) => holder.client === client)) return [`this client's workers on host '${host.name}' are starting`];
    if (host.holders.length > 0) return host.holders.map((holder) => holderText(host, holder));
    return [host.open ? `the workers of host '${host.name}' are being granted` : `host '${host.name}' takes nobody now`];
  });
  const more = whys.length > MOST_WHYS ? `; and ${whys.length - MOST_WHYS} more: flotilla explain` : '';
  return `${whys.slice(0, MOST_WHYS).join('; ')}${more}`;
}

function holderText({ name: host, workers: all }: ClusterStatus['hosts'][number], { name, workers, ms }: Holder): string {
  const whole = all === 1 ? 'the worker' : all === 2 ? 'both workers' : `all ${all} workers`;
  const has = workers === all ? whole : `${workers} of ${all} workers`;
  return `client '${name}' has ${has} of host '${host}'${ms >= 1_000 ? ` since ${Math.round(ms / 1_000)} s` : ''}`;
}
