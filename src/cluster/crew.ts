// The hosts and workers that a client has: granted by a scheduler, provided with code, watched until they leave.
//
// Owns what the client knows of hosts and workers. Does not own what they work on (dispatch.ts).
//
//   C1. A worker is used once its host has the code of every function known so far; a function, once every host has its code.
//   C2. A worker's loss is told with its reason: the host's report is waited for, as long as the host is there.
//   C3. A host that is silent gets no new work, and what it had is given to others; what it still answers first counts.
import { Events, FlotillaError, type Log, type RuntimeId, toError } from '../base/index.ts';
import type { Library, UnitHead } from '../code/index.ts';
import type { HostNotice, WorkerInfo } from '../host/index.ts';
import { type Kernel, PORT, type SessionEnd } from '../kernel/index.ts';
import type { Dispatcher } from './dispatch.ts';
import type { SchedulerNotice } from './protocol.ts';
import { type Job, type Loss, type Member, newMember } from './work.ts';

const REPORT_MS = 1_000;
const ATTACH_MS = 10_000;

/** A change that a client's crew saw. */
export type ClusterEvent =
  | { readonly kind: 'worker-ready'; readonly worker: string; readonly host: string }
  | { readonly kind: 'worker-lost'; readonly worker: string; readonly host: string; readonly reason: string; readonly retried: number }
  | { readonly kind: 'host-lost'; readonly host: string; readonly reason: string }
  | { readonly kind: 'host-offline' | 'host-online'; readonly host: string }
  | { readonly kind: 'worker-failed'; readonly worker: string; readonly reason: string };

interface Station {
  readonly id: RuntimeId;
  readonly name: string;
  readonly slots: Set<number>;
  epoch: number;
  attached: Promise<void> | undefined;
  readonly has: Set<string>;
}

/** A line that a worker printed. */
export interface OutputLine {
  readonly worker: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** The crew of one client. */
export class Crew {
  readonly events: Events<ClusterEvent>;
  /** Every worker there ever was, by name: how many items it did. */
  readonly history = new Map<string, { readonly host: string; done: number; lost: number }>();
  onOutput: (line: OutputLine) => void = () => {};
  readonly #kernel: Kernel;
  readonly #dispatcher: Dispatcher;
  readonly #library: Library;
  readonly #log: Log;
  readonly #stations = new Map<RuntimeId, Station>();
  readonly #jobs = new Set<Job>();
  readonly #all = new Map<RuntimeId, Member>();
  #failures = 0;
  lastFailure: string | undefined;
  /** The client leaves: what ends now is no loss. */
  closing = false;

  constructor(kernel: Kernel, dispatcher: Dispatcher, library: Library, log: Log) {
    this.#kernel = kernel;
    this.#dispatcher = dispatcher;
    this.#library = library;
    this.#log = log;
    this.events = new Events((error) => log.error(`A listener of events threw: ${toError(error).message}`));
    dispatcher.onDrained = (member) => this.#giveBack(member);
  }

