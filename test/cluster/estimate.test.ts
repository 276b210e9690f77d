// What the dispatcher decides: how much a worker is given ahead, which worker is given work, and what becomes of work whose worker is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose } from '../../src/cluster/dispatch/choose.ts';
import { answers, BATCH_MS, begins, gains, hasCapacity, isSlow, sheds } from '../../src/cluster/dispatch/estimate.ts';
import { newJob } from '../../src/cluster/dispatch/job.ts';
import { doubtfulOf, judge, type Verdict } from '../../src/cluster/dispatch/losses.ts';
import { argsOf, type BatchOrder, type CallOrder, termsOf } from '../../src/cluster/dispatch/order.ts';
import { WorkQueue } from '../../src/cluster/dispatch/queue.ts';
import {
  Flight,
  type Loss,
  type Member,
  move,
  newCall,
  newMember,
  newWork,
  type Work,
  type WorkState,
} from '../../src/cluster/dispatch/work.ts';

const job = (serviceMs?: number) =>
  Object.assign(
    newJob(1, () => {}, 'job'),
    { serviceMs },
  );
const call = (of = job(), terms: Partial<CallOrder> = {}): Work =>
  newWork({ kind: 'call', job: of, args: [], weight: 1, ...termsOf(terms) }, { settle() {} });
const batch = (size: number, of = job()): Work => {
  const items = Array.from({ length: size }, (_, i) => i);
  const order: BatchOrder = { kind: 'batch', job: of, items, args: ['x'], weight: size, ...termsOf({}) };
  return newWork(order, { settle() {}, lost: () => true });
};
const worker = (name = 'alpha/1', host = 'h'): Member =>
  newMember({ id: name as never, name, host: host as never, hostName: 'alpha', slot: 1, epoch: 1, pid: 1, addresses: [] });
const NONE = new Set<Work>();

function give(member: Member, work: Work): Flight {
  const flight = new Flight(() => {}, member, work);
  move(work, flight);
  member.inFlight.add(flight);
  if (work.io > 0) member.io++;
  else gains(member.time, work);
  return flight;
}

const loss = (more: Partial<Loss> = {}): Loss => ({ worker: 'alpha/1', reason: 'killed', lastLines: [], what: 'worker', ...more });

test('a worker that has nothing takes anything; of a function never measured it is given one at a time', () => {
  const member = worker();
  const unknown = job();
  assert.ok(hasCapacity(member, call(unknown)));
  give(member, call(unknown));
  assert.ok(!hasCapacity(member, call(unknown)));
});

test('a worker is given what hides the way to it: many short calls, no second long one', () => {
  const short = job(0.1);
  const member = worker();
  let given = 0;
  while (given < 1_000 && hasCapacity(member, call(short))) {
    give(member, call(short));
    given++;
  }
  assert.ok(given > 20 && given < 30, `${given} calls of 0.1 ms`);
  const long = job(50);
  const other = worker();
  give(other, call(long));
  assert.ok(!hasCapacity(other, call(long)));
});

test('a call takes the time between the answers of a busy worker, which rises at once and falls slowly', () => {
  const of = job();
  const { time } = worker();
  begins(time, 100);
  for (let i = 1; i <= 4; i++) answers(time, call(of), 100 + i * 5);
  assert.equal(of.serviceMs, 5);
  answers(time, call(of), 150);
  assert.equal(of.serviceMs, 30);
  answers(time, call(of), 155);
  assert.ok(Math.abs((of.serviceMs ?? 0) - 20) < 0.001);
});

test('answers that come together are measured together', () => {
  const of = job();
  const { time } = worker();
  begins(time, 0);
  for (let i = 0; i < 9; i++) answers(time, call(of), 0);
  assert.equal(of.serviceMs, undefined, 'no time has passed');
  answers(time, call(of), 1);
  assert.equal(of.serviceMs, 0.1);
});

test('what an estimate has drifted by is gone when the worker has nothing', () => {
  const of = job(1);
  const { time } = worker();
  const [one, two] = [call(of), call(of)];
  gains(time, one);
  gains(time, two);
  of.serviceMs = 10;
  sheds(time, one, true);
  assert.equal(time.queuedMs, 0, 'never below nothing');
  of.serviceMs = 0.1;
  gains(time, one);
  sheds(time, one, false);
  assert.equal(time.queuedMs, 0);
});

test('work is slow when it has been in front for long', () => {
  const { time } = worker();
  begins(time, 0);
  assert.ok(!isSlow(time, 19));
  assert.ok(isSlow(time, 20));
  answers(time, call(), 25);
  assert.ok(!isSlow(time, 30));
});

