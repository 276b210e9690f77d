// Gives work to workers: as much ahead as hides the way there, and no more.
//
// Owns what waits and what is under way. Does not own who the workers are (crew/), or what results mean (calls/).
//
//   DP1. A worker has ahead of it what hides the way to it (estimate.ts).
//   DP2. What a lost worker had not finished goes to another. The one that ran gets a strike; the others do not.
//   DP3. Work that struck out (`retries` + 1 times) is reported, not tried again.
//   DP4. Work is settled once, whatever late answers say.
//   DP5. What a silent worker has is given to another as well, if it may be tried again; the first answer counts. The other is
//       told to stop, and has its worker ended for it only where nothing runs beside: nobody asked for that.
//   DP6. What waits behind slow work is recalled when another worker has nothing to do; it runs once.
//   DP7. A worker that was told to stop some work is given nothing more until it has: it may have to be ended.
import { type Clock, Events } from '../../base/index.ts';
import { WORKER } from '../../host/index.ts';
import { isSessionLoss, type Post } from '../../kernel/index.ts';
import { CALLS } from '../../worker/index.ts';
import { choose } from './choose.ts';
import { Coming } from './coming.ts';
import { answers, begins, gains, sheds } from './estimate.ts';
import { Idle } from './idle.ts';
import { doubtfulOf, judge, struckOut } from './losses.ts';
import { argsOf, doorOf, isBeside, methodOf } from './order.ts';
import type { Queue } from './queue.ts';
import { Recaller } from './recall.ts';
import { Tally } from './tally.ts';
import { Flight, isAlone, type Loss, type Member, move, type Work, type WorkChange, type WorkState } from './work.ts';

const DONE: WorkState = Object.freeze({ kind: 'done' });
const WAITING: WorkState = Object.freeze({ kind: 'waiting' });

/** What a dispatcher is made of. */
export interface DispatcherOptions {
  readonly post: Post;
  /** Where work waits for a worker; empty as yet. */
  readonly queue: Queue;
  /** Makes of an error of a worker what the caller sees. */
  readonly mapError?: (error: unknown, member: Member) => unknown;
}

// A fault of ours is not hidden from whoever caused it.
const rethrow = (error: unknown): never => {
  throw error;
};

/** The dispatcher of one client. */
export class Dispatcher {
  readonly tally = new Tally();
  /** Workers that were leaving, and have nothing under way any more; any worker, while places are owed to others. */
  readonly drains = new Events<Member>(rethrow);
  /** Work that begins on a worker, and ends. */
  readonly changes = new Events<WorkChange>(rethrow);
  #owing = false;
  readonly #post: Post;
  readonly #clock: Clock;
  readonly #mapError: (error: unknown, member: Member) => unknown;
  readonly members: Member[] = [];
  readonly #queue: Queue;
  readonly #coming = new Coming();
  #waiting = 0;
  #ioOpen = 0;
  #pumping = false;
  /** Work that is not settled. */
  #open = 0;
  #failure: Error | undefined;
  readonly #idle = new Idle((io) => this.isIdle(io));
  readonly #recaller: Recaller;
  /** Work that a silent worker may have, too. */
  readonly #doubtful = new Set<Work>();
  /** The time, as it was looked at last. */
  #now = 0;

  constructor({ post, queue, mapError = (error) => error }: DispatcherOptions) {
    this.#post = post;
    this.#queue = queue;
    this.#mapError = mapError;
    this.#clock = post.clock;
    const recalled = (flights: readonly Flight[]): void => {
      for (const flight of flights) this.#recalled(flight);
      this.pump();
    };
    this.#recaller = new Recaller(post, this.members, () => this.#queue.noneForAll, recalled);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get running(): number {
    return this.#open - this.#waiting;
  }

  /** What waits for a worker, first what needs a certain place. */
  queued(): Iterable<Work> {
    return this.#queue;
  }

  /** What waits for its code to be at the hosts. */
  coming(): Iterable<Work> {
    return this.#coming;
  }

  add(member: Member): void {
    this.members.push(member);
    this.pump();
  }

  /** Takes no more work for a worker; `drains` tells when it has none. */
  leave(member: Member): void {
    if (member.state === 'ready') member.state = 'leaving';
    this.drained(member);
  }

