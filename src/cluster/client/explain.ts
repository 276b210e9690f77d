// Explains in lines for people why work or a client waits: what each host does instead, and what would change it.
import type { RuntimeId } from '../../base/index.ts';
import type { Post } from '../../kernel/index.ts';
import type { Crew } from '../crew/crew.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { isAt, PAUSE, type Work } from '../dispatch/work.ts';
import { CLIENT } from '../protocol.ts';
import { admits, appetite, type ClientState, freeOf, type HostState, type ScheduleState } from '../schedule/index.ts';

const MOST_KINDS = 8;

/** Why a client has its places and no more, as its scheduler sees it. */
export function explainClient(state: ScheduleState, client: ClientState, refused: ReadonlyMap<RuntimeId, string>): string[] {
  const wants = Number.isFinite(client.wants) ? `${client.wants}` : 'all it may have';
  const lines = [`client '${client.name}' holds ${client.holds} worker${client.holds === 1 ? '' : 's'} and wants ${wants}`];
  if (!client.admitted) return [...lines, `  it waits for its turn: ${waitsFor(state, client)}`];
  if (client.holds >= client.wants) return lines;
  if (state.hosts.size === 0) return [...lines, '  no host has joined this scheduler. Start one on each machine: flotilla host'];
  for (const host of state.hosts.values()) lines.push(`  host '${host.name}': ${whyNotMore(state, client, host, refused)}`);
  return lines;
}

function waitsFor(state: ScheduleState, client: ClientState): string {
  const all = [...state.clients.values()];
  const place = all.indexOf(client);
  const before = all.filter((other, i) => other !== client && (other.admitted || (client.exclusive && i < place)));
  const names = before.map(({ name }) => `'${name}'`).join(', ');
  if (client.exclusive && before.length > 0) return `it wants the whole cluster, and ${names} must end first`;
  const alone = before.find((other) => other.exclusive);
  if (alone) return `'${alone.name}' has the whole cluster until it ends`;
  if (client.early) return 'it has only just asked, and who asked before it may still be on the way';
  const next = all.find((other) => !other.admitted && other.exclusive);
  return next && next !== client
    ? `'${next.name}' came before and waits for the whole cluster`
    : 'clients of before a restart still hold hosts';
}

function whyNotMore(state: ScheduleState, client: ClientState, host: HostState, refused: ReadonlyMap<RuntimeId, string>): string {
  const here = client.on.get(host.id)?.size ?? 0;
  const all = `${here} of ${host.workers} workers are this client's`;
  if (!host.open) return `${all}; it takes nobody now (service hours, or it is being closed)`;
  if (appetite(client, host.id) <= 0) {
    const why = refused.get(host.id);
    return `${all}; ${why ? `refused: ${why}` : 'the client takes no more of it'}`;
  }
  if (!admits(host, client))
    return `${all}; it works for ${host.clients} client${host.clients === 1 ? '' : 's'} at a time: more --user would help`;
  if (freeOf(host) > 0) return `${all}; ${freeOf(host)} are being granted`;
  const others = new Map<string, number>();
  for (const held of host.held.values()) {
    if (held.client === client.id) continue;
    const name = state.clients.get(held.client)?.name ?? 'a client of before a restart';
    others.set(name, (others.get(name) ?? 0) + 1);
  }
  if (others.size === 0) return `${all}, which is all it has. More hosts, or hosts with more workers, would help`;
  const list = [...others].map(([name, count]) => `${count} '${name}'`).join(', ');
  return `${all}; the others hold ${list}. A greater weight, or the end of those, would help`;
}

/** Why clients (one by name or id, or each) have their places; each client is asked what work waits in it. */
export async function explainClients(
  state: ScheduleState,
  which: string | undefined,
  why: (client: ClientState) => string[],
  post: Post,
): Promise<string[]> {
  const all = [...state.clients.values()];
  const clients = all.filter(({ id, name }) => which === undefined || name === which || id.startsWith(which));
  if (which !== undefined && clients.length === 0)
    return [`There is no client '${which}' here. ${all.length} are: ${all.map(({ name }) => name).join(', ') || 'none'}.`];
  const lines: string[] = [];
  for (const client of clients) {
    lines.push(...why(client));
    const own = post.peers.has(client.id)
      ? await post
          .at(client.id, CLIENT, { timeout: 2_000 })
          .explain()
          .catch(() => ['  it does not say what waits in it: it computes, or is silent'])
      : [];
    lines.push(...own);
  }
  return lines.length > 0 ? lines : ['No client is connected.'];
}