test('a suspect has nothing ahead of it and nothing behind it', () => {
  const of = job(0.01);
  const member = worker();
  const suspect = call(of);
  suspect.suspect = true;
  give(member, call(of));
  assert.ok(!hasCapacity(member, suspect));
  const alone = worker();
  give(alone, suspect);
  assert.ok(!hasCapacity(alone, call(of)));
  assert.ok(alone.time.queuedMs > BATCH_MS);
});

test('the worker with least to do is chosen, of those that may have the work', () => {
  const of = job(0.1);
  const [busy, free] = [worker('alpha/1'), worker('alpha/2')];
  give(busy, call(of));
  assert.equal(choose([busy, free], call(of), NONE), free);
  assert.equal(choose([busy, free], call(of, { at: 'alpha/1' }), NONE), busy);
  free.pause = 1;
  assert.equal(choose([busy, free], call(of), NONE), busy);
  busy.stopping.add(7);
  assert.equal(choose([busy, free], call(of), NONE), undefined);
});

test('a host that cannot run a function is given none of it, and a worker that is silent not what it has already', () => {
  const of = job(0.1);
  const [one, two] = [worker('alpha/1', 'h1'), worker('beta/1', 'h2')];
  of.refusedBy.set('h1' as never, new Error('no such package'));
  assert.equal(choose([one, two], call(of), NONE), two);
  const doubtful = call(job(0.1));
  give(one, doubtful);
  assert.equal(choose([one], doubtful, new Set([doubtful])), undefined);
  assert.equal(choose([one, two], doubtful, new Set([doubtful])), two);
});

test('the one that ran when its worker was lost gets a strike, and strikes out; those behind it are tried again', () => {
  const member = worker();
  const [ran, waited] = [call(job(), { retries: 1 }), call(job(), { retries: 1 })];
  const verdicts: Verdict[] = [];
  for (let i = 0; i < 2; i++) {
    verdicts.push(judge(give(member, ran), loss(), true));
    verdicts.push(judge(give(member, waited), loss(), false));
  }
  assert.deepEqual(verdicts, ['again', 'again', 'struck out', 'again']);
  assert.equal(waited.strikes, 0);
  assert.ok(waited.suspect);
});

test('a loss that nobody is to blame for costs nothing; a batch is given anew; what is settled elsewhere is left alone', () => {
  const member = worker();
  const blameless = call();
  assert.equal(judge(give(member, blameless), loss({ blameless: true }), true), 'again');
  assert.equal(blameless.suspect, false);
  assert.equal(judge(give(member, batch(3)), loss(), true), 'anew');
  const twice = call();
  const first = give(member, twice);
  give(worker('beta/1'), twice);
  assert.equal(judge(first, loss(), true), 'settled elsewhere');
});

test('of what a silent worker has, calls that may be tried again are given to others, in their order', () => {
  const member = worker();
  const [one, once, two] = [call(), call(job(), { retries: 0 }), call()];
  for (const work of [one, once, two]) give(member, work);
  assert.deepEqual(doubtfulOf(member), [two, one], 'last first: each is put in front of what waits');
});

test('whoever asked hears of each change of the state of work, and the worker is sent what its kind needs', () => {
  const states: WorkState['kind'][] = [];
  const work = newWork(
    { kind: 'stream', job: job(), args: [1], weight: 1, ...termsOf({ io: 1 }) },
    { settle() {}, moved: (state) => void states.push(state.kind) },
  );
  move(work, { kind: 'waiting' });
  give(worker(), work);
  move(work, { kind: 'done' });
  assert.deepEqual(states, ['waiting', 'running', 'done']);
  assert.deepEqual(argsOf(work), [1]);
  assert.deepEqual(argsOf(batch(2)), [[0, 1], ['x']]);
  assert.deepEqual(argsOf({ kind: 'task', job: job(), args: ['a'], weight: 1, ...termsOf({}) }), [1, ['a']]);
});

test('what needs a certain place does not hold up what any worker can take', () => {
  const queue = new WorkQueue();
  const [picky, plain] = [call(job(), { at: 'beta' }), newCall(job(), [], () => {})];
  for (const work of [picky, plain]) {
    move(work, { kind: 'waiting' });
    queue.push(work);
  }
  const given: Work[] = [];
  queue.drain((work) => work.at === undefined && given.push(work) > 0);
  assert.deepEqual(given, [plain]);
  assert.deepEqual([...queue], [picky]);
});
