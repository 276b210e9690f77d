// The crew: the hosts and workers that a client has, from their grant and setup until they leave.
//
// Owns what the client knows of hosts and workers, and does what is decided about them (react.ts). Does not own what they work on
// (dispatch/), nor what is sent ahead (provision.ts).
//
//   CW1. An event changes the state at once; its effects follow in order, one after another, so that every change is told in order.
//   CW2. A worker's loss is told with its reason: while the host is there, its report is waited for, as only the host saw the process end.
import { Events, type Log, type RuntimeId, toError } from '../../base/index.ts';
import { HOST, type HostNotice, SET_UP_SLOT } from '../../host/index.ts';
import type { Post, Runtime, SessionEnd } from '../../kernel/index.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Loss, Member } from '../dispatch/work.ts';
import type { Change, OutputLine, Telling } from '../events.ts';
import { unknownPlace } from '../where.ts';
import type { CrewDeed, CrewEffect, CrewEvent, Grant, HostAsk, HostWord, WorkerStep } from './effects.ts';
import { agreePulse, HostAsks } from './host-asks.ts';
import type { Limits } from './limits.ts';
import { Partings } from './parting.ts';
import { type NamedPlace, type WorkerKind, workerEvent } from './present.ts';
import type { Provision } from './provision.ts';
import { react } from './react.ts';
import { type CrewScheduler, Returns } from './returns.ts';
import { type CrewState, enlist, leaves, memberAt, membersOf } from './state.ts';
import type { Station } from './station.ts';

const REPORT_MS = 1_000;

/** How a client wants its hosts and workers. */
export interface CrewOptions {
  readonly disableHosts: boolean;
  readonly disableWorkers: boolean;
  readonly restartWorkers: boolean;
  readonly abandonZombieHosts: boolean | number;
}

/** The parts that a crew is made of. */
export interface CrewParts {
  readonly runtime: Runtime;
  readonly dispatcher: Dispatcher;
  readonly provision: Provision;
  /** How much the client wants of each host. */
  readonly limits: Limits;
  /** The state that the crew changes; it has no hosts and workers yet. */
  readonly state: CrewState;
  readonly events: Telling;
  readonly log: Log;
  readonly options: CrewOptions;
  /** Takes the lines that workers print. */
  readonly output: (line: OutputLine) => void;
  /** Rewrites the stacks in a worker's text so that they point into the user's own files. */
  readonly mapStack: (text: string) => string;
}

/** A host that wants to be left or has barred the client, and why. */
export interface StationEnd {
  readonly station: Station;
  readonly reason: string;
}

/** The crew of one client. */
export class Crew {
  readonly events: Telling;
  readonly state: CrewState;
  readonly stations: ReadonlyMap<RuntimeId, Station>;
  /** Workers that are set up and take work. */
  readonly members: ReadonlyMap<RuntimeId, Member>;
  readonly partings: Partings;
  /** Tells of hosts that want to be left. */
  readonly leavings = new Events<StationEnd>();
  /** Tells that the last host has closed this client for good. */
  readonly bars = new Events<StationEnd>();
  readonly asks: HostAsks;
  /** The places that this client owes to others. */
  readonly returns: Returns;
  #scheduler: CrewScheduler | undefined;
  readonly #parts: CrewParts;
  readonly #post: Post;
  #toDo: CrewEffect[] = [];
  #acting = false;

