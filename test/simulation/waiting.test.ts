// Clients that wait for workers, on virtual time: whom they wait for, what they are told of it, and that they are served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT, type ClientDoor, SCHEDULER } from '../../src/cluster/protocol.ts';
import { Scheduler } from '../../src/cluster/scheduler/scheduler.ts';
import { HOST, type HostDoor } from '../../src/host/index.ts';
import type { Task } from '../../src/kernel/index.ts';
import { some } from '../support/doors.ts';
import { machines } from '../support/worlds.ts';
import { Cluster } from './machines.ts';

test('of a host that works for one client at a time, the next one is told who has it, and has it when the first has left', async () => {
  const cluster = new Cluster(1);
  const { world } = cluster;
  await cluster.startScheduler();
  await cluster.startHost(2, { clients: 1 });
  const first = await cluster.startClient('first');
  await world.clock.advance(5_000);
  const warnings: string[] = [];
  const connecting = cluster.connect('second', { warn: (text) => warnings.push(text) });
  await world.clock.advance(12_000);
  assert.equal(first.client.hosts()[0]?.ready, 2, 'nothing is taken from the first that the second cannot have');
  assert.match(warnings.join('\n'), /still waiting for a worker after 5 s: client 'first' has both workers of host 'h0' since \d+ s\n/);
  assert.match((await world.wait(cluster.scheduler!.explain('second'))).join('\n'), /works for 1 client at a time/);
  await world.wait(first.client.close());
  const second = await world.wait(connecting, 5_000);
  await world.clock.advance(2_000);
  assert.equal(second.client.hosts()[0]?.ready, 2);
  await world.wait(second.client.close());
  await cluster.close();
});

test('what a silent client had is free for others as soon as its host gives it up; when it is heard again it is served again', async () => {
  const cluster = new Cluster(2);
  const { world } = cluster;
  await cluster.startScheduler();
  await cluster.startHost(1, { settings: { clientTimeout: 1_000 } });
  const silent = await cluster.startClient('silent', { pulse: 1_000 });
  world.pause('silent');
  // Five pulses of the host, then its patience; and its word that the place is free.
  const other = await world.wait(cluster.connect('other'), 15_000);
  await world.clock.advance(30_000);
  assert.equal(other.client.hosts()[0]?.ready, 1);
  world.resume('silent');
  await world.clock.advance(20_000);
  await world.wait(other.client.close());
  const double = (n: number): number => n * 2;
  assert.equal(await world.wait(silent.client.run(double, 21)), 42);
  await world.wait(silent.client.close());
  await cluster.close();
});

test('nothing is granted to a client that its host has found gone, until it answers', async () => {
  const { world, runtimes } = await machines(3);
  const [s, h, c] = runtimes as [(typeof runtimes)[0], (typeof runtimes)[0], (typeof runtimes)[0]];
  const scheduler = new Scheduler(s);
  h.kernel.serve(HOST, some<HostDoor>({ assign: () => {} }));
  c.kernel.serve(CLIENT, some<ClientDoor>({ here: () => true }));
  const at = (from: typeof s) => from.kernel.at(s.id, SCHEDULER, { timeout: 5_000 });
  const facts = { name: 'h', platform: '', workers: 2, cores: 2, memory: 1, disk: 1, swap: 0 };
  await world.wait(at(h).offer({ facts, addresses: [], open: true, held: [] }));
  const flags = { exclusive: false, picky: false, hold: false };
  await world.wait(at(c).wish({ name: 'c', workers: undefined, weight: 1, ...flags, limits: [], waited: 0 }));
  const holds = (): number | undefined => scheduler.status.clients[0]?.workers;
  assert.equal(holds(), 2);
  world.pause('c');
  await world.wait(at(h).freed([1, 2], 2 ** 50, c.id));
  assert.equal(holds(), 0);
  world.resume('c');
  await world.clock.advance(1_000);
  assert.equal(holds(), 2);
  await world.close();
});

test('a host that leaves in order is no warning', async () => {
  const cluster = new Cluster(3);
  const { world } = cluster;
  await cluster.startScheduler();
  await cluster.startHost(1);
  await cluster.startHost(1);
  const warnings: string[] = [];
  const { client } = await cluster.startClient('c', { warn: (text) => warnings.push(text) });
  await world.clock.advance(5_000);
  cluster.hosts.get('h0')?.host.ask('it quits');
  await world.clock.advance(1_000);
  await cluster.leave('h0');
  await world.clock.advance(5_000);
  assert.deepEqual(
    client.hosts().map(({ name }) => name),
    ['h1'],
  );
  assert.deepEqual(warnings, []);
  await world.wait(client.close());
  await cluster.close();
});

