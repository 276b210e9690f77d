// The hosts and workers that a client has: granted by a scheduler, set up, watched until they leave.
//
// Owns what the client knows of hosts and workers, and tells of each change. Does not own what they work on (dispatch/),
// nor what is sent ahead (provision.ts).
//
//   CW1. Of each host and worker every change is told once: discovered before initialized, a host before its workers, its end after theirs.
//   CW2. A worker's loss is told with its reason: the host's report is waited for, as long as the host is there.
//   CW3. A place that was closed on purpose is not asked for again.
import { Deferred, defined, Events, FlotillaError, hasCode, type Log, type RuntimeId, toError } from '../../base/index.ts';
import { HOST, type HostNotice, SET_UP_SLOT, type WorkerInfo } from '../../host/index.ts';
import { isSessionLoss, type Kernel, type SessionEnd } from '../../kernel/index.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { type Loss, type Member, newMember, PAUSE } from '../dispatch/work.ts';
import type { Change, OutputLine, Telling } from '../events.ts';
import type { SchedulerNotice } from '../protocol.ts';
import { agreePulse, HostAsks } from './host-asks.ts';
import { Partings } from './parting.ts';
import type { CrewParts, StationEnd } from './parts.ts';
import { placeOf, type WorkerKind, workerEvent } from './present.ts';
import { type CrewScheduler, Returns } from './returns.ts';
import { type CrewState, enlist, membersOf, type Unused } from './state.ts';
import { Station } from './station.ts';
import { failWaiting } from './waiting.ts';

const REPORT_MS = 1_000;

/** The crew of one client. */
export class Crew {
  readonly events: Telling;
  readonly partings: Partings;
  readonly state: CrewState;
  readonly stations: CrewState['stations'];
  readonly members: CrewState['members'];
  readonly history: CrewState['history'];
  /** Hosts that want to be left. */
  readonly leavings = new Events<StationEnd>();
  /** The last host has closed this client for good. */
  readonly bars = new Events<StationEnd>();
  failures = 0;
  lastFailure: Error | undefined;
  /** The client leaves: what ends now is no loss. */
  closing = false;
  readonly #client: CrewParts;
  readonly #kernel: Kernel;
  readonly #dispatcher: Dispatcher;
  readonly #log: Log;
  readonly asks: HostAsks;
  /** What is owed to other clients. */
  readonly returns: Returns;
  scheduler: CrewScheduler | undefined;
  /** The worker of each place that was last said to be there. */
  readonly #latest = new Map<string, RuntimeId>();
  /** The arguments with which a place was set up last. */
  readonly #workerArgs = new Map<string, readonly unknown[]>();
  /** What becomes of a place when its worker has nothing under way. */
  readonly #after = new Map<RuntimeId, { restart: boolean; reason: string | undefined; done: Deferred<void> }>();

