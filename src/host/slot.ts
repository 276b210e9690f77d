// One worker place while a client holds it: its process, and the next one when that ends.
//
//   ST1. A place has at most one process.
//   ST2. A worker that ends by itself is replaced after a back-off; a worker that was closed, only when it is to be restarted; a slot that
//       runs once, never.
//   ST3. The end of every process that greeted is told once, with its reason.
import { Backoff, type Clock, type RuntimeId, type Timer, toError } from '../base/index.ts';
import type { Home } from './ground.ts';
import type { Outbox } from './outbox.ts';
import type { ChildHandler, Launched } from './process/contract.ts';
import { startError } from './process/ends.ts';
import type { HostNotice, SlotReport, WorkerDies, WorkerInfo, WorkerLoad } from './protocol.ts';

/** A worker that has lived for so long did not fail at its start: the waits between replacements begin anew. */
const STEADY_MS = 1_000;

/** One stay of a client: what it has on this host from its first grant until all of that is gone. */
export interface Stay {
  /** Tells one stay from the next. */
  readonly number: number;
  readonly home: Home;
  readonly outbox: Outbox;
}

/** The host, as a place sees it. */
export interface SlotHost {
  readonly clock: Clock;
  readonly random: () => number;
  launch(slot: Slot, handler: ChildHandler): Launched;
  /** Greets a process; resolves with the id of its runtime. */
  greet(child: Launched): Promise<RuntimeId>;
  ready(slot: Slot, worker: RuntimeId, pid: number): void;
  /** Describes a process to others. */
  info(slot: Slot, worker: RuntimeId, pid: number): WorkerInfo;
  /** A process ended: by itself, or on purpose. */
  ended(slot: Slot, worker: RuntimeId, reason: string, lastLines: readonly string[], onPurpose: boolean): void;
  failed(slot: Slot, reason: string): void;
}

type Life =
  /** The place has no process, and its client has not said yet that one may start. */
  | { readonly kind: 'held' }
  | { readonly kind: 'starting'; readonly child: Launched }
  | { readonly kind: 'ready'; readonly child: Launched; readonly worker: RuntimeId; readonly since: number }
  | { readonly kind: 'waiting'; readonly timer: Timer }
  | { readonly kind: 'ended' };

/** A place held by a client. */
export class Slot {
  readonly number: number;
  readonly client: RuntimeId;
  readonly stay: Stay;
  readonly epoch: number;
  readonly name: string;
  load: WorkerLoad = { kind: 'load', running: 0, tasks: 0, done: 0 };
  /** The worker's own reason to end itself, if it has told one. */
  diesOf: WorkerDies | undefined;
  /** When its worker last had work. */
  busyAt: number;
  readonly #host: SlotHost;
  readonly #backoff: Backoff;
  readonly #once: boolean;
  #life: Life = { kind: 'held' };
  #closing: 'close' | 'restart' | undefined;
  /** The reason for which its process was asked to end, if it was. */
  #endsFor: string | undefined;

  /** `once`: its process is not followed by another. */
  constructor(host: SlotHost, place: { number: number; client: RuntimeId; stay: Stay; epoch: number; name: string; once?: boolean }) {
    this.#host = host;
    this.number = place.number;
    this.client = place.client;
    this.stay = place.stay;
    this.epoch = place.epoch;
    this.name = place.name;
    this.#once = place.once ?? false;
    this.busyAt = host.clock.now();
    this.#backoff = new Backoff({ firstMs: 100, mostMs: 10_000, random: host.random });
  }

  get worker(): RuntimeId | undefined {
    return this.#life.kind === 'ready' ? this.#life.worker : undefined;
  }

  get pid(): number {
    return 'child' in this.#life ? this.#life.child.pid : 0;
  }

  report(now: number): SlotReport {
    const { running, tasks } = this.load;
    const idleMs = running + tasks > 0 || this.#life.kind !== 'ready' ? 0 : now - this.busyAt;
    return { slot: this.number, client: this.client, pid: this.pid, running, tasks, idleMs };
  }

  /** Takes note of what its worker tells of itself. */
  heard(load: WorkerLoad | WorkerDies): void {
    if (load.kind === 'dies') {
      this.diesOf = load;
      return;
    }
    if (load.running + load.tasks > 0 || load.done !== this.load.done) this.busyAt = this.#host.clock.now();
    this.load = load;
  }

