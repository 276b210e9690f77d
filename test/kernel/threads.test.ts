// A runtime whose kernel and user code are on two threads: who waits for room is told when there is some.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { RuntimeId } from '../../src/base/index.ts';
import { ROOM_BYTES } from '../../src/kernel/sessions/session.ts';
import type { Carried } from '../../src/kernel/threads/carrier.ts';
import { Pulses } from '../../src/kernel/threads/pulse-thread.ts';
import { type Downward, ThreadCarrier } from '../../src/kernel/threads/thread-carrier.ts';
import { World } from '../../src/testing/index.ts';
import { onStatus } from '../support/peers.ts';

test('what is freed on the other thread wakes those that wait for room, also if no link was ever full', async (t) => {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  const [self, peer] = ['self', 'peer'] as unknown as [RuntimeId, RuntimeId];
  const carrier = new ThreadCarrier(port1, { id: self, name: 'self', location: '', addresses: [] });
  const told: string[] = [];
  carrier.start({ room: (whom: string) => void told.push(whom) } as unknown as Carried);
  const half = Buffer.alloc(ROOM_BYTES / 2);
  for (let i = 0; i < 2; i++) carrier.post(peer, { buffer: half, start: 0, end: half.length, frames: 1, release: undefined }, false);
  assert.equal(carrier.hasRoom(peer), false);
  const free = async (bytes: number): Promise<void> => {
    const taken = once(port1, 'message');
    port2.postMessage({ kind: 'freed', peer, bytes } satisfies Downward);
    await taken;
  };
  await free(1_000);
  assert.equal(carrier.hasRoom(peer), true);
  assert.deepEqual(told, [peer], 'once, when there is room again');
  await free(1_000);
  assert.deepEqual(told, [peer]);
});

test('a runtime whose thread stands still is held by its peer as long as its pulses come, and is offline without them', async () => {
  const world = new World({ seed: 1, latencyMs: [0, 5] });
  const silence: string[] = [];
  const b = await world.start('b', { listen: 'mem://b:1' });
  b.links.keepers.add(() => true);
  const a = await world.start('a');
  await world.wait(a.connect('mem://b:1'));
  onStatus(b, (status, peer) => void silence.push(`${status} ${peer.name}`));
  const { identity, role, pulseMs } = a.hub.options;
  const beat = new Int32Array(new SharedArrayBuffer(4));
  const [{ clock, random, networks }, { secret }] = [world.environment('pulses'), a];
  const start = { identity: identity.privateKey, role, secret, pulseMs, encrypt: 'auto', certificate: undefined, beat } as const;
  const pulses = new Pulses({ clock, random, networks }, start);
  pulses.watch('mem://b:1');
  await world.clock.advance(100);
  world.pause('a');
  await world.clock.advance(60_000);
  assert.deepEqual(silence, []);
  pulses.close();
  await world.clock.advance(60_000);
  assert.deepEqual(silence, ['offline a']);
  world.resume('a');
  await world.clock.advance(60_000);
  assert.deepEqual(silence, ['offline a', 'online a']);
  await world.close();
});
