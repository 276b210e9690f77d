// A runtime whose kernel and user code are on two threads: who waits for room is told when there is some.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { RuntimeId } from '../../src/base/index.ts';
import type { Kernel } from '../../src/kernel/post/kernel.ts';
import { ROOM_BYTES } from '../../src/kernel/sessions/session.ts';
import type { Carried } from '../../src/kernel/threads/carrier.ts';
import { Pulses } from '../../src/kernel/threads/pulse-thread.ts';
import { type Downward, ThreadCarrier } from '../../src/kernel/threads/thread-carrier.ts';
import { ThreadHub } from '../../src/kernel/threads/thread-hub.ts';
import { ManualClock, World } from '../../src/testing/index.ts';
import { KIND } from '../../src/wire/index.ts';
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

// A hub between the threads: what crosses to the user's thread, and what this thread's kernel was told.
function between(t: TestContext) {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  const clock = new ManualClock();
  const [self, peer] = ['self', 'peer'] as unknown as [RuntimeId, RuntimeId];
  const own: string[] = [];
  const kernel = {
    id: self,
    frame: (_peer: RuntimeId, kind: number, target: number) => void own.push(`frame ${kind} at ${target}`),
    answer: (_peer: RuntimeId, id: number, ok: boolean) => void own.push(`${ok ? 'acknowledged' : 'refused'} ${id}`),
    ended: () => void own.push('ended'),
  };
  const hub = new ThreadHub({
    port: port1,
    hub: () => assert.fail('nothing is sent'),
    own: () => kernel as unknown as Kernel,
    mine: new Set([6]),
    clock,
  });
  const crossed: string[] = [];
  port2.on('message', (down: Downward) => crossed.push(down.kind));
  t.after(() => port2.close());
  const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
  const open = async (target: number): Promise<void> => {
    const taken = once(port1, 'message');
    port2.postMessage({ kind: 'mailbox', target, open: true });
    await taken;
  };
  return { hub, clock, peer, own, crossed, turn, open };
}

test('a delivery to an open mailbox is acknowledged at once, one to a closed is refused; neither waits for the other thread', async (t) => {
  const { hub, clock, peer, own, crossed, turn, open } = between(t);
  const bytes = Buffer.of(5, 1, 2, 3);
  hub.frame(peer, KIND.DELIVER, 70, bytes, 0, bytes.length, false);
  await open(70);
  hub.frame(peer, KIND.DELIVER, 70, bytes, 0, bytes.length, false);
  assert.deepEqual(own, ['refused 5', 'acknowledged 5']);
  await clock.settle();
  await turn();
  assert.deepEqual(crossed, ['frames'], 'what was refused does not cross');
});

test('frames of a turn cross in one batch a peer, before what says that the peer has ended; doors of this thread are answered here', async (t) => {
  const { hub, clock, peer, own, crossed, turn } = between(t);
  const bytes = Buffer.of(1, 2, 3);
  for (let i = 0; i < 3; i++) hub.frame(peer, KIND.MESSAGE, 70, bytes, 0, bytes.length, false);
  hub.frame(peer, KIND.MESSAGE, 6, bytes, 0, bytes.length, false);
  hub.ended(peer, { kind: 'gone', message: 'it left' });
  await clock.settle();
  await turn();
  assert.deepEqual(
    [crossed, own],
    [
      ['frames', 'ended'],
      [`frame ${KIND.MESSAGE} at 6`, 'ended'],
    ],
  );
});