/** What work waits in a client, and why. */
export function explainWork(dispatcher: Dispatcher, crew: Crew): string[] {
  const stations = [...crew.stations.values()];
  const lines: string[] = [];
  for (const station of stations) {
    const members = crew.of(station);
    const why = station.offline
      ? 'is silent; what it had is kept (client.abandonZombie gives it up)'
      : station.suspended
        ? `is suspended: client.resumeHost('${station.name}')`
        : station.phase === 'leaving'
          ? 'is being closed'
          : members.length === 0
            ? `does not work yet: ${station.waitsFor}`
            : '';
    const busy = members.filter((member) => member.inFlight.size > 0 || member.tasks.size > 0).length;
    lines.push(`  host '${station.name}' ${why || `has ${members.length} workers, ${busy} of them busy`}`);
  }
  for (const name of crew.returns.abandoned.values())
    lines.push(`  host '${name}' was silent and has been abandoned; it is used again when it is back`);
  if (stations.length === 0) lines.push('  it has no host');
  const kinds = new Map<string, { count: number; work: Work; why: () => string }>();
  const count = (all: Iterable<Work>, why: (work: Work) => string): void => {
    for (const work of all) {
      const key = `${work.job.id} ${work.at ?? ''} ${work.io} ${work.job.ready}`;
      const kind = kinds.get(key);
      if (kind) kind.count++;
      else kinds.set(key, { count: 1, work, why: () => why(work) });
    }
  };
  count(dispatcher.queued(), (work) => whyWaits(work, dispatcher, crew));
  count(dispatcher.coming(), () => whyComing(crew));
  for (const { count, work, why } of [...kinds.values()].slice(0, MOST_KINDS))
    lines.push(`  ${count} × '${work.job.label}'${work.at === undefined ? '' : ` at '${work.at}'`} wait: ${why()}`);
  if (kinds.size > MOST_KINDS) lines.push(`  and ${kinds.size - MOST_KINDS} more kinds of work`);
  if (kinds.size === 0) lines.push(`  nothing waits; ${dispatcher.running} calls are under way`);
  return lines;
}

/** Why some work waits for a worker: what the workers that may have it do instead. */
export function whyWaits(work: Work, dispatcher: Dispatcher, crew: Crew): string {
  const { at, job, io } = work;
  const all = dispatcher.members;
  const there = at === undefined ? all : all.filter((member) => isAt(member, at));
  if (all.length === 0)
    return `there is no worker yet${crew.state.lastFailure ? `; the last that failed: ${crew.state.lastFailure.message}` : ''}`;
  if (at !== undefined && crew.isShut(at)) return `it was closed: client.restartWorker('${at}') starts it again`;
  if (there.length === 0) return `no worker is at '${at}'; there are ${all.map(({ info }) => info.name).join(', ')}`;
  const refused = there.filter((member) => job.refusedBy.has(member.info.host));
  if (refused.length === there.length) return `no host there can run it: ${[...job.refusedBy.values()][0]?.message}`;
  const paused = there.filter((member) => member.pause !== 0);
  if (paused.length === there.length)
    return paused.every((member) => member.pause & PAUSE.OFFLINE) ? 'the workers there are silent' : 'the workers there are suspended';
  const alone = there.filter((member) => member.alone);
  if (alone.length + paused.length === there.length)
    return `each of ${alone.length} workers is held by a task of its own; with({ io: n }) lets several share one, more workers would help`;
  if (io > 0) return `each of ${there.length} workers runs ${io} of them already: a greater io, or more workers, would help`;
  return `all ${there.length} workers are busy; more workers would help`;
}

/** Why the code of coming work is not on the hosts yet. */
export function whyComing(crew: Crew): string {
  const late = [...crew.stations.values()].filter(({ phase }) => phase === 'discovered');
  if (late.length === 0) return 'its code is on its way to the hosts';
  return `its code waits for ${late.map(({ name, waitsFor }) => `host '${name}' (${waitsFor})`).join(', ')}`;
}