  /** Nothing is under way on a worker any more, perhaps. */
  drained(member: Member): void {
    if (member.inFlight.size > 0 || member.tasks.size > 0 || member.state === 'lost') return;
    if (member.state === 'leaving' || this.#owing) this.drains.emit(member);
  }

  /** Whether places are owed to others: then each worker that has nothing to do is told of. */
  owe(owing: boolean): void {
    this.#owing = owing;
  }

  /** A worker that was leaving is given work again. */
  stay(member: Member): void {
    if (member.state !== 'leaving') return;
    member.state = 'ready';
    this.pump();
  }

  /** A worker is silent: what may be tried again is given to others as well. DP5 */
  doubt(member: Member): void {
    for (const work of doubtfulOf(member)) {
      this.tally.retried += work.weight;
      this.#doubtful.add(work);
      this.resubmit(work);
    }
    this.pump();
  }

  /** A silent worker is heard again: it need not do what others have done. */
  trust(member: Member): void {
    for (const flight of [...member.inFlight]) {
      const { work } = flight;
      if (work.state.kind === 'done') this.#stop(flight, isAlone(flight)); // DP5
      if (work.state.kind !== 'waiting') continue;
      this.#waiting -= work.weight;
      move(work, flight);
    }
    this.pump();
  }

  /** Fails what waits for a place that there is not. */
  failPicky(error: (work: Work) => Error | undefined): void {
    for (const work of [...this.#queue, ...this.#coming]) {
      const why = error(work);
      if (why) this.#settle(work, false, why, undefined);
    }
    this.pump();
  }

  submit(work: Work): void {
    if (this.#takes(work)) this.#place(work);
  }

  /** Takes work that can be given to workers once `ready` resolves, and fails with it. */
  expect(work: Work, ready: Promise<void>): void {
    if (!this.#takes(work)) return;
    this.#coming.add(work, ready, (one, ...why) => {
      if (why.length === 0) return this.#place(one);
      this.#settle(one, false, why[0], undefined);
      this.#pumpSoon();
    });
  }

  /** Fails work that will never run. */
  refuse(work: Work, why: Error): void {
    if (this.#takes(work)) this.#settle(work, false, why, undefined);
  }

  /** Waits for what must be before work can be made; nothing is idle until then. Rejects with what it rejects with, or with what ends the client. */
  until(ready: Promise<void>): Promise<void> {
    return this.#failure ? Promise.reject(this.#failure) : this.#coming.wait(ready, () => this.#pumpSoon());
  }

  #takes(work: Work): boolean {
    move(work, WAITING);
    this.#waiting += work.weight;
    this.#open += work.weight;
    if (isBeside(work)) this.#ioOpen += work.weight;
    if (this.#failure) this.#settle(work, false, this.#failure, undefined);
    return !this.#failure;
  }

  #place(work: Work): void {
    const member = this.#queue.hasBefore(work) ? undefined : choose(this.members, work, this.#doubtful);
    if (member) this.#assign(member, work);
    else this.#queue.push(work);
  }

  /** Puts work back at the front: it has waited already. */
  resubmit(work: Work): void {
    move(work, WAITING);
    this.#waiting += work.weight;
    this.#queue.unshift(work);
  }

  /** Gives work up: what runs is told to stop, and stopped within a second. */
  cancel(work: Work, reason: unknown): void {
    const { state } = work;
    if (state.kind === 'done') return;
    this.#done(work);
    this.tally.cancelled += work.weight;
    if (state.kind === 'running') state.member.tally.cancelled += work.weight;
    if (state.kind === 'running') this.#stop(state, true, reason);
    if (this.changes.size > 0) this.changes.emit({ work, member: undefined, end: { ok: false, value: reason } });
    work.promised.settle(false, reason, undefined); // DP4
    this.#pumpSoon();
  }

  /** Gives up all that waits or runs, and fails all that comes. */
  cancelAll(error: Error): void {
    const running = this.members.flatMap((member) => [...member.inFlight].map(({ work }) => work));
    this.fail(error);
    for (const work of running) this.cancel(work, error);
  }

  // Tells a worker to stop some work, at the cost of its life if need be, and does not wait for it.
  #stop(flight: Flight, atAnyCost: boolean, reason?: unknown): void {
    const { member, work, call } = flight;
    const port = doorOf(work);
    // In this order: its kernel thread waits for the call to settle, and must do so before the call hears of it.
    if (atAnyCost) this.#post.message(member.info.id, WORKER, { kind: 'cancel', call, port });
    this.#post.requests.cancel(member.info.id, port, call, reason);
    member.stopping.add(call); // DP7
    this.#finish(flight);
    this.drained(member);
  }

  /** Whether nothing waits or runs, but for what runs beside others unless `io`. */
  isIdle(io: boolean): boolean {
    return !this.#coming.isAwaited && this.#open <= (io ? 0 : this.#ioOpen);
  }

  /** Resolves when that is so. */
  idle(io: boolean): Promise<void> {
    return this.#idle.wait(io);
  }

  /** Fails all that waits, and all that comes. */
  fail(error: Error): void {
    this.#failure = error;
    const waiting = [...this.#queue, ...this.#coming.end(error)];
    this.#queue.clear();
    for (const work of waiting) this.#settle(work, false, error, undefined);
  }

  pump(): void {
    this.#queue.drain(this.#give);
    this.#idle.look();
    if (this.members.length > 1 && this.#open > 0 && this.#queue.noneForAll) this.#recaller.watch();
  }

  // Once for all that is given up in a turn.
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#clock.defer(() => {
      this.#pumping = false;
      this.pump();
    });
  }

