// One seeded run of dispatch: calls and maps over workers that vanish, are cut off, and are replaced.
import assert from 'node:assert/strict';
import { SILENT } from '../../src/base/index.ts';
import { PLAIN } from '../../src/cluster/calls/caller.ts';
import { Calls } from '../../src/cluster/calls/calls.ts';
import { WorkReport } from '../../src/cluster/calls/work-report.ts';
import { Dispatcher } from '../../src/cluster/dispatch/dispatcher.ts';
import { type Job, newJob } from '../../src/cluster/dispatch/job.ts';
import { WorkQueue } from '../../src/cluster/dispatch/queue.ts';
import { type Member, newMember } from '../../src/cluster/dispatch/work.ts';
import { Telling } from '../../src/cluster/events.ts';
import type { Loaded } from '../../src/code/index.ts';
import { WORKER } from '../../src/host/index.ts';
import type { Runtime } from '../../src/kernel/index.ts';
import { seededRandom, World } from '../../src/testing/index.ts';
import { Executor } from '../../src/worker/executor.ts';
import type { Report } from './scenario.ts';

const CALLS = 60;
const ITEMS = 120;

/** Every call and item is settled exactly once and rightly, whatever becomes of the workers. */
export async function runDispatch(seed: number): Promise<Report> {
  const world = new World({ seed, latencyMs: [0, 1 + (seed % 10)] });
  const chance = seededRandom(seed * 31 + 7);
  const client = await world.start('client', { listen: 'mem://client:1', pulse: 2_000, role: 'client' });
  const dispatcher = new Dispatcher({ post: client.kernel, queue: new WorkQueue() });
  const functions = new Map<number, Loaded>();
  const jobs = new Map<unknown, Job>();
  const caller = new Calls({
    post: client.kernel,
    dispatcher,
    jobs: {
      of(fn) {
        let job = jobs.get(fn);
        if (!job) {
          const id = jobs.size + 1;
          functions.set(id, fn as unknown as Loaded);
          job = { ...newJob(id, fn, fn.name), shipped: { label: fn.name, unit: String(id), name: '', path: [] }, ready: true };
          jobs.set(fn, job);
        }
        return job;
      },
      mapError: (error) => error,
    },
    code: { prepare: async () => {} },
    places: { refuses: () => undefined },
    report: new WorkReport(world.clock, new Telling(world.clock, SILENT), dispatcher),
  });
  const workers = new Map<Member, { runtime: Runtime; machine: string }>();
  let started = 0;
  const startWorker = async (): Promise<void> => {
    const machine = `w${started++}`;
    const runtime = await world.start(machine, { pulse: 2_000, role: 'worker' });
    new Executor({
      post: runtime.kernel,
      clock: world.clock,
      place: runtime.kernel.place,
      load: async (shipped) => functions.get(Number(shipped.unit)) as Loaded,
      turn: () => new Promise((resolve) => world.clock.after(0, resolve)),
      abandons: true,
    });
    runtime.kernel.serve(WORKER, { recall: () => [] });
    await world.wait(runtime.connect('mem://client:1'));
    const member = newMember({
      id: runtime.id,
      name: `${machine}/1`,
      host: runtime.id,
      hostName: machine,
      slot: 1,
      epoch: 1,
      pid: 0,
      addresses: [],
    });
    workers.set(member, { runtime, machine });
    dispatcher.add(member);
  };
  const lose = (member: Member, reason: string): void => {
    client.kernel.requests.ended(member.info.id, { kind: 'gone', message: reason, lost: 'worker' });
    workers.delete(member);
    dispatcher.lose(member, { worker: member.info.name, reason, lastLines: [], what: 'worker' });
  };
  client.kernel.on({
    ended(peer) {
      for (const member of [...workers.keys()]) if (member.info.id === peer) lose(member, 'its session ended');
    },
  });
  for (let i = 0; i < 1 + (seed % 4); i++) await startWorker();

  const double = async (n: number): Promise<number> => {
    await new Promise<void>((resolve) => world.clock.after(n % 7, resolve));
    if (n % 11 === 10) throw new RangeError(`no ${n}`);
    return n * 2;
  };
  const settled: number[] = [];
  const calls = Array.from({ length: CALLS }, async (_, n) => {
    const outcome = await caller.run(double, [n], chance() < 0.5 ? PLAIN : { retries: 1_000 }).catch((error: Error) => error);
    settled.push(n);
    if (outcome instanceof Error && (outcome as { code?: string }).code !== undefined)
      assert.match((outcome as unknown as { code: string }).code, /^ERR_(CALL_KILLS_WORKERS|WORKER_LOST)$/);
    else if (n % 11 === 10) assert.match(String(outcome), /RangeError: no/);
    else assert.equal(outcome, n * 2);
  });
  const ends: number[] = [];
  const mapped = (async () => {
    const unordered = chance() < 0.5;
    const options = { retries: 1_000, ...(chance() < 0.3 ? { io: 5 } : {}) };
    const items = Array.from({ length: ITEMS }, (_, i) => i);
    for await (const { index, value, error } of caller.map<number, Promise<number>>(double, items, { unordered }, options).outcomes()) {
      ends.push(index);
      if (index % 11 === 10) assert.match(String(error), /RangeError: no/);
      else assert.equal(value, index * 2);
    }
    if (!unordered)
      assert.deepEqual(
        ends,
        [...ends].sort((a, b) => a - b),
        `seed ${seed}: in order`,
      );
  })();
  const all = Promise.all([...calls, mapped]);
  let done = false;
  all
    .finally(() => {
      done = true;
    })
    .catch(() => {});
  let losses = 0;
  for (let round = 0; round < 2_000 && !done; round++) {
    await world.clock.advance(5 + chance() * 40, () => done);
    const dice = chance();
    const victims = [...workers];
    const [member, victim] = victims[Math.floor(chance() * victims.length)] ?? [];
    if (dice < 0.08 && member && victim) {
      losses++;
      world.crash(victim.runtime, victim.machine, chance() < 0.5);
      lose(member, 'it was killed');
    } else if (dice < 0.14) world.network.cut();
    if (workers.size === 0 || (workers.size < 3 && chance() < 0.3)) await startWorker();
  }
  await world.wait(all, 120_000);
  assert.deepEqual(
    [...settled].sort((a, b) => a - b),
    Array.from({ length: CALLS }, (_, i) => i),
    `seed ${seed}: each call once`,
  );
  assert.deepEqual(
    [...ends].sort((a, b) => a - b),
    Array.from({ length: ITEMS }, (_, i) => i),
    `seed ${seed}: each item once`,
  );
  assert.equal(dispatcher.running + dispatcher.waiting, 0, `seed ${seed}: nothing is left under way`);
  await world.close();
  return { seed, delivered: CALLS + ITEMS, cuts: losses, steps: world.clock.steps, digest: world.network.trace.digest };
}
