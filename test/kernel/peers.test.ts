import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerStatus, Runtime, RuntimeOptions, Task } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';
import { machines } from '../support/worlds.ts';

const find = (name: string, options: RuntimeOptions = {}): RuntimeOptions => ({
  name,
  listen: `mem://${name}:1`,
  discover: true,
  ...options,
});

async function heard(runtime: Runtime): Promise<{ log: string[] }> {
  const log: string[] = [];
  const task = runtime.with({ daemon: true }).spawn(async (self: Task<PeerStatus>) => {
    for await (const { status, peer } of self) log.push(`${status} ${peer.name}`);
  });
  runtime.peerStatus(task);
  return { log };
}

test('runtimes with discover find each other, whoever starts first, though half the datagrams are lost or doubled', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new World({ seed, latencyMs: [0, 5] });
    world.datagrams.lost = 0.5;
    world.datagrams.doubled = 0.2;
    const runtimes: Runtime[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      runtimes.push(await world.start(name, find(name)));
      await world.clock.advance(world.random() * 500);
    }
    await world.clock.advance(120_000);
    for (const runtime of runtimes)
      assert.deepEqual(
        runtime
          .peers()
          .map((peer) => peer.name)
          .sort(),
        ['a', 'b', 'c', 'd'].filter((name) => name !== runtime.name),
      );
    await world.close();
    await world.clock.advance(60_000);
    assert.equal(world.clock.pending, 0);
    assert.equal(world.datagrams.open, 0);
  }
});

test('without discover a runtime is silent and deaf to announcements', async () => {
  const world = new World({ seed: 1 });
  const a = await world.start('a', find('a'));
  const b = await world.start('b', { name: 'b', listen: 'mem://b:1' });
  await world.clock.advance(200_000);
  assert.equal(a.peers().length + b.peers().length, 0);
  await world.close();
});

test('one outbound connection is enough: a runtime that does not listen finds and is found', async () => {
  const world = new World({ seed: 3 });
  const a = await world.start('a', find('a'));
  const b = await world.start('b', { name: 'b', listen: [], discover: true });
  assert.deepEqual(b.locations, []);
  await world.clock.advance(5_000);
  assert.deepEqual(
    a.peers().map((peer) => peer.name),
    ['b'],
  );
  const task = b.spawn(async (self: Task<number>) => {
    await self.register('there');
    return self.receive();
  });
  const ref = await world.wait(a.locate('there'));
  ref.send(7);
  assert.equal(await world.wait(task.result), 7);
  await world.close();
});

test('another secret is not heard, and the log says why, once', async () => {
  const world = new World({ seed: 1 });
  const lines: string[] = [];
  const log = { debug() {}, info() {}, warn: (text: string) => void lines.push(text), error() {} };
  const a = await world.start('a', find('a', { log }));
  await world.start('b', find('b', { secret: 'quite another secret' }));
  await world.clock.advance(100_000);
  assert.equal(a.peers().length, 0);
  assert.equal(lines.filter((line) => /announcement from b is ignored.*not signed with our secret/.test(line)).length, 1);
  await world.close();
});

test('peer() with a port dials; without one reaches all runtimes of the machine; a wrong or silent place is an error', async () => {
  const world = new World({ seed: 4, latencyMs: 1 });
  const asker = await world.start('asker');
  for (let i = 0; i < 3; i++) await world.start('box', { name: `box-${i}`, listen: 'mem://box:0', discover: true, udpPort: 9705 });
  const found = await world.wait(asker.peer('box'));
  assert.deepEqual(found.map((peer) => peer.name).sort(), ['box-0', 'box-1', 'box-2']);
  assert.equal(asker.peers().length, 3);
  const one = await world.start('solo', { listen: 'mem://solo:5' });
  assert.deepEqual(
    (await world.wait(asker.peer('mem://solo:5'))).map((peer) => peer.id),
    [one.id],
  );
  await assert.rejects(world.wait(asker.peer('mem://nowhere:5')), { code: 'ERR_LINK_UNREACHABLE' });
  await assert.rejects(world.wait(asker.peer('nobody', { timeout: 2_000 })), /No runtime on nobody answered at port 9705/);
  await world.close();
});