for (const [how, stop, go] of [
  ['it stopped', (world) => world.pause('h0'), (world) => world.resume('h0')],
  ['only its client does not hear it', (world) => world.network.partition('c', 'h0'), (world) => world.network.heal()],
] as readonly [string, (world: Cluster['world']) => void, (world: Cluster['world']) => void][])
  test(`a host that was silent (${how}) and was abandoned is used again when it is back; meanwhile explain says so`, async () => {
    const cluster = new Cluster(4);
    const { world } = cluster;
    await cluster.startScheduler();
    await cluster.startHost(1);
    await cluster.startHost(1);
    const { client, check } = await cluster.startClient('c', { abandonZombieHosts: 1_000 });
    await world.clock.advance(5_000);
    const ready = (): string[] =>
      client
        .hosts()
        .flatMap((host) => (host.ready > 0 ? [host.name] : []))
        .sort();
    assert.deepEqual(ready(), ['h0', 'h1']);
    stop(world);
    await world.clock.advance(14_000);
    assert.deepEqual(ready(), ['h1']);
    assert.match(client.explain().join('\n'), /host 'h0' was silent and has been abandoned; it is used again when it is back/);
    await world.clock.advance(30_000);
    go(world);
    const at = client.with({ at: 'h0' }).run((n: number) => n * 2, 21);
    assert.equal(await world.wait(at, 60_000), 42);
    assert.deepEqual(ready(), ['h0', 'h1']);
    assert.doesNotMatch(client.explain().join('\n'), /abandoned/);
    check();
    await world.wait(client.close());
    await cluster.close();
  });

test('a worker that its host believes idle is given back by its client only if it is, so that no call on its way is lost', async () => {
  const cluster = new Cluster(4);
  const { clock } = cluster.world;
  await cluster.startScheduler();
  await cluster.startHost(1, { settings: { zombiePeriod: 1_000 } }); // no worker here ever tells its host that it has work
  const { client, events } = await cluster.startClient('busy');
  const host = [...cluster.hosts.values()][0]!.host;
  const long = (n: number): Promise<number> => new Promise((resolve) => clock.after(1_500, () => resolve(n)));
  for (let n = 0; n < 5; n++) {
    const call = client.with({ retries: 0 }).run(long, n);
    await clock.advance(1_200);
    host.tick();
    assert.equal(await cluster.world.wait(call), n);
  }
  assert.equal(events.filter(({ kind }) => kind === 'worker-closed').length, 0);
  host.tick();
  await clock.advance(1_000);
  const closed = events.filter(({ kind }) => kind === 'worker-closed') as { readonly reason: string }[];
  assert.deepEqual(
    closed.map(({ reason }) => reason),
    ['it had no work for 1 s'],
  );
  assert.equal(await cluster.world.wait(client.run(long, 7)), 7, 'it comes again with work');
  await cluster.world.wait(client.close());
  await cluster.close();
});

test('a call that a silent host has twice with another is told to stop there, and costs the task beside it nothing', async () => {
  const cluster = new Cluster(5);
  const { clock, network } = cluster.world;
  await cluster.startScheduler();
  await cluster.startHost(1);
  await cluster.startHost(1);
  const { client } = await cluster.startClient('c');
  await clock.advance(5_000);
  let begun = 0;
  const slowThenFast = (): Promise<string> => {
    const slow = begun++ < 2;
    const done = new Promise<void>((resolve) => clock.after(slow ? 60_000 : 1_000, resolve));
    return done.then(() => (slow ? 'slow' : 'fast'));
  };
  const shared = client.with({ io: 4 });
  const calls = [shared.run(slowThenFast), shared.run(slowThenFast)];
  await clock.advance(500);
  assert.equal(begun, 2, 'one on each host');
  const sum = async (self: Task<number>): Promise<number> => (await self.receive()) + (await self.receive());
  const task = await cluster.world.wait(client.with({ io: 4, at: 'h0' }).spawn(sum));
  task.send(1);
  network.partition('c', 'h0');
  await clock.advance(20_000);
  assert.equal(begun, 3, 'the call of the silent host is given to the other as well');
  network.heal();
  await clock.advance(10_000);
  task.send(2);
  assert.equal(await cluster.world.wait(task.result), 3);
  assert.deepEqual((await cluster.world.wait(Promise.all(calls), 120_000)).sort(), ['fast', 'slow']);
  await cluster.world.wait(client.close(), 120_000);
  await cluster.close();
});
