// Gives work to workers: as much ahead as hides the way there, and no more.
//
// Owns what waits and what is under way. Does not own who the workers are (crew.ts), or what results mean (run.ts, map.ts).
//
//   D1. A worker has at most PREFETCH_MS of measured work ahead of it; a function never measured, one call.
//   D2. What a lost worker had not finished goes to another. The one that ran gets a strike; the others do not.
//   D3. Work that struck out (`retries` + 1 times) is reported, not tried again.
//   D4. Work is settled once, whatever late answers say.
import { type Clock, Fifo, FlotillaError, type RuntimeId } from '../base/index.ts';
import { isSessionLoss, type Kernel, type Pending, PORT } from '../kernel/index.ts';
import type { Define, WorkerOrder } from './protocol.ts';
import type { Loss, Member, Work } from './work.ts';

const DONE: Work['state'] = Object.freeze({ kind: 'done' });
const PREFETCH_MS = 2;
/** Measured times vary: a batch cut to fit must still fit when its estimate has moved. */
const TOLERANCE = 1.25;
const MOST_AHEAD = 1_024;
const WINDOW_MS = 0.05;

/** Counts of a client's work. Items of `map` count one each. */
export interface Tally {
  done: number;
  failed: number;
  retried: number;
}

/** The dispatcher of one client. */
export class Dispatcher {
  readonly tally: Tally = { done: 0, failed: 0, retried: 0 };
  /** Told when a worker that was leaving has nothing under way any more. */
  onDrained: (member: Member) => void = () => {};
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #members: Member[] = [];
  readonly #queue = new Fifo<Work>();
  #picky: Work[] = [];
  #running = 0;
  #failure: Error | undefined;
  #idle: (() => void)[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#clock = kernel.clock;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  get waiting(): number {
    return this.#queue.size + this.#picky.length;
  }

  get running(): number {
    return this.#running;
  }

  add(member: Member): void {
    this.#members.push(member);
    this.pump();
  }

  /** Takes no more work for a worker; resolves through `onDrained`. */
  leave(member: Member): void {
    if (member.state === 'ready') member.state = 'leaving';
    if (member.inFlight.size === 0) this.onDrained(member);
  }

  submit(work: Work): void {
    if (this.#failure) return this.#settle(work, false, this.#failure, undefined);
    if (work.at !== undefined || work.io > 0 || work.port === PORT.TASKS || work.job.refusedBy.size > 0) this.#picky.push(work);
    else if (this.#queue.size === 0) {
      const member = this.#choose(work);
      if (member) return this.#assign(member, work);
      this.#queue.push(work);
    } else this.#queue.push(work);
    if (this.#picky.length > 0) this.pump();
  }

  /** Puts work back at the front: it has waited already. */
  resubmit(work: Work): void {
    work.state = { kind: 'waiting' };
    if (work.at !== undefined || work.io > 0 || work.port === PORT.TASKS) this.#picky.unshift(work);
    else this.#queue.unshift(work);
  }

  /** Gives work up: what runs is told to stop, and stopped within a second. */
  cancel(work: Work, reason: unknown): void {
    const { state } = work;
    if (state.kind === 'done') return;
    work.state = { kind: 'done' };
    if (state.kind === 'running') {
      const { member, call } = state;
      this.#kernel.requests.cancel(member.info.id, work.port, call, reason);
      this.#kernel.message(member.info.id, PORT.WORKER, { kind: 'cancel', call } satisfies WorkerOrder);
      this.#finish(member, work);
    }
    work.settle(false, reason, undefined); // D4
    this.pump();
  }

  /** Resolves when nothing waits or runs. */
  idle(): Promise<void> {
    if (this.#running === 0 && this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Fails all that waits, and all that comes. */
  fail(error: Error): void {
    this.#failure = error;
    const waiting = [...this.#queue, ...this.#picky];
    this.#queue.clear();
    this.#picky = [];
    for (const work of waiting) this.#settle(work, false, error, undefined);
  }

  pump(): void {
    if (this.#picky.length > 0) this.#pumpPicky();
    for (let work = this.#queue.peek(); work; work = this.#queue.peek()) {
      if (work.state.kind === 'done') {
        this.#queue.shift();
        continue;
      }
      const member = this.#choose(work);
      if (!member) break;
      this.#queue.shift();
      this.#assign(member, work);
    }
    if (this.#idle.length > 0 && this.#running === 0 && this.waiting === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** A worker is gone. What it had not finished goes to others. D2 */
  lose(member: Member, loss: Loss): void {
    member.state = 'lost';
    const at = this.#members.indexOf(member);
    if (at >= 0) this.#members.splice(at, 1);
    const losing = member.losing.splice(0);
    for (let i = losing.length - 1; i >= 0; i--) this.#retry(losing[i] as Work, loss, i === 0);
    this.pump();
  }

  #retry(work: Work, loss: Loss, wasRunning: boolean): void {
    if (work.state.kind === 'done') return;
    work.state = { kind: 'waiting' };
    work.suspect = true;
    if (work.lost) {
      if (work.lost(loss, wasRunning)) this.tally.retried += work.weight;
      return;
    }
    if (wasRunning || work.io > 0) work.strikes++;
    if (work.strikes > work.retries) return this.#settle(work, false, struckOut(work, loss), undefined); // D3
    this.tally.retried += work.weight;
    this.resubmit(work);
  }

  #pumpPicky(): void {
    const waiting = this.#picky;
    this.#picky = [];
    for (const work of waiting) {
      if (work.state.kind === 'done') continue;
      const member = this.#choose(work);
      if (member) this.#assign(member, work);
      else this.#picky.push(work);
    }
  }

  #choose(work: Work): Member | undefined {
    let best: Member | undefined;
    const serial = work.io === 0;
    for (const member of this.#members) {
      if (member.state !== 'ready' || member.alone) continue;
      if (work.at !== undefined && work.at !== member.info.name && work.at !== member.info.hostName) continue;
      if (work.job.refusedBy.size > 0 && work.job.refusedBy.has(member.info.host)) continue;
      if (serial ? !this.#hasCapacity(member, work) : member.io >= work.io) continue;
      const load = serial ? member.queuedMs + member.inFlight.size * 1e-6 : member.io;
      if (best === undefined || load < (serial ? best.queuedMs + best.inFlight.size * 1e-6 : best.io)) best = member;
    }
    return best;
  }

  // D1
  #hasCapacity(member: Member, work: Work): boolean {
    const ahead = member.inFlight.size - member.io;
    if (ahead === 0) return true;
    if (work.port === PORT.TASKS || work.suspect) return false;
    const { serviceMs } = work.job;
    if (serviceMs === undefined || ahead >= MOST_AHEAD) return false;
    const running = member.inFlight.values().next().value;
    if (running?.suspect) return false;
    return member.queuedMs - (running ? weightMs(running) : 0) + serviceMs * work.weight <= PREFETCH_MS * TOLERANCE;
  }

  #assign(member: Member, work: Work): void {
    const { job } = work;
    const peer = member.info.id;
    if (!member.defined.has(job.id)) {
      member.defined.add(job.id);
      if (job.shipped) this.#kernel.message(peer, PORT.CALLS, { kind: 'define', fn: job.id, shipped: job.shipped } satisfies Define);
    }
    if (member.inFlight.size === 0) {
      member.windowStart = this.#clock.now();
      member.windowCount = 0;
    }
    const flight = new Flight(this.#onAnswer, member, work);
    try {
      flight.call = this.#kernel.requests.request(flight, work.port, work.method, work.args);
    } catch (error) {
      return this.#settle(work, false, error, member);
    }
    work.state = flight;
    member.inFlight.add(work);
    this.#running++;
    if (work.io > 0) member.io++;
    else member.queuedMs += weightMs(work);
  }

  readonly #onAnswer = ({ member, work }: Flight, ok: boolean, value: unknown): void => {
    this.#finish(member, work);
    if (!ok && isSessionLoss(value)) {
      member.losing.push(work);
      member.state = 'lost';
      return;
    }
    if (work.io === 0) this.#measure(member, work);
    member.done += work.weight;
    this.#settle(work, ok, value, member);
    if (member.state === 'leaving' && member.inFlight.size === 0) this.onDrained(member);
    this.pump();
  };

  #finish(member: Member, work: Work): void {
    if (!member.inFlight.delete(work)) return;
    this.#running--;
    if (work.io > 0) member.io--;
    else if (member.inFlight.size === member.io) member.queuedMs = 0;
    else member.queuedMs = Math.max(0, member.queuedMs - weightMs(work));
  }

  #settle(work: Work, ok: boolean, value: unknown, member: Member | undefined): void {
    if (work.state.kind === 'done') return; // D4
    work.state = DONE;
    if (ok) this.tally.done += work.weight;
    else this.tally.failed += work.weight;
    work.settle(ok, value, member);
  }

  // Time between answers of a worker that is kept busy is the time of a call; it rises at once and falls slowly.
  #measure(member: Member, work: Work): void {
    if (work.port !== PORT.CALLS) return;
    member.windowCount++;
    const now = this.#clock.now();
    const elapsed = now - member.windowStart;
    if (elapsed < WINDOW_MS) return;
    learn(work, elapsed / member.windowCount);
    member.windowStart = now;
    member.windowCount = 0;
  }
}