test('answerTimeout is how long a connection is waited for where a call does not say', async () => {
  const world = new World({ seed: 5, latencyMs: 1 });
  const patient = await world.start('patient');
  const hasty = await world.start('hasty', { answerTimeout: 2_000 });
  await world.start('silent', { listen: 'mem://silent:5' });
  for (const machine of ['patient', 'hasty']) world.network.partition(machine, 'silent');
  for (const [runtime, seconds] of [
    [patient, 10],
    [hasty, 2],
  ] as const) {
    await assert.rejects(world.wait(runtime.connect('mem://silent:5')), { message: new RegExp(`did not answer within ${seconds} s`) });
  }
  await assert.rejects(world.start('never', { answerTimeout: 0 }), { code: 'ERR_OPTION_INVALID' });
  await world.close();
});

test('a listener is told first of all who are here, then of each change; offline always comes before online again', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b] = runtimes as [Runtime, Runtime];
  const { log } = await heard(a);
  const { log: second } = await heard(a);
  await world.clock.advance(10);
  assert.deepEqual(log, ['online b', 'online c']);
  world.crash(b, 'b', true);
  const again = await world.start('b', { listen: 'mem://b:1' });
  await world.wait(again.connect('mem://a:1'));
  await world.clock.advance(30_000);
  assert.deepEqual(
    log.filter((line) => line.endsWith('b')),
    ['online b', 'offline b', 'online b'],
  );
  assert.deepEqual(second, log);
  const events: string[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const { status, peer } of a.peerEvents({ signal: stop.signal })) events.push(`${status} ${peer.name}`);
  })();
  await world.clock.advance(1);
  await again.close();
  await world.clock.advance(10);
  assert.deepEqual(events.sort(), ['offline b', 'online b', 'online c']);
  stop.abort();
  await reading;
  await world.close();
});

test('closePeer says goodbye after what was sent, and does not look for the peer again', async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  const a = await world.start('a', find('a'));
  const b = await world.start('b', find('b'));
  await world.clock.advance(5_000);
  const task = b.spawn(async (self: Task<string>) => {
    await self.register('t');
    return self.receive();
  });
  const ref = await world.wait(a.locate('t'));
  ref.send('last words');
  await world.wait(a.closePeer(a.peers()[0]!));
  assert.equal(await world.wait(task.result), 'last words');
  assert.equal(a.peers().length, 0);
  await world.clock.advance(1);
  assert.equal(b.peers().length, 0);
  await world.wait(a.peer('mem://b:1'));
  assert.equal(a.peers().length, 1);
  await world.close();
});

test('ignorePeers turns new peers away and answers nobody; those who are here stay', async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  const a = await world.start('a', find('a'));
  await world.start('b', find('b'));
  await world.clock.advance(5_000);
  a.ignorePeers = true;
  const c = await world.start('c', find('c'));
  await world.clock.advance(5_000);
  assert.deepEqual(
    a.peers().map((peer) => peer.name),
    ['b'],
  );
  await assert.rejects(world.wait(c.peer('mem://a:1')), { code: 'ERR_PEERS_IGNORED' });
  await assert.rejects(async () => a.peer('mem://c:1'), { code: 'ERR_PEERS_IGNORED' });
  a.ignorePeers = false;
  await world.wait(c.peer('mem://a:1'));
  assert.equal(a.peers().length, 2);
  await world.close();
});

test('seeds are dialled until they answer, and again when they have been away', async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  const a = await world.start('a', { seeds: ['mem://b:1'] });
  await world.clock.advance(10_000);
  let b = await world.start('b', { listen: 'mem://b:1' });
  await world.clock.advance(35_000);
  assert.deepEqual(
    a.peers().map((peer) => peer.id),
    [b.id],
  );
  world.crash(b, 'b', true);
  await world.clock.advance(5_000);
  b = await world.start('b', { listen: 'mem://b:1' });
  await world.clock.advance(60_000);
  assert.deepEqual(
    a.peers().map((peer) => peer.id),
    [b.id],
  );
  await world.close();
  await world.clock.advance(60_000);
  assert.equal(world.clock.pending, 0);
});