  constructor(client: CrewParts) {
    this.#client = client;
    this.state = client.state;
    this.stations = this.state.stations;
    this.members = this.state.members;
    this.history = this.state.history;
    this.#kernel = client.runtime.kernel;
    this.#dispatcher = client.dispatcher;
    this.#log = client.log;
    this.partings = new Partings(this.#kernel.clock);
    this.events = client.events;
    this.asks = new HostAsks(client.runtime, (station) => this.stations.get(station.id) === station);
    this.returns = new Returns({ clock: this.#kernel.clock, dispatcher: this.#dispatcher, limits: client.limits, of: this });
    this.#dispatcher.drains.on((member) => this.#drained(member));
  }

  /** Has this very process work, of which no change is told. */
  employ(member: Member): void {
    enlist(this.state, member);
    this.#dispatcher.add(member);
  }

  /** Takes a line of a worker. */
  output(line: OutputLine): void {
    this.#client.output(line);
  }

  /** What the scheduler grants. */
  granted(notice: SchedulerNotice & { kind: 'grant' }): void {
    if (this.closing) return; // the scheduler hears that it leaves, and takes all back
    const known = this.stations.get(notice.host);
    if (!known && this.#client.limits.bars(notice.host)) return this.asks.leave(notice.host);
    const station = known ?? new Station(notice.host, notice.facts, notice.addresses);
    for (const slot of notice.slots) station.slots.add(slot);
    station.epoch = notice.epoch;
    if (known) return known.phase === 'initialized' ? void this.#more(known, notice).catch(() => {}) : undefined;
    this.stations.set(station.id, station);
    this.#kernel.carrier.reach(notice.host, notice.addresses);
    this.#enter(station).catch((error: unknown) => this.#failed(station, toError(error)));
  }

  /** What a host says. */
  heard(host: RuntimeId, notice: HostNotice): void {
    if (notice.kind === 'output') {
      this.partings.heard(); // also what a host has left to bring of a place that was given back
      return this.output({ worker: notice.worker, stream: notice.stream, text: this.#client.mapStack(notice.text) });
    }
    const station = this.stations.get(host);
    if (!station) return;
    const setUp = `${station.name}/${SET_UP_SLOT}`;
    switch (notice.kind) {
      case 'worker-ready':
        if (notice.worker.slot === SET_UP_SLOT) return this.#client.provision.heard(host, notice.worker);
        return void this.#ready(station, notice.worker);
      case 'worker-ended': {
        const { name, worker, reason, lastLines, blameless, terminated } = notice;
        if (name === setUp) this.#client.provision.heard(host, undefined, reason);
        if (this.#client.provision.ended(worker, reason, lastLines)) return;
        if (this.#latest.get(name) === worker) this.#latest.delete(name);
        return this.#lost(worker, { worker: name, reason, lastLines, what: 'worker', blameless, terminated });
      }
      case 'worker-failed':
        if (notice.name === setUp) return this.#client.provision.heard(host, undefined, notice.reason);
        return this.#workerFailed(station, notice.name, new FlotillaError('ERR_HOST_START', notice.reason));
      case 'worker-closed':
        if (this.#latest.get(notice.name) !== notice.worker) return; // its place was given back before
        this.#latest.delete(notice.name);
        return this.#closedByHost(station, notice.slot, notice.reason);
      case 'dismissed':
        if (notice.tenancy !== station.tenancy) return;
        for (const slot of [...station.slots]) this.giveBack(station, slot, notice.reason, false);
        return this.#hostClosed(station, notice.reason);
      case 'host-leaving':
        this.#log.info(`Host '${station.name}' wants to be left: ${notice.reason}.`);
        if (notice.forGood) void this.#client.limits.atMost(station, 0, 'never');
        return this.leavings.emit({ station, reason: notice.reason });
      case 'availability':
        station.availability = notice.availability;
        return this.events.emit({ ...notice, host: station.name });
    }
  }

  /** A session with a peer has ended. CW2 */
  peerEnded(peer: RuntimeId, end: SessionEnd): void {
    const station = this.stations.get(peer);
    if (station && !this.closing) this.returns.disown(station, end.kind === 'silent');
    if (station) return this.#hostLost(station, new FlotillaError('ERR_SESSION_LOST', end.message), end.kind === 'closed');
    const member = this.members.get(peer);
    if (!member) return;
    member.state = 'lost';
    const loss: Loss = { worker: member.info.name, reason: end.message, lastLines: [], what: 'worker' };
    if (!this.stations.has(member.info.host)) return this.#lost(peer, loss);
    this.#kernel.clock.after(REPORT_MS, () => this.#lost(peer, loss), { background: true });
  }

  /** Workers that are discovered and wait to be enabled. */
  get unused(): Iterable<Unused> {
    return this.state.unused.values();
  }

  /** Whether a worker of this name was closed, and is not asked for. */
  isShut(where: string): boolean {
    return this.#client.limits.isShut(where);
  }

  /** The workers of a host. */
  of(station: Station): Member[] {
    return membersOf(this.state, station);
  }

  /** Whether it has been decided already what becomes of a worker's place. */
  decided(member: Member): boolean {
    return this.#after.has(member.info.id);
  }

  /** Everything ends now, on purpose: workers, then hosts. */
  dissolve(reason: string): void {
    this.returns.forget();
    for (const station of [...this.stations.values()]) for (const slot of [...station.slots]) this.giveBack(station, slot, reason);
  }

  /** The worker of a place. */
  at(station: Station, slot: number): Member | undefined {
    return this.of(station).find(({ info }) => info.slot === slot);
  }

  // More of a host that was granted before, unless its word that all of that is gone is still on its way.
  async #more(station: Station, notice: SchedulerNotice & { kind: 'grant' }): Promise<void> {
    const { tenancy } = await this.asks.attach(station);
    if (tenancy === station.tenancy) return this.asks.begin(station, notice.slots);
    this.#hostLost(station, new FlotillaError('ERR_CLUSTER_STALE_GRANT', 'it was granted anew'), true);
    this.granted(notice);
  }

  async #enter(station: Station): Promise<void> {
    const { runtime, options } = this.#client;
    const provision = this.#client.provision;
    const told = await this.asks.attach(station);
    station.tenancy = told.tenancy;
    agreePulse(runtime, station.name, told.pulse, this.#log);
    if (this.stations.get(station.id) !== station) return;
    station.told = true;
    this.returns.abandoned.delete(station.id);
    this.events.emit({ kind: 'host-discovered', host: station.name, info: station.info });
    station.waitsFor = 'it is being given code';
    await provision.equip(station);
    if (options.disableHosts) {
      station.waitsFor = `it is disabled: client.enableHost('${station.name}') lets it be used`;
      station.args = await station.enabled.promise;
      station.isEnabled = true;
    }
    station.waitsFor = 'it is being set up';
    await provision.setUpHost(station, station.args);
    if (this.stations.get(station.id) !== station || station.phase === 'leaving') return;
    station.phase = 'initialized';
    this.events.emit({ kind: 'host-initialized', host: station.name, info: station.info });
    station.waitsFor = 'its workers start';
    station.ready.resolve();
    await this.asks.begin(station, [...station.slots]);
  }

  async #ready(station: Station, info: WorkerInfo): Promise<void> {
    if (!station.slots.has(info.slot)) return;
    this.#latest.set(info.name, info.id);
    this.#kernel.carrier.reach(info.id, info.addresses, info.host);
    const member = newMember(info, station.addresses);
    if (station.suspended) member.pause |= PAUSE.HOST_SUSPENDED;
    try {
      await station.ready.promise;
      if (this.#latest.get(info.name) !== info.id || !station.slots.has(info.slot) || this.stations.get(station.id) !== station) return;
      this.state.unused.set(info.id, { info, enabled: new Deferred<readonly unknown[] | undefined>().quiet() });
      this.events.emit(this.told('worker-discovered', info));
      const provision = this.#client.provision;
      await provision.equip(station);
      const before = this.#workerArgs.get(info.name);
      const args = this.#client.options.disableWorkers && !before ? await this.state.unused.get(info.id)?.enabled.promise : before;
      if (args) this.#workerArgs.set(info.name, args);
      await provision.setUpWorker(station, info, args);
      if (!this.state.unused.delete(info.id)) return; // it ended meanwhile
    } catch (error) {
      if (!this.state.unused.delete(info.id)) return;
      this.#workerFailed(station, info.name, toError(error));
      void this.#client.limits.atMost(station, station.slots.size - 1, 'asked'); // it would fail again
      return this.giveBack(station, info.slot);
    }
    enlist(this.state, member);
    this.events.emit(this.told('worker-initialized', info));
    this.#dispatcher.add(member);
  }

  /** Takes no more for a worker; what becomes of its place is decided when it has nothing under way. Resolves when it has ended. */
  leave(member: Member, restart: boolean, reason?: string): Promise<void> {
    const { id } = member.info;
    const before = this.#after.get(id);
    const done = before?.done ?? new Deferred<void>().quiet();
    this.#after.set(id, { restart: before?.restart ?? restart, reason: before?.reason ?? reason, done });
    this.#dispatcher.leave(member);
    return done.promise;
  }

  #drained(member: Member): void {
    const { host, slot, id } = member.info;
    const station = this.stations.get(host);
    if (!station || !this.members.has(id)) return;
    const after = this.#after.get(id);
    if (!after) return this.returns.idle(member);
    const again = station.phase === 'discovered'; // the host restarts, and this place with it
    if (after.restart || again) this.asks.close(host, slot, after.restart);
    else this.giveBack(station, slot, after.reason);
  }

  // The worker of a place has ended on purpose. CW3
  #closedByHost(station: Station, slot: number, reason: string): void {
    if (!station.slots.has(slot)) return; // it was given back
    const after = this.#endAt(station, slot, reason);
    after?.done.resolve();
    if (after?.restart || station.phase === 'discovered') return;
    if (after) this.giveBack(station, slot, reason);
    else void this.#client.limits.atMost(station, station.slots.size - 1, 'work').finally(() => this.giveBack(station, slot, reason));
  }

  /** Gives a place back. CW3 */
  giveBack(station: Station, slot: number, reason = 'its place was given back', tell = !this.closing): void {
    if (!station.slots.delete(slot)) return;
    this.#latest.delete(`${station.name}/${slot}`);
    const after = this.#endAt(station, slot, reason);
    const release = (): Promise<unknown> => this.#kernel.at(station.id, HOST).release([slot]);
    if (tell) this.partings.add(this.#client.limits.told.then(release)); // CW3
    after?.done.resolve();
    if (station.slots.size === 0) this.#hostClosed(station, reason);
  }

  // What worked at a place, or waited to be enabled there, has ended on purpose; returns what was to become of the place then.
  #endAt(station: Station, slot: number, reason: string): { readonly restart: boolean; readonly done: Deferred<void> } | undefined {
    const member = this.at(station, slot);
    if (member) this.#end(member, { worker: member.info.name, reason, lastLines: [], what: 'worker', blameless: true });
    for (const [id, { info }] of this.state.unused) {
      if (info.host !== station.id || info.slot !== slot) continue;
      this.state.unused.delete(id);
      if (!member) this.events.emit({ kind: 'worker-closed', ...placeOf(info.name, station.name, station), reason });
    }
    const after = member && this.#after.get(member.info.id);
    if (member) this.#after.delete(member.info.id);
    return after;
  }

  #end(member: Member, loss: Loss): void {
    const { id, name, host, hostName } = member.info;
    if (!this.members.delete(id)) return;
    this.#kernel.requests.ended(id, { kind: 'gone', message: loss.reason, lost: loss.what, terminated: 'all' });
    this.#dispatcher.lose(member, loss);
    this.history.get(name)?.tally.add(member.tally);
    this.events.emit({ kind: 'worker-closed', ...placeOf(name, hostName, this.stations.get(host)), reason: loss.reason });
  }

  #lost(id: RuntimeId, loss: Loss): void {
    const member = this.members.get(id);
    if (!member) {
      const waiting = this.state.unused.get(id);
      if (!waiting || !this.state.unused.delete(id)) return;
      const place = placeOf(loss.worker, waiting.info.hostName, this.stations.get(waiting.info.host));
      return this.events.emit({ kind: 'worker-lost', ...place, reason: loss.reason, retried: 0 });
    }
    this.members.delete(id);
    member.state = 'lost';
    const { name, host, hostName } = member.info;
    const { reason: message, what: lost, terminated } = loss;
    this.#kernel.requests.ended(id, { kind: 'gone', message, lost, ...defined({ terminated }) });
    const before = this.#dispatcher.tally.retried;
    this.#dispatcher.lose(member, loss);
    this.history.get(name)?.tally.add(member.tally, 1);
    const after = this.#after.get(id);
    this.#after.delete(id);
    const station = this.stations.get(host);
    const retried = this.#dispatcher.tally.retried - before;
    this.events.emit({ kind: 'worker-lost', ...placeOf(name, hostName, station), reason: loss.reason, retried });
    if (after && !after.restart && station && loss.what === 'worker') this.giveBack(station, member.info.slot);
    after?.done.resolve();
  }

  #workerFailed(station: Station, worker: string, error: Error): void {
    this.failures++;
    this.lastFailure = error;
    this.events.emit({ kind: 'worker-failed', ...placeOf(worker, station.name, station), reason: error.message });
    this.#log.warn(error.message);
  }

  // A host that cannot be used: nothing of it is asked for again; of one that is only not reached, when there is work.
  #failed(station: Station, error: Error): void {
    if (this.stations.get(station.id) !== station || this.closing) return;
    if (hasCode(error, 'ERR_CLUSTER_STALE_GRANT')) return this.#hostLost(station, error, true); // the host has let go: it is granted anew
    this.#loseWorkers(station, `its host is not used: ${error.message}`, true);
    this.stations.delete(station.id);
    this.failures++;
    this.lastFailure = error;
    station.ready.reject(error);
    this.#log.warn(`Host '${station.name}' is not used: ${error.message}`);
    void this.#client.limits.atMost(station, 0, isSessionLoss(error) ? 'work' : 'asked').then(() => this.returns.disown(station, false));
    this.partings.add(this.#kernel.at(station.id, HOST).detach());
    this.events.emit({ kind: 'host-failed', host: station.name, info: station.info, reason: error.message });
    station.left.resolve();
  }

  #hostClosed(station: Station, reason: string): void {
    if (this.stations.get(station.id) !== station) return;
    const error = new FlotillaError('ERR_HOST_UNKNOWN', `Host '${station.name}' was closed: ${reason}.`);
    this.#gone(station, error, { kind: 'host-closed', host: station.name, info: station.info, reason });
    if (this.stations.size === 0 && !this.closing && this.#client.limits.bars(station.id)) this.bars.emit({ station, reason });
  }

  #hostLost(station: Station, error: Error, blameless = false): void {
    if (this.stations.get(station.id) !== station || this.closing) return; // its end is told with all others
    const costs = this.of(station).some((member) => member.inFlight.size + member.tasks.size > 0);
    this.#log[costs || !blameless ? 'warn' : 'info'](`Host '${station.name}' is lost: ${error.message}`);
    this.#loseWorkers(station, `its host is lost: ${error.message}`, blameless);
    this.#gone(station, error, { kind: 'host-lost', host: station.name, info: station.info, reason: error.message });
  }

  #gone(station: Station, error: Error, event: Change & { readonly reason: string }): void {
    this.stations.delete(station.id);
    station.ready.reject(error);
    station.left.resolve();
    if (!station.told) return; // CW1
    this.events.emit(event);
    failWaiting(this.#dispatcher, this.stations.values(), station, event.kind === 'host-lost' ? 'it is lost' : event.reason);
  }

  #loseWorkers(station: Station, reason: string, blameless: boolean): void {
    const there = [...this.of(station), ...this.state.unused.values()].filter(({ info }) => info.host === station.id);
    for (const { info } of there) this.#lost(info.id, { worker: info.name, reason, lastLines: [], what: 'host', blameless });
  }

  /** An event of a worker. */
  told(kind: WorkerKind, info: WorkerInfo): Change {
    return workerEvent(kind, info, this.stations.get(info.host));
  }
}