  readonly #give = (work: Work): boolean => {
    const member = choose(this.members, work, this.#doubtful);
    if (member) this.#assign(member, work);
    return member !== undefined;
  };

  // DP6
  #recalled(flight: Flight): void {
    const { member, work, call } = flight;
    if (!member.inFlight.has(flight)) return; // answered, or lost, meanwhile
    this.#post.requests.drop(call);
    this.#finish(flight);
    if (work.state !== flight) return; // done, or under way elsewhere
    this.resubmit(work);
  }

  /** A worker is gone. What it had not finished goes to others. DP2 */
  lose(member: Member, loss: Loss): void {
    member.state = 'lost';
    const at = this.members.indexOf(member);
    if (at >= 0) this.members.splice(at, 1);
    const losing = member.losing.splice(0);
    const [running] = losing;
    for (const flight of losing.reverse()) this.#retry(flight, loss, flight === running); // each is put in front of what waits
    this.pump();
  }

  #retry(flight: Flight, loss: Loss, wasRunning: boolean): void {
    const { work } = flight;
    const verdict = judge(flight, loss, wasRunning);
    if (verdict === 'settled elsewhere') return; // DP4, DP5
    if (verdict === 'struck out') return this.#settle(work, false, struckOut(work, loss), undefined); // DP3
    if (verdict === 'again') this.resubmit(work);
    else {
      this.#done(work);
      if (work.kind !== 'batch' || !work.promised.lost(loss, wasRunning)) return;
    }
    this.tally.retried += work.weight;
  }

  #assign(member: Member, work: Work): void {
    const { job } = work;
    const peer = member.info.id;
    if (!member.defined.has(job.id)) {
      member.defined.add(job.id);
      if (job.shipped) this.#post.message(peer, CALLS, { kind: 'define', fn: job.id, shipped: job.shipped });
    }
    if (member.inFlight.size === 0) {
      this.#now = this.#clock.now();
      begins(member.time, this.#now);
    }
    const flight = new Flight(this.#onAnswer, member, work);
    try {
      flight.call = this.#post.requests.request(flight, doorOf(work), methodOf(work), argsOf(work));
    } catch (error) {
      return this.#settle(work, false, error, member);
    }
    this.#waiting -= work.weight;
    flight.since = this.#now;
    move(work, flight);
    member.inFlight.add(flight);
    if (this.changes.size > 0) this.changes.emit({ work, member });
    if (isBeside(work)) member.io++;
    else gains(member.time, work);
  }

  readonly #onAnswer = (flight: Flight, ok: boolean, value: unknown): void => {
    const { member, work } = flight;
    this.#finish(flight);
    if (!ok && isSessionLoss(value)) {
      member.losing.push(flight);
      member.state = 'lost';
      return;
    }
    if (!isBeside(work)) {
      this.#now = this.#clock.now();
      answers(member.time, work, this.#now);
    }
    const other = work.state;
    if (other.kind !== 'done') member.tally.ended(work, ok, value, true);
    this.#settle(work, ok, value, member);
    if (other !== flight && other.kind === 'running') this.#stop(other, isAlone(other)); // DP5
    this.drained(member);
    this.pump();
  };

  #finish(flight: Flight): void {
    const { member, work } = flight;
    if (!member.inFlight.delete(flight)) return;
    if (isBeside(work)) member.io--;
    else sheds(member.time, work, member.inFlight.size > member.io);
  }

  #settle(work: Work, ok: boolean, value: unknown, member: Member | undefined): void {
    if (work.state.kind === 'done') return; // DP4
    this.#done(work);
    const outcome = ok || member === undefined ? value : this.#mapError(value, member);
    if (this.changes.size > 0) this.changes.emit({ work, member, end: { ok, value: outcome } });
    this.tally.ended(work, ok, value, member !== undefined);
    work.promised.settle(ok, outcome, member);
  }

  #done(work: Work): void {
    if (work.state.kind === 'waiting') this.#waiting -= work.weight;
    if (work.state.kind !== 'new') {
      this.#open -= work.weight;
      if (isBeside(work)) this.#ioOpen -= work.weight;
    }
    move(work, DONE);
    if (this.#doubtful.size > 0) this.#doubtful.delete(work);
  }
}
