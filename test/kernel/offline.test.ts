import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime, Task } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';
import { onStatus } from '../support/peers.ts';
import { machines, refIn } from '../support/worlds.ts';

const LONG_MS = 600_000;

test('what asks a peer that was told offline is refused at once, however long it would wait; nothing of it arrives later', async () => {
  for (const vanished of [true, false]) {
    const { world, runtimes } = await machines(2);
    const [a, b] = runtimes as [Runtime, Runtime];
    const got: number[] = [];
    const sink = b.spawn(async (self: Task<number>) => {
      for await (const n of self) got.push(n);
    });
    const ref = refIn(a, b, sink);
    await world.wait(ref.deliver(0));
    const status: string[] = [];
    onStatus(a, (now) => status.push(now));
    if (vanished) world.crash(b, 'b', false);
    else world.network.partition('a', 'b');
    await world.clock.advance(60_000);
    assert.deepEqual(status, ['offline']);
    const started = world.clock.now();
    for (let n = 1; n <= 3; n++) {
      await assert.rejects(world.wait(ref.deliver(n), LONG_MS), { code: 'ERR_SESSION_LOST' });
      await assert.rejects(world.wait(ref.deliver(n, { timeout: 5_000 }), LONG_MS), { code: 'ERR_SESSION_LOST' });
      await assert.rejects(world.wait(a.sendFile({ id: b.id }, import.meta.filename, { timeout: 5_000 }), LONG_MS));
    }
    assert.ok(world.clock.now() - started < 100, `${world.clock.now() - started} ms`);
    assert.deepEqual(got, [0]);
    await world.close();
  }
});

test('a peer that was offline is dialled when something is meant for it, and reachable once that succeeds', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const got: number[] = [];
  const sink = b.spawn(async (self: Task<number>) => {
    for await (const n of self) got.push(n);
  });
  const ref = refIn(a, b, sink);
  const status: string[] = [];
  onStatus(a, (now) => status.push(now));
  world.network.partition('a', 'b');
  await world.clock.advance(60_000);
  world.network.heal();
  await assert.rejects(world.wait(ref.deliver(1)), { code: 'ERR_SESSION_LOST' });
  await world.clock.advance(5_000);
  assert.deepEqual(status, ['offline', 'online']);
  await world.wait(ref.deliver(2));
  assert.deepEqual(got, [2]);
  world.network.partition('a', 'b');
  await world.clock.advance(60_000);
  world.network.heal();
  ref.send(3); // asks for nothing back: it goes on the next session, if there is one
  await world.clock.advance(5_000);
  assert.deepEqual(got, [2, 3]);
  world.network.partition('a', 'b');
  await world.clock.advance(60_000);
  world.network.heal();
  await world.wait(b.connect('mem://a:1'));
  await world.wait(ref.deliver(4));
  assert.deepEqual(got, [2, 3, 4]);
  await world.close();
});

const PULSE_MS = 2_000;
const LIMIT_MS = 5 * PULSE_MS;

// `a` waits for who is silent; `b` listens nowhere, so that only `b` can dial.
async function waitedFor() {
  const world = new World({ seed: 1, latencyMs: 1 });
  const keeps = (_peer: string, quiet: boolean): boolean => quiet;
  const a = await world.start('a', { listen: 'mem://a:1', pulse: PULSE_MS });
  const b = await world.start('b', { pulse: PULSE_MS });
  for (const one of [a, b]) one.links.keepers.add(keeps);
  await world.wait(b.connect('mem://a:1'));
  const told: string[] = [];
  a.kernel.on({
    offline: () => told.push('offline'),
    online: () => told.push('online'),
    ended: (_peer, { kind }) => told.push(kind),
  });
  return { world, b, told };
}

test('one that is waited for while it is silent, and whose process then ends, is lost within the limit', async () => {
  const { world, b, told } = await waitedFor();
  world.pause('b');
  await world.clock.advance(3 * LIMIT_MS);
  assert.deepEqual(told, ['offline']);
  world.crash(b, 'b', true);
  await world.clock.advance(LIMIT_MS + 2 * PULSE_MS);
  assert.deepEqual(told, ['offline', 'silent']);
  await world.close();
});

test('one that is waited for is heard again over the link it had, or over the next that it dials', async () => {
  const { world, told } = await waitedFor();
  world.pause('b');
  await world.clock.advance(3 * LIMIT_MS);
  world.resume('b');
  await world.clock.advance(2 * PULSE_MS);
  assert.deepEqual(told.splice(0), ['offline', 'online']);
  world.network.partition('a', 'b');
  await world.clock.advance(LIMIT_MS + PULSE_MS);
  assert.deepEqual(told.splice(0), ['offline']);
  world.network.cut();
  world.network.heal();
  await world.clock.advance(3 * LIMIT_MS);
  assert.deepEqual(told, ['online']);
  await world.close();
});