test('relay joins two networks: all whom the relay knows become peers, now and later, though only it can be dialled', async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  await world.start('gate', { listen: 'mem://gate:1', name: 'gate' });
  const inner = await world.start('inner', { listen: 'mem://inner:1' });
  await world.wait(inner.connect('mem://gate:1'));
  for (const outer of ['outer']) for (const machine of ['inner', 'inner2']) world.network.partition(outer, machine);
  const outer = await world.start('outer');
  await world.wait(outer.peer('mem://gate:1', { relay: true }));
  await world.clock.advance(20_000);
  assert.deepEqual(
    outer
      .peers()
      .map((peer) => peer.name)
      .sort(),
    ['gate', 'inner'],
  );
  const inner2 = await world.start('inner2');
  await world.wait(inner2.connect('mem://gate:1'));
  await world.clock.advance(20_000);
  assert.deepEqual(
    outer
      .peers()
      .map((peer) => peer.name)
      .sort(),
    ['gate', 'inner', 'inner2'],
  );
  const task = inner.spawn(async (self: Task<number>) => {
    await self.register('deep');
    return self.receive();
  });
  const ref = await world.wait(outer.locate('deep'));
  ref.send(5);
  assert.equal(await world.wait(task.result), 5);
  await world.close();
});

test('a runtime in a network that knows two secrets talks to those who have either: a change without a stop', async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  const old = await world.start('old', find('old', { secret: 'the secret before' }));
  const both = await world.start('both', find('both', { secret: ['the secret of now', 'the secret before'] }));
  const fresh = await world.start('fresh', find('fresh', { secret: 'the secret of now' }));
  await world.clock.advance(20_000);
  assert.deepEqual(
    both
      .peers()
      .map((peer) => peer.name)
      .sort(),
    ['fresh', 'old'],
  );
  assert.deepEqual(
    [old, fresh].map((runtime) => runtime.peers().map((peer) => peer.name)),
    [['both'], ['both']],
  );
  const third = await world.start('third', { secret: ['the secret of now', 'the secret before'] });
  await world.wait(third.connect('mem://old:1'));
  await assert.rejects(world.wait(fresh.connect('mem://old:1')), { code: 'ERR_LINK_WRONG_SECRET' });
  await world.close();
});

test('an idle connection is closed with keepOpen: false, the session survives it, and either side opens it again', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const { log } = await heard(a);
  b.spawn(async (self: Task<number>) => {
    await self.register('t');
    const got: number[] = [];
    for await (const n of self) got.push(n);
    return got;
  });
  const ref = await world.wait(a.locate<import('../../src/kernel/index.ts').TaskName<number, number[]>>({ kind: 'task', name: 't' }));
  ref.send(1);
  await world.wait(a.peer('mem://b:1', { keepOpen: false }));
  await world.clock.advance(30_000);
  assert.equal(world.network.connections, 0);
  assert.equal(a.peers().length + b.peers().length, 2, 'both are still peers');
  ref.send(2);
  await world.clock.advance(1_000);
  assert.equal(world.network.connections, 1);
  await world.clock.advance(30_000);
  assert.equal(world.network.connections, 0);
  const back = a.spawn(async (self: Task<string>) => {
    await self.register('back');
    return self.receive();
  });
  const there = await world.wait(b.locate('back')); // the other side begins this time
  there.send('hello');
  assert.equal(await world.wait(back.result), 'hello');
  const end = ref.ended; // an end is awaited: the connection stays
  await world.clock.advance(60_000);
  assert.equal(world.network.connections, 1);
  ref.close();
  assert.deepEqual(await world.wait(end), { kind: 'returned', value: [1, 2] });
  await world.wait(a.peer('mem://b:1', { keepOpen: true }));
  await world.clock.advance(30_000);
  assert.equal(world.network.connections, 1);
  assert.deepEqual(log, ['online b'], 'nothing of this was told as an end');
  await world.wait(a.peer('mem://b:1', { keepOpen: false }));
  await world.clock.advance(30_000);
  world.crash(b, 'b', false);
  ref.send(3);
  await world.clock.advance(30_000);
  assert.deepEqual(log, ['online b', 'offline b'], 'what became of it is noticed when something is said');
  await world.close();
});