  constructor(parts: CrewParts) {
    const { runtime, state, dispatcher, limits, events } = parts;
    this.#parts = parts;
    this.#post = runtime.post;
    this.state = state;
    this.stations = state.stations;
    this.members = state.members;
    this.events = events;
    this.partings = new Partings(this.#post.clock);
    this.asks = new HostAsks(runtime, (station) => state.stations.get(station.id) === station);
    this.returns = new Returns({ clock: this.#post.clock, dispatcher, limits, of: this });
    dispatcher.drains.on((member) => this.#happens({ kind: 'drained', member }));
  }

  /** Sets the scheduler that grants places and asks for them back. */
  obey(scheduler: CrewScheduler): void {
    this.#scheduler = scheduler;
  }

  get scheduler(): CrewScheduler | undefined {
    return this.#scheduler;
  }

  /** Notes that the client leaves: a host or worker that ends from now on is no loss. */
  leaveAll(): void {
    this.state.closing = true;
  }

  /** Takes this process itself as a worker. No event tells of it, because the program knows its own process. */
  employ(member: Member): void {
    enlist(this.state, member);
    this.#parts.dispatcher.add(member);
  }

  /** Passes a line that a worker printed on to the program. */
  output(line: OutputLine): void {
    this.#parts.output(line);
  }

  /** Takes a grant of the scheduler. */
  granted(grant: Grant): void {
    this.#happens({ kind: 'granted', grant, barred: this.#parts.limits.bars(grant.host) });
  }

  /** Takes a notice of a host. */
  heard(host: RuntimeId, notice: HostNotice): void {
    if (notice.kind === 'idle') return this.returns.idlePlaces(notice);
    if (notice.kind === 'output') {
      this.partings.heard(); // a place that was given back still counts: its last lines are on the way
      return this.output({ worker: notice.worker, stream: notice.stream, text: this.#parts.mapStack(notice.text) });
    }
    const station = this.stations.get(host);
    if (station && !this.#isOfSetUp(station, notice)) this.#happens({ kind: 'heard', station, notice });
  }

  // Passes a notice about a process that runs a setup to the provision; returns whether it was one, as the crew must not see it then.
  #isOfSetUp({ id, name }: Station, notice: HostWord): boolean {
    const { provision } = this.#parts;
    const setUp = `${name}/${SET_UP_SLOT}`;
    switch (notice.kind) {
      case 'worker-ready':
        if (notice.worker.slot !== SET_UP_SLOT) return false;
        provision.heard(id, notice.worker);
        return true;
      case 'worker-ended':
        if (notice.name === setUp) provision.heard(id, undefined, notice.reason);
        return provision.ended(notice.worker, notice.reason, notice.lastLines);
      case 'worker-failed':
        if (notice.name !== setUp) return false;
        provision.heard(id, undefined, notice.reason);
        return true;
      default:
        return false;
    }
  }

  /** Takes the end of a session with a peer. */
  peerEnded(peer: RuntimeId, end: SessionEnd): void {
    this.#happens({ kind: 'peer-ended', peer, end });
  }

  /** Whether the program has closed a worker of this name and not asked for it again. */
  isShut(where: string): boolean {
    return this.#parts.limits.isShut(where);
  }

  /** The workers of a host. */
  of(station: Station): Member[] {
    return membersOf(this.state, station);
  }

  /** The worker at a place of a host; undefined if none works there. */
  at(station: Station, slot: number): Member | undefined {
    return memberAt(this.state, station, slot);
  }

  /** Whether a worker is leaving already, so that the fate of its place is decided. */
  decided(member: Member): boolean {
    return this.state.after.has(member.info.id);
  }

  /** Gives all places back now: workers end on purpose, then hosts. */
  dissolve(reason: string): void {
    this.returns.forget();
    for (const station of [...this.stations.values()]) for (const slot of [...station.slots]) this.giveBack(station, slot, reason);
  }

  /** Gives a worker no more work, and ends it when it has nothing under way. Resolves when it has ended. */
  leave(member: Member, restart: boolean, reason?: string): Promise<void> {
    const done = leaves(this.state, member, restart, reason);
    this.#parts.dispatcher.leave(member);
    return done.promise;
  }

  /** Gives a place back to the scheduler; its worker ends. */
  giveBack(station: Station, slot: number, reason: string): void {
    this.#happens({ kind: 'give-back', station, slot, reason });
  }

  /** Makes an event about a worker. */
  told(kind: WorkerKind, member: Member): Change {
    return workerEvent(kind, member.info, this.stations.get(member.info.host));
  }

  // An effect may cause the next event. The loop that runs already takes that event's effects too, so that they don't overtake its own. CW1
  #happens(event: CrewEvent): void {
    this.#toDo.push(...react(this.state, event));
    if (this.#acting) return;
    this.#acting = true;
    try {
      for (let effect = this.#toDo.shift(); effect; effect = this.#toDo.shift()) this.#act(effect);
    } finally {
      this.#acting = false;
    }
  }

  #act(effect: CrewEffect): void {
    const { dispatcher, limits, log } = this.#parts;
    switch (effect.kind) {
      case 'tell':
        return this.events.emit(effect.change);
      case 'log':
        return log[effect.level](effect.text);
      case 'employ':
        return dispatcher.add(effect.member);
      case 'end':
        return this.#end(effect.member, effect.loss, effect.place);
      case 'lose':
        return this.#lose(effect.member, effect.loss, effect.place);
      case 'await-report':
        return void this.#post.clock.after(REPORT_MS, () => this.#happens({ ...effect, kind: 'worker-lost' }), { background: true }); // CW2
      case 'idle':
        return this.returns.idle(effect.member);
      case 'limit':
        return this.#limit(effect);
      case 'give-back':
        return this.giveBack(effect.station, effect.slot, effect.reason);
      case 'disown':
        return this.returns.disown(effect.station, effect.silent);
      case 'found':
        return void this.returns.abandoned.delete(effect.station.id);
      case 'wants-leave':
        return this.leavings.emit(effect);
      case 'fail-waiting':
        return this.#failWaiting(effect.station, effect.reason);
      case 'none-left':
        return limits.bars(effect.station.id) ? this.bars.emit(effect) : undefined;
      case 'resolve':
        return effect.error ? effect.promise.reject(effect.error) : effect.promise.resolve();
      default:
        return this.#ask(effect);
    }
  }

  // Asks hosts and the provision; their answer comes back later as an event.
  #ask(effect: HostAsk | WorkerStep): void {
    const { provision, options } = this.#parts;
    switch (effect.kind) {
      case 'attach':
        this.#post.carrier.reach(effect.station.id, effect.station.addresses);
        return this.#step(effect.station, this.#attach(effect.station));
      case 'attach-again':
        return void this.asks.attach(effect.station).then(
          ({ tenancy }) => this.#happens({ kind: 'more', began: effect.station, grant: effect.grant, barred: effect.barred, tenancy }),
          () => {}, // the host's end is an event of its own
        );
      case 'equip':
        return this.#step(effect.station, provision.equip(effect.station), { ...effect, kind: 'equipped', waits: options.disableHosts });
      case 'await-enabled':
        return void effect.station.enabled.promise.then((args) => this.#happens({ ...effect, kind: 'enabled', args }));
      case 'set-up':
        return this.#step(effect.station, provision.setUpHost(effect.station, effect.station.args), effect);
      case 'begin':
        if (effect.isStep) return this.#step(effect.station, this.asks.begin(effect.station, effect.slots));
        return void this.asks.begin(effect.station, effect.slots).catch(() => {}); // the host's end is an event of its own
      case 'close':
        return this.asks.close(effect.host, effect.slot, effect.restart);
      case 'release': {
        const release = (): Promise<unknown> => this.#post.at(effect.station.id, HOST).release([effect.slot]);
        return this.partings.add(this.#parts.limits.told.then(release));
      }
      case 'detach':
        return effect.isParting ? this.partings.add(this.#post.at(effect.host, HOST).detach()) : this.asks.leave(effect.host);
      default:
        return this.#askOfWorker(effect);
    }
  }

  #askOfWorker(effect: WorkerStep): void {
    const { provision, options } = this.#parts;
    const { station, info } = effect;
    switch (effect.kind) {
      case 'await-host':
        this.#post.carrier.reach(info.id, info.addresses, info.host);
        return void station.ready.promise.then(
          () => this.#happens({ kind: 'worker-arrived', station, info }),
          () => {}, // the host is not used, so neither is its worker
        );
      case 'equip-worker':
        return this.#workerStep(effect, provision.equip(station), { ...effect, kind: 'worker-equipped', waits: options.disableWorkers });
      case 'await-worker-enabled':
        return void this.state.unused
          .get(info.id)
          ?.enabled.promise.then((args) => this.#happens({ kind: 'worker-enabled', station, info, args }));
      case 'set-up-worker':
        return this.#workerStep(effect, provision.setUpWorker(station, info, effect.args), { kind: 'worker-set-up', station, info });
    }
  }

  // Waits for a step of a host, and turns its outcome into an event: the next one, or a failure.
  #step(station: Station, taken: Promise<unknown>, then?: CrewEvent): void {
    taken.then(
      () => then && this.#happens(then),
      (error: unknown) => this.#happens({ kind: 'failed', station, error: toError(error) }),
    );
  }

  #workerStep({ station, info }: WorkerStep, taken: Promise<unknown>, then: CrewEvent): void {
    taken.then(
      () => this.#happens(then),
      (error: unknown) => this.#happens({ kind: 'worker-failed', station, info, error: toError(error) }),
    );
  }

  async #attach(station: Station): Promise<void> {
    const { runtime, log } = this.#parts;
    const { tenancy, pulse } = await this.asks.attach(station);
    agreePulse(runtime, station.name, pulse, log);
    this.#happens({ kind: 'attached', station, tenancy });
  }

  #limit({ station, most, until, then }: CrewDeed & { readonly kind: 'limit' }): void {
    const known = (): void => then && this.#act(then);
    void this.#parts.limits.atMost(station, most, until).then(known, known);
  }

  #end(member: Member, loss: Loss, place: NamedPlace): void {
    const { id, name } = member.info;
    this.#post.requests.ended(id, { kind: 'gone', message: loss.reason, lost: loss.what, terminated: 'all' });
    this.#parts.dispatcher.lose(member, loss);
    this.state.history.get(name)?.tally.add(member.tally);
    this.events.emit({ kind: 'worker-closed', ...place, reason: loss.reason });
  }

  #lose(member: Member, loss: Loss, place: NamedPlace): void {
    const { dispatcher } = this.#parts;
    const { id, name } = member.info;
    const { reason, what: lost, terminated } = loss;
    this.#post.requests.ended(id, { kind: 'gone', message: reason, lost, ...(terminated === undefined ? {} : { terminated }) });
    const before = dispatcher.tally.retried;
    dispatcher.lose(member, loss);
    this.state.history.get(name)?.tally.add(member.tally, 1);
    this.events.emit({ kind: 'worker-lost', ...place, reason, retried: dispatcher.tally.retried - before });
  }

  // Fails work whose `at` names only a host that is gone, because no other host can ever run it.
  #failWaiting(gone: Station, reason: string): void {
    const left = [...this.stations.values()];
    const names = left.map(({ name }) => name);
    this.#parts.dispatcher.failPicky(({ at }) => {
      if (at === undefined || !(gone.is(at) || at.startsWith(`${gone.name}/`)) || left.some((other) => other.is(at))) return undefined;
      return unknownPlace(at, 'host or worker', names.length > 0 ? names : [`none: '${gone.name}' has left (${reason})`]);
    });
  }
}