  /** The notice by which its tenant is told of the end of its process. */
  endNotice(worker: RuntimeId, reason: string, lastLines: readonly string[], onPurpose: boolean): HostNotice {
    const { name, number, diesOf } = this;
    if (onPurpose) return { kind: 'worker-closed', worker, name, slot: number, reason };
    const told = { worker, name, reason: diesOf?.reason ?? reason, lastLines };
    return { kind: 'worker-ended', ...told, blameless: diesOf !== undefined, terminated: diesOf?.task };
  }

  /** Starts a process, unless there is one. ST1 */
  start(): void {
    if (this.#life.kind !== 'held' && this.#life.kind !== 'waiting') return;
    const { clock } = this.#host;
    this.#closing = undefined;
    this.diesOf = undefined;
    this.#endsFor = undefined;
    this.busyAt = clock.now();
    let child: Launched;
    try {
      child = this.#host.launch(this, {
        output: (stream, text) => this.stay.outbox.say({ kind: 'output', worker: this.name, stream, text }),
        untilRoom: () => this.stay.outbox.untilRoom(),
        ended: (reason, lastLines) => this.#ended(child, reason, lastLines),
      });
    } catch (error) {
      this.#host.failed(this, `Worker ${this.name} cannot be started: ${toError(error).message}`);
      if (!this.#once) this.#again(this.#backoff.next());
      return;
    }
    this.#life = { kind: 'starting', child };
    this.#host.greet(child).then(
      (worker) => {
        if (this.#life.kind !== 'starting' || this.#life.child !== child) return void child.kill('it came too late');
        this.#life = { kind: 'ready', child, worker, since: clock.now() };
        this.load = { kind: 'load', running: 0, tasks: 0, done: 0 };
        this.#host.ready(this, worker, child.pid);
      },
      (error: Error) => void child.kill(`it did not greet: ${error.message}`),
    );
  }

  /** Ends its process; another follows if it is to be restarted. */
  close(reason: string, restart: boolean): Promise<void> {
    this.#closing = restart ? 'restart' : 'close';
    if ('child' in this.#life) return this.#life.child.kill(reason);
    if (this.#life.kind === 'waiting') this.#life.timer.cancel();
    this.#life = { kind: 'held' };
    if (restart) this.start();
    return Promise.resolve();
  }

  /** Takes note that its process will end by itself and on purpose, so that its end counts as no failure. */
  closingSoon(reason: string, restart: boolean): void {
    this.#closing = restart ? 'restart' : 'close';
    this.#endsFor = reason;
  }

  /** Gives the place up. Resolves when its process is gone. */
  end(reason: string): Promise<void> {
    const life = this.#life;
    this.#life = { kind: 'ended' };
    if (life.kind === 'waiting') life.timer.cancel();
    if (!('child' in life)) return Promise.resolve();
    return life.child.kill(reason).then(() => {
      if (life.kind === 'ready') this.#host.ended(this, life.worker, reason, [], true);
    });
  }

  // ST2, ST3
  #ended(child: Launched, reason: string, lastLines: readonly string[]): void {
    const life = this.#life;
    if (!('child' in life) || life.child !== child) return;
    this.#life = { kind: 'held' };
    const closing = this.#closing;
    if (life.kind === 'ready') this.#host.ended(this, life.worker, this.#endsFor ?? reason, lastLines, closing !== undefined);
    else this.#host.failed(this, startError(this.name, reason, lastLines).message);
    if (closing === 'close' || this.#once || this.#life.kind !== 'held') return;
    if (life.kind === 'ready' && this.#host.clock.now() - life.since > STEADY_MS) this.#backoff.reset();
    // The first replacement comes at once; a worker that keeps ending is replaced ever later, or it would cost the machine its time.
    const atOnce = life.kind === 'ready' && (closing === 'restart' || this.#backoff.tries === 0);
    const wait = this.#backoff.next();
    this.#again(atOnce ? 0 : wait);
  }

  #again(ms: number): void {
    if (ms === 0) return this.start();
    const timer = this.#host.clock.after(ms, () => this.start());
    this.#life = { kind: 'waiting', timer };
  }
}