// How much of a worker's time ahead some work takes up; a suspect, all of it.
function weightMs(work: Work): number {
  return work.suspect ? PREFETCH_MS + 1 : (work.job.serviceMs ?? PREFETCH_MS) * work.weight;
}

/** Takes a measurement of a function's time into account. */
export function learn(work: Work, serviceMs: number): void {
  const { job } = work;
  job.serviceMs = job.serviceMs === undefined || serviceMs > job.serviceMs ? serviceMs : job.serviceMs * 0.6 + serviceMs * 0.4;
}

// Work on its way: what a worker's answer finds, and the state of the work until then.
class Flight implements Pending {
  readonly kind = 'running';
  readonly peer: RuntimeId;
  readonly member: Member;
  readonly work: Work;
  readonly #hear: (flight: Flight, ok: boolean, value: unknown) => void;
  call = 0;

  constructor(hear: (flight: Flight, ok: boolean, value: unknown) => void, member: Member, work: Work) {
    this.peer = member.info.id;
    this.member = member;
    this.work = work;
    this.#hear = hear;
  }

  settle(ok: boolean, value: unknown): void {
    this.#hear(this, ok, value);
  }
}

/** The error for work that was lost as often as it may be. */
export function struckOut(
  work: { readonly job: { readonly label: string }; readonly strikes: number; readonly retries: number },
  loss: Loss,
): FlotillaError {
  const printed = loss.lastLines.length > 0 ? ` Its last lines:\n${loss.lastLines.slice(-8).join('\n')}` : '';
  const details = { details: { worker: loss.worker, attempts: work.strikes } };
  if (work.strikes > 1) {
    return new FlotillaError(
      'ERR_CALL_KILLS_WORKERS',
      `'${work.job.label}' was lost with its worker ${work.strikes} times and is not tried again. Last on ${loss.worker}: ${loss.reason}.${printed}`,
      details,
    );
  }
  return new FlotillaError(
    'ERR_WORKER_LOST',
    `'${work.job.label}' was lost with worker ${loss.worker}: ${loss.reason}.${printed}`,
    details,
  );
}
