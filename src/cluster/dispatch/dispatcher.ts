// Gives work to workers: as much ahead as hides the way there, and no more.
//
// Owns the work that waits or is under way. Does not own the workers (crew/), or the meaning of results (calls/).
//
//   DP1. A worker is given so much ahead that it works while its next work is on the way (estimate.ts), and no more.
//   DP2. Work that a lost worker had not finished goes to another. The call that ran gets a strike; those that waited do not.
//   DP3. Work that struck out (`retries` + 1 times) is reported, not tried again.
//   DP4. Work is settled once, whatever late answers say.
//   DP5. Work of a silent worker that may be tried again is given to another as well; the first answer counts. The other worker is
//       told to stop, and is ended for it only if nothing else is under way there, because no caller asked for the stop.
//   DP6. Work that waits behind slow work is recalled when another worker has nothing to do; it runs once.
//   DP7. A worker that was told to stop some work is given nothing more until it has stopped, because it may have to be ended.
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

/** The parts that a dispatcher is made of. */
export interface DispatcherOptions {
  readonly post: Post;
  /** The queue for work that waits for a worker; empty at first. */
  readonly queue: Queue;
  /** Turns an error from a worker into the one that the caller sees. */
  readonly mapError?: (error: unknown, member: Member) => unknown;
}

// The listeners are flotilla's own code: an error of theirs is a bug, and is not hidden.
const rethrow = (error: unknown): never => {
  throw error;
};

/** The dispatcher of one client. */
export class Dispatcher {
  readonly tally = new Tally();
  /** Tells of each leaving worker that has nothing under way any more; while places are owed to others, of any such worker. */
  readonly drains = new Events<Member>(rethrow);
  /** Tells of work that begins on a worker, and of its end. */
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
  /** How much work is not settled, items of a map counted one each. */
  #open = 0;
  #failure: Error | undefined;
  readonly #idle = new Idle((io) => this.isIdle(io));
  readonly #recaller: Recaller;
  /** Work that a silent worker may have, too. */
  readonly #doubtful = new Set<Work>();
  /** The time of the last look at the clock, which costs too much for every call. */
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

  /** Work that waits for a worker; work that needs a certain place comes first. */
  queued(): Iterable<Work> {
    return this.#queue;
  }

  /** Work that waits until its code is on the hosts. */
  coming(): Iterable<Work> {
    return this.#coming;
  }

  add(member: Member): void {
    this.members.push(member);
    this.pump();
  }

  /** Gives a worker no more work; `drains` tells when it has none left. */
  leave(member: Member): void {
    if (member.state === 'ready') member.state = 'leaving';
    this.drained(member);
  }

  /** Looks whether nothing is under way on a worker any more, and tells so if somebody waits for that. */
  drained(member: Member): void {
    if (member.inFlight.size > 0 || member.tasks.size > 0 || member.state === 'lost') return;
    if (member.state === 'leaving' || this.#owing) this.drains.emit(member);
  }

  /** Sets whether places are owed to others: if so, `drains` tells of every worker that has nothing to do. */
  owe(owing: boolean): void {
    this.#owing = owing;
  }

  /** Gives a worker that was leaving work again. */
  stay(member: Member): void {
    if (member.state !== 'leaving') return;
    member.state = 'ready';
    this.pump();
  }

  /** Gives the work of a silent worker to others as well, if it may be tried again. DP5 */
  doubt(member: Member): void {
    for (const work of doubtfulOf(member)) {
      this.tally.retried += work.weight;
      this.#doubtful.add(work);
      this.resubmit(work);
    }
    this.pump();
  }

  /** Trusts a worker that is heard again: it stops work that others have done, and keeps work that no other has begun. */
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

  /** Fails waiting work for which `error` returns one, such as work for a place that is gone. */
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

  /** Takes work that can be given to workers once `ready` resolves; if `ready` rejects, the work fails. */
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

  /** Waits for `ready` before work can be made; the client is not idle meanwhile. Rejects as `ready` does, or when the client ends. */
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

  /** Puts work back at the front of the queue, because it has waited already. */
  resubmit(work: Work): void {
    move(work, WAITING);
    this.#waiting += work.weight;
    this.#queue.unshift(work);
  }

  /** Gives work up. If it runs, its worker is told to stop it, and stops within a second, if need be by its own end. */
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

  /** Gives up all work that waits or runs, and fails all that comes later. */
  cancelAll(error: Error): void {
    const running = this.members.flatMap((member) => [...member.inFlight].map(({ work }) => work));
    this.fail(error);
    for (const work of running) this.cancel(work, error);
  }

  // Tells a worker to stop some work, at the cost of its life if need be, and does not wait for it.
  #stop(flight: Flight, atAnyCost: boolean, reason?: unknown): void {
    const { member, work, call } = flight;
    const port = doorOf(work);
    // In this order: the worker's kernel thread watches whether the call settles, and must begin to before the call is told to stop.
    if (atAnyCost) this.#post.message(member.info.id, WORKER, { kind: 'cancel', call, port });
    this.#post.requests.cancel(member.info.id, port, call, reason);
    member.stopping.add(call); // DP7
    this.#finish(flight);
    this.drained(member);
  }

  /** Whether no work waits or runs; work that runs beside others counts only if `io`. */
  isIdle(io: boolean): boolean {
    return !this.#coming.isAwaited && this.#open <= (io ? 0 : this.#ioOpen);
  }

  /** Resolves when the client is idle in that sense. */
  idle(io: boolean): Promise<void> {
    return this.#idle.wait(io);
  }

  /** Fails all work that waits, and all that comes later; running work goes on. */
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

  // Pumps once for all work that is given up in this turn.
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

  // Queues work again that its worker will not begin. DP6
  #recalled(flight: Flight): void {
    const { member, work, call } = flight;
    if (!member.inFlight.has(flight)) return; // it was answered, or lost, meanwhile
    this.#post.requests.drop(call);
    this.#finish(flight);
    if (work.state !== flight) return; // it is done, or under way elsewhere
    this.resubmit(work);
  }

  /** Loses a worker: work that it had not finished goes to others. DP2 */
  lose(member: Member, loss: Loss): void {
    member.state = 'lost';
    const at = this.members.indexOf(member);
    if (at >= 0) this.members.splice(at, 1);
    const losing = member.losing.splice(0);
    const [running] = losing;
    for (const flight of losing.reverse()) this.#retry(flight, loss, flight === running); // each goes to the front, so the last first
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
