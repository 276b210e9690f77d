// Orders: what a program does to its hosts and workers by name: enable, suspend, resume, close, restart, abandon.
//
//   OR1. A silent host is kept, with its tasks, until it is abandoned; it gets no new work, and calls that may be tried again go elsewhere.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import { HOST } from '../../host/index.ts';

import { isAt, type Member, PAUSE } from '../dispatch/work.ts';
import { means, unknownPlace } from '../where.ts';
import type { Crew, CrewParts } from './crew.ts';
import type { Station } from './station.ts';

const RESTARTS = 'its host restarts';

/** The orders of one client. A name means a host or worker as in `client.with({ at })`; a name that means none is ERR_HOST_UNKNOWN. */
export class Orders {
  readonly #crew: Crew;
  readonly #client: CrewParts;

  constructor(crew: Crew, client: CrewParts) {
    this.#crew = crew;
    this.#client = client;
    crew.leavings.on(({ station, reason }) => void this.#closeStation(station, false, reason).catch(() => {}));
  }

  /** Lets a host be used: a discovered one, with these arguments for its setup, or a suspended one. */
  enableHost(where: string, args: readonly unknown[]): void {
    for (const station of this.hosts(where)) {
      station.enabled.resolve(args.length > 0 ? args : undefined);
      this.#resumeStation(station);
    }
  }

  /** Lets a worker be used: a discovered one, with these arguments for its setup, or a suspended one. */
  enableWorker(where: string, args: readonly unknown[]): void {
    let found = false;
    for (const { info, enabled } of this.#crew.state.unused.values()) {
      const { addresses = [] } = this.#crew.stations.get(info.host) ?? {};
      if (where !== info.name && !means(where, info.name, addresses, info.slot)) continue;
      found = true;
      enabled.resolve(args.length > 0 ? args : undefined);
    }
    if (!found) this.resumeWorker(where);
  }

  /** Gives a worker no new work; work under way goes on. Suspending a host's last worker suspends the host. */
  suspendWorker(where: string): void {
    for (const member of this.workers(where)) {
      if (member.pause & PAUSE.SUSPENDED) continue;
      member.pause |= PAUSE.SUSPENDED;
      this.#crew.events.emit(this.#crew.told('worker-suspended', member));
      const station = this.#crew.stations.get(member.info.host);
      if (station && this.#crew.of(station).every(({ pause }) => pause & PAUSE.SUSPENDED)) this.#setSuspended(station, true);
    }
  }

  resumeWorker(where: string): void {
    for (const member of this.workers(where)) {
      const station = this.#crew.stations.get(member.info.host);
      if (station?.suspended) this.#setSuspended(station, false);
      if (!(member.pause & PAUSE.SUSPENDED)) continue;
      member.pause &= ~PAUSE.SUSPENDED;
      this.#crew.events.emit(this.#crew.told('worker-resumed', member));
    }
    this.#client.dispatcher.pump();
  }

  suspendHost(where: string): void {
    for (const station of this.hosts(where)) this.#setSuspended(station, true);
  }

  resumeHost(where: string): void {
    for (const station of this.hosts(where)) this.#resumeStation(station);
  }

  /** Ends workers when they have nothing under way, or at once with `terminate`. Resolves when they are gone. */
  async closeWorker(where: string, terminate: boolean, restart: boolean): Promise<void> {
    const { limits } = this.#client;
    const reopened = restart && limits.reopen(where);
    const members = reopened ? this.#at(where) : this.workers(where);
    await Promise.all(
      members.map((member) => {
        const station = this.#crew.stations.get(member.info.host);
        if (!restart && station) limits.shut(station, member.info.slot);
        return this.#close(member, terminate, restart, 'its client closed it');
      }),
    );
  }

  /** Ends all workers of hosts and gives their places back. Resolves when the client holds none of them. */
  async closeHost(where: string, terminate: boolean): Promise<void> {
    await Promise.all(this.hosts(where).map((station) => this.#closeStation(station, terminate, 'its client closed it')));
  }

  /** Ends all workers of hosts, sets the hosts up again (with their last arguments, if none are given), and starts workers anew. */
  async restartHost(where: string, args: readonly unknown[], terminate: boolean): Promise<void> {
    await Promise.all(
      this.hosts(where).map(async (station) => {
        const members = this.#crew.of(station);
        const slots = members.map((member) => member.info.slot);
        station.phase = 'discovered';
        await Promise.all(members.map((member) => this.#close(member, terminate, false, RESTARTS)));
        if (args.length > 0) station.args = args;
        await this.#client.provision.setUpHost(station, station.args);
        station.phase = 'initialized';
        await this.#crew.asks.begin(station, slots);
      }),
    );
  }

  /** Whether a silent peer is held. The scheduler is, too, so that it knows this client as the same one when it is heard again. OR1 */
  keeps(peer: RuntimeId): boolean {
    if (this.#crew.scheduler?.is(peer)) return !this.#crew.state.closing;
    const station = this.#crew.stations.get(this.#crew.members.get(peer)?.info.host ?? peer);
    return station !== undefined && !this.#crew.state.closing && !(station.abandon ?? this.#client.options.abandonZombieHosts === true);
  }

  /** Notes that a host or worker is silent, or heard again: its work may be needed elsewhere, or needs no second worker any more. OR1 */
  peerOffline(peer: RuntimeId, offline: boolean): void {
    if (this.#crew.scheduler?.is(peer)) this.#crew.scheduler.offline(offline);
    const station = this.#crew.stations.get(peer);
    if (station) {
      if (station.offline === offline) return;
      station.offline = offline;
      this.#crew.events.emit({ kind: offline ? 'host-offline' : 'host-online', host: station.name, info: station.info });
      const limit = this.#client.options.abandonZombieHosts;
      if (offline && station.abandon === undefined && typeof limit === 'number')
        this.#client.runtime.environment.clock.after(limit, () => station.offline && this.abandon(station.id), { background: true });
    }
    for (const member of this.#crew.members.values()) {
      if (member.info.host !== peer && member.info.id !== peer) continue;
      member.pause = offline ? member.pause | PAUSE.OFFLINE : member.pause & ~PAUSE.OFFLINE;
      if (offline) this.#client.dispatcher.doubt(member);
      else this.#client.dispatcher.trust(member);
    }
  }

  /** Gives a silent host or worker up: it counts as lost from now on. */
  abandon(peer: RuntimeId): void {
    const workers = [...this.#crew.members.values()].filter((member) => member.info.host === peer).map((member) => member.info.id);
    for (const id of [...workers, peer])
      this.#client.runtime.links.end(id, { kind: 'silent', message: 'it was silent, and has been abandoned', lost: 'host' });
  }

  /** Sets whether silent hosts are given up (at once, if they are silent now) or kept, whatever the client's option says. */
  abandonZombie(where: string | undefined, flag: boolean): void {
    const stations = where === undefined ? [...this.#crew.stations.values()] : this.hosts(where);
    for (const station of stations) {
      station.abandon = flag;
      if (flag && station.offline) this.abandon(station.id);
    }
  }

  /** The hosts that a name means. Throws ERR_HOST_UNKNOWN. */
  hosts(where: string): Station[] {
    const known = [...this.#crew.stations.values()];
    const found = known.filter((station) => station.is(where));
    if (found.length > 0) return found;
    throw unknownPlace(
      where,
      'host',
      known.map(({ name }) => name),
    );
  }

  /** The workers that a name means. Throws ERR_HOST_UNKNOWN. */
  workers(where: string): Member[] {
    const found = this.#at(where);
    if (found.length > 0) return found;
    throw unknownPlace(
      where,
      'worker',
      [...this.#crew.members.values()].map(({ info }) => info.name),
    );
  }

  #at(where: string): Member[] {
    return [...this.#crew.members.values()].filter((member) => isAt(member, where));
  }

  async #close(member: Member, terminate: boolean, restart: boolean, reason: string): Promise<void> {
    const gone = this.#crew.leave(member, restart, reason);
    if (terminate) {
      const { host, slot, id } = member.info;
      const asked = this.#client.runtime.post.at(host, HOST).interrupt(slot, reason, restart);
      await asked.catch((error: unknown) => {
        if (this.#crew.members.has(id)) throw error;
      });
    }
    await gone;
  }

  async #closeStation(station: Station, terminate: boolean, reason: string): Promise<void> {
    if (station.phase === 'leaving') return station.left.promise;
    station.phase = 'leaving';
    void this.#client.limits.atMost(station, 0, 'asked');
    const members = this.#crew.of(station);
    const working = new Set(members.map((member) => member.info.slot));
    for (const slot of [...station.slots]) if (!working.has(slot)) this.#crew.giveBack(station, slot, reason);
    await Promise.all(members.map((member) => this.#close(member, terminate, false, reason)));
    await station.left.promise;
  }

  #resumeStation(station: Station): void {
    for (const member of this.#crew.of(station)) {
      if (!(member.pause & PAUSE.SUSPENDED)) continue;
      member.pause &= ~PAUSE.SUSPENDED;
      this.#crew.events.emit(this.#crew.told('worker-resumed', member));
    }
    if (station.suspended) this.#setSuspended(station, false);
    this.#client.dispatcher.pump();
  }

  #setSuspended(station: Station, suspended: boolean): void {
    if (station.suspended === suspended) return;
    station.suspended = suspended;
    for (const member of this.#crew.of(station)) {
      if (suspended) member.pause |= PAUSE.HOST_SUSPENDED;
      else member.pause &= ~PAUSE.HOST_SUSPENDED;
    }
    this.#crew.events.emit({ kind: suspended ? 'host-suspended' : 'host-resumed', host: station.name, info: station.info });
  }
}

/** Throws ERR_OPTION_INVALID unless a place was named. */
export function checkWhere(method: string, where: unknown): void {
  if (typeof where === 'string' && where !== '') return;
  throw new FlotillaError('ERR_OPTION_INVALID', `client.${method}: the first argument must name a host or worker; it is ${String(where)}.`);
}
