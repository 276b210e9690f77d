// One seeded run of a whole cluster on virtual time, under one kind of fault: calls, items and tasks while machines come and go.
import assert from 'node:assert/strict';
import { sleep } from '../../src/base/index.ts';
import type { Task } from '../../src/kernel/index.ts';
import { seededRandom, type World } from '../../src/testing/index.ts';
import { Cluster, FAULTS, type Fault, type Used } from './machines.ts';

export { FAULTS };

export interface ClusterReport {
  readonly seed: number;
  readonly fault: Fault;
  readonly calls: number;
  readonly retried: number;
  readonly faults: number;
  readonly digest: number;
}

const double = (n: number): Promise<number> => new Promise((resolve) => void setTimeoutOf.after(n % 97, () => resolve(n * 2)));
let setTimeoutOf: World['clock'];

/** Everything is settled once and rightly, nobody holds what another has, and nothing is left. */
export async function runCluster(seed: number, fault: Fault): Promise<ClusterReport> {
  const cluster = new Cluster(seed);
  setTimeoutOf = cluster.world.clock;
  const chance = seededRandom(seed * 11 + 5);
  const { world } = cluster;
  const hosts = fault === 'storm' ? 0 : 3 + Math.floor(chance() * 3);
  await cluster.startScheduler();
  for (let i = 0; i < hosts; i++) await cluster.startHost(1 + Math.floor(chance() * 2));
  if (fault === 'storm') void cluster.storm(8 + Math.floor(chance() * 8), chance);
  const clients: Used[] = [];
  const count = 1 + Math.floor(chance() * 2);
  for (let i = 0; i < count; i++)
    clients.push(await cluster.startClient(`c${i}`, { abandonZombieHosts: fault === 'half-lost' ? 5_000 : false }));
  let done = false;
  const work = Promise.all(clients.map((one, i) => use(one, seed * 10 + i, world))).finally(() => {
    done = true;
  });
  work.catch(() => {});
  let faults = 0;
  for (let round = 0; round < 300 && !done; round++) {
    await world.clock.advance(100 + chance() * 900, () => done);
    if (done || chance() > 0.25 || faults >= 6) continue;
    faults += await cluster.harm(fault, chance);
  }
  world.network.heal();
  const totals = await world.wait(work, 3_600_000).catch((error: Error) => {
    const why = clients.flatMap(({ client }) => [JSON.stringify(client.counters), ...client.explain()]);
    throw new Error([`seed ${seed}: ${error.message}`, ...why].join('\n'), { cause: error });
  });
  for (const one of clients) {
    one.check();
    await world.wait(one.client.close(), 120_000);
    one.check();
    assert.equal(one.events.at(-1)?.kind, 'client-closed', `seed ${seed}`);
  }
  await world.clock.advance(400_000); // whom nobody heard leave is waited for
  for (const { host, name } of cluster.hosts.values()) assert.deepEqual(host.clients, [], `seed ${seed}: ${name} is free`);
  const { status } = cluster.scheduler!;
  assert.deepEqual(status.clients, [], `seed ${seed}: the scheduler knows no client`);
  for (const host of status.hosts) assert.equal(host.granted, 0, `seed ${seed}: nothing of ${host.name} is held`);
  await cluster.close();
  assert.equal(world.network.connections, 0, `seed ${seed}: no connection is left`);
  assert.equal(world.clock.pending, 0, `seed ${seed}: no timer is left`);
  return {
    seed,
    fault,
    calls: totals.reduce((sum, one) => sum + one.calls, 0),
    retried: clients.reduce((sum, { client }) => sum + client.counters.retried, 0),
    faults,
    digest: world.network.trace.digest,
  };
}

async function use({ client }: Used, seed: number, world: World): Promise<{ calls: number }> {
  const chance = seededRandom(seed);
  let calls = 0;
  const patient = client.with({ retries: 1_000 });
  const runs = Array.from({ length: 30 }, async (_, i) => {
    await sleep(world.clock, chance() * 20_000);
    assert.equal(await patient.run(double, i), i * 2);
    calls++;
  });
  const seen: number[] = [];
  const mapped = (async () => {
    for await (const { index, value, error } of patient.map(double, range(80), { unordered: chance() < 0.5 }).outcomes()) {
      assert.equal(error, undefined);
      assert.equal(value, index * 2);
      seen.push(index);
      calls++;
    }
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      range(80),
    );
  })();
  const talks = Array.from({ length: 2 }, async () => {
    await sleep(world.clock, chance() * 10_000);
    const starting = client.with({ io: 4 }).spawn(adder, 100);
    const task = await starting.catch((error: Error & { code?: string }) => {
      if (error.code !== 'ERR_WORKER_LOST') throw error;
      return undefined; // lost while it began: it is not run twice
    });
    calls++;
    if (!task) return;
    let ends = 0;
    void task.ended.then(() => ends++);
    for (let n = 0; n < 5; n++) {
      if (!task.send(n)) await task.room();
      await sleep(world.clock, chance() * 2_000);
    }
    task.close();
    const end = await task.ended;
    if (end.kind === 'returned') assert.equal(end.value, 110);
    else assert.match(end.kind, /^(worker-lost|host-lost|terminated)$/);
    assert.equal(ends, 1);
  });
  await Promise.all([...runs, mapped, ...talks]);
  return { calls };
}

async function adder(self: Task<number>, start: number): Promise<number> {
  let sum = start;
  for await (const n of self) sum += n;
  return sum;
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