  get hosts(): readonly { readonly id: RuntimeId; readonly name: string; readonly slots: number }[] {
    return [...this.#stations.values()].map(({ id, name, slots }) => ({ id, name, slots: slots.size }));
  }

  /** What this client holds, for a scheduler that was restarted. */
  get held(): { host: RuntimeId; slots: number[]; epoch: number }[] {
    return [...this.#stations.values()].map((station) => ({ host: station.id, slots: [...station.slots], epoch: station.epoch }));
  }

  get failures(): number {
    return this.#failures;
  }

  /** What the scheduler says. */
  granted(notice: SchedulerNotice): void {
    if (notice.kind === 'revoke') {
      for (const member of [...this.#dispatcher.members]) {
        if (member.info.host === notice.host && notice.slots.includes(member.info.slot)) this.#dispatcher.leave(member);
      }
      return;
    }
    let station = this.#stations.get(notice.host);
    if (!station) {
      station = { id: notice.host, name: notice.hostName, slots: new Set(), epoch: 0, attached: undefined, has: new Set() };
      this.#stations.set(notice.host, station);
    }
    for (const slot of notice.slots) station.slots.add(slot);
    station.epoch = Math.max(station.epoch, notice.epoch);
    this.#kernel.carrier.reach(notice.host, notice.addresses);
    station.attached ??= this.#attach(station);
    station.attached.catch((error: Error) => this.#hostFailed(station, error));
  }

  /** What a host says. */
  heard(host: RuntimeId, notice: HostNotice): void {
    switch (notice.kind) {
      case 'worker-ready':
        return void this.#ready(notice.worker);
      case 'worker-ended': {
        const loss: Loss = { worker: notice.name, reason: notice.reason, lastLines: notice.lastLines, what: 'worker' };
        const member = this.#all.get(notice.worker);
        if (member) this.#lost(member, loss);
        return;
      }
      case 'worker-failed':
        this.#failures++;
        this.lastFailure = notice.reason;
        this.events.emit({ kind: 'worker-failed', worker: notice.name, reason: notice.reason });
        this.#log.warn(notice.reason);
        return;
      case 'output':
        if (this.#stations.has(host))
          this.onOutput({ worker: notice.worker, stream: notice.stream, text: this.#library.mapStack(notice.text) });
    }
  }

  /** A session with a peer has ended. C2 */
  peerEnded(peer: RuntimeId, end: SessionEnd): void {
    const station = this.#stations.get(peer);
    if (station) return this.#hostFailed(station, new FlotillaError('ERR_SESSION_LOST', end.message));
    const member = this.#all.get(peer);
    if (!member) return;
    member.state = 'lost';
    const loss: Loss = { worker: member.info.name, reason: end.message, lastLines: [], what: 'worker' };
    if (!this.#stations.has(member.info.host)) return this.#lost(member, loss);
    this.#kernel.clock.after(REPORT_MS, () => this.#lost(member, loss), { background: true });
  }

  /** A host is silent, or is heard again. C3 */
  peerOffline(peer: RuntimeId, offline: boolean): void {
    const station = this.#stations.get(peer);
    if (station) this.events.emit({ kind: offline ? 'host-offline' : 'host-online', host: station.name });
  }

  /** Makes sure that every host has a function's code; rejects if none can run it. C1 */
  prepare(job: Job): Promise<void> {
    job.prepared ??= this.#prepare(job);
    return job.prepared;
  }

  async #prepare(job: Job): Promise<void> {
    job.shipped = await this.#library.ship(job.fn);
    this.#jobs.add(job);
    const stations = [...this.#stations.values()];
    await Promise.all(stations.map((station) => station.attached?.then(() => this.#provide(station, job)).catch(() => {})));
    if (job.refusedBy.size > 0 && stations.length > 0 && stations.every((station) => job.refusedBy.has(station.id)))
      throw [...job.refusedBy.values()][0];
    job.ready = true;
  }

  async #attach(station: Station): Promise<void> {
    await this.#kernel.ask(station.id, PORT.HOST, 'attach', [station.epoch], { timeout: ATTACH_MS });
    for (const job of this.#jobs) await this.#provide(station, job);
  }

  // Sends a host the units that it lacks.
  async #provide(station: Station, job: Job): Promise<void> {
    if (!job.shipped || job.refusedBy.has(station.id)) return;
    const units = this.#library.closure(job.shipped.unit).filter((unit) => !station.has.has(unit.name));
    if (units.length === 0) return;
    const heads: UnitHead[] = units.map(({ name, hash, externals }) => ({ name, hash, externals }));
    try {
      const missing = (await this.#kernel.ask(station.id, PORT.HOST, 'provide', [heads])) as string[];
      if (missing.length > 0) {
        const wanted = new Set(missing);
        await Promise.all(
          units
            .filter((unit) => wanted.has(unit.hash))
            .map((unit) => this.#kernel.ask(station.id, PORT.HOST, 'put', [unit.hash, unit.text])),
        );
        await this.#kernel.ask(station.id, PORT.HOST, 'provide', [heads]);
      }
      for (const unit of units) station.has.add(unit.name);
    } catch (error) {
      if (this.#stations.has(station.id)) job.refusedBy.set(station.id, toError(error));
    }
  }

  async #ready(info: WorkerInfo): Promise<void> {
    const station = this.#stations.get(info.host);
    if (!station?.slots.has(info.slot)) return;
    this.#kernel.carrier.reach(info.id, info.addresses, info.host);
    const member = newMember(info);
    this.#all.set(info.id, member);
    await station.attached?.catch(() => {});
    for (const job of this.#jobs) await this.#provide(station, job);
    if (member.state !== 'ready') return;
    if (!this.history.has(info.name)) this.history.set(info.name, { host: info.hostName, done: 0, lost: 0 });
    this.events.emit({ kind: 'worker-ready', worker: info.name, host: info.hostName });
    this.#dispatcher.add(member);
  }

  #lost(member: Member, loss: Loss): void {
    if (!this.#all.delete(member.info.id)) return;
    const known = loss.what === 'host' || this.#stations.get(member.info.host)?.slots.has(member.info.slot);
    member.state = 'lost';
    this.#kernel.requests.ended(member.info.id, { kind: 'gone', message: loss.reason, lost: loss.what });
    const before = this.#dispatcher.tally.retried;
    this.#dispatcher.lose(member, loss);
    const past = this.history.get(member.info.name);
    if (past) {
      past.lost++;
      past.done += member.done;
    }
    if (known) {
      this.events.emit({
        kind: 'worker-lost',
        worker: member.info.name,
        host: member.info.hostName,
        reason: loss.reason,
        retried: this.#dispatcher.tally.retried - before,
      });
    }
  }

  #hostFailed(station: Station, error: Error): void {
    if (this.#stations.get(station.id) !== station) return;
    this.#stations.delete(station.id);
    if (this.closing) return;
    this.#log.warn(`Host '${station.name}' is lost: ${error.message}`);
    this.events.emit({ kind: 'host-lost', host: station.name, reason: error.message });
    for (const member of [...this.#all.values()]) {
      if (member.info.host !== station.id) continue;
      const loss: Loss = { worker: member.info.name, reason: `its host is lost: ${error.message}`, lastLines: [], what: 'host' };
      this.#lost(member, loss);
    }
  }

  // A worker that was revoked has nothing under way: its place goes back.
  #giveBack(member: Member): void {
    const station = this.#stations.get(member.info.host);
    station?.slots.delete(member.info.slot);
    const past = this.history.get(member.info.name);
    if (past) past.done += member.done;
    this.#dispatcher.lose(member, { worker: member.info.name, reason: 'its place was given back', lastLines: [], what: 'worker' });
    this.#all.delete(member.info.id);
    if (station) void this.#kernel.ask(station.id, PORT.HOST, 'release', [[member.info.slot]]).catch(() => {});
  }
}
