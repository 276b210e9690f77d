import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime, Task, TaskRef } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';

const refIn = <M, R>(holder: Runtime, owner: Runtime, task: TaskRef<M, R>): TaskRef<M, R> =>
  holder.kernel.references.revive(1, owner.kernel.references.replace(task)!.payload, undefined) as TaskRef<M, R>;

async function two(seed = 1): Promise<{ world: World; a: Runtime; b: Runtime }> {
  const world = new World({ seed, latencyMs: 1 });
  const a = await world.start('a', { listen: 'mem://a:1' });
  const b = await world.start('b', { listen: 'mem://b:1' });
  await world.wait(b.connect('mem://a:1'));
  return { world, a, b };
}

test('a task takes messages in order, ends after close() and gives what it returns', async () => {
  const { world, a, b } = await two();
  const sum = a.spawn(async (self: Task<number>, from: number) => {
    let total = from;
    for await (const n of self) total += n;
    return total;
  }, 100);
  const ref = refIn(b, a, sum);
  for (let i = 1; i <= 10; i++) ref.send(i);
  ref.close();
  assert.equal(await world.wait(ref.result), 155);
  assert.deepEqual(await world.wait(ref.ended), { kind: 'returned', value: 155 });
  await world.close();
});

test('what is no function is not spawned', async () => {
  const { world, a } = await two();
  for (const given of [5, undefined, null, {}]) {
    const spawned = { code: 'ERR_OPTION_INVALID', message: /must be a function/ };
    assert.throws(() => a.spawn(given as never), spawned);
    assert.throws(() => a.with({ name: 'x' }).spawn(given as never), spawned);
  }
  await world.close();
});

test('deliver resolves once the message is in the mailbox, though nobody has read it', async () => {
  const { world, a, b } = await two();
  const idle = a.spawn(async (self: Task<string>) => {
    await new Promise<void>((resolve) => world.clock.after(10_000, resolve));
    return self.waiting;
  });
  const ref = refIn(b, a, idle);
  await world.wait(ref.deliver('hello'), 1_000);
  assert.equal(await world.wait(ref.result), 1);
  await assert.rejects(world.wait(ref.deliver('late')), { code: 'ERR_TASK_ENDED' });
  await world.close();
});

test('what a task throws is its end, and the message, name and properties come along', async () => {
  const { world, a, b } = await two();
  const bad = a.spawn(async (_self: Task<never>) => {
    throw Object.assign(new RangeError('too far'), { distance: 7 });
  });
  const end = await world.wait(refIn(b, a, bad).ended);
  assert.equal(end.kind, 'threw');
  assert.ok(end.kind === 'threw' && end.error instanceof RangeError && (end.error as { distance?: number }).distance === 7);
  await world.close();
});

test('terminate interrupts a wait and aborts the signal; finally runs; the end says so', async () => {
  const { world, a, b } = await two();
  let cleaned = false;
  const waits = a.spawn(async (self: Task<never>) => {
    try {
      await self.receive();
    } finally {
      cleaned = self.signal.aborted;
    }
  });
  const ref = refIn(b, a, waits);
  ref.terminate('enough');
  const end = await world.wait(ref.ended);
  assert.equal(end.kind, 'terminated');
  assert.ok(cleaned);
  await assert.rejects(ref.result, { code: 'ERR_TASK_INTERRUPTED' });
  const deaf = a.spawn(async (_self: Task<never>) => new Promise<never>(() => {}));
  const deafRef = refIn(b, a, deaf);
  deafRef.terminate();
  assert.equal((await world.wait(deafRef.ended, 6_000)).kind, 'terminated');
  await world.close();
});

test('receive ends with a value, a timeout, an abort, or the end of the mailbox', async () => {
  const { world, a } = await two();
  const codes: unknown[] = [];
  const task = a.spawn(async (self: Task<number>) => {
    codes.push(await self.receive({ timeout: 50 }).catch((error) => error.code));
    const abort = new AbortController();
    world.clock.after(10, () => abort.abort(new Error('stop')));
    codes.push(await self.receive({ signal: abort.signal }).catch((error) => error.message));
    codes.push(await self.receive());
    codes.push(await self.receive({ timeout: 5_000 }).catch((error) => error.code));
  });
  await world.clock.advance(100);
  task.send(5);
  await world.clock.advance(1);
  task.close();
  await world.wait(task.ended);
  assert.deepEqual(codes, ['ERR_TIMEOUT', 'stop', 5, 'ERR_MAILBOX_CLOSED']);
  await world.close();
});

test('a full window says false, room() waits for it, and ignoring it far past the window throws', async () => {
  const { world, a, b } = await two();
  let go!: () => void;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const slow = a.spawn(async (self: Task<number>) => {
    await gate;
    let n = 0;
    for await (const _ of self) n++;
    return n;
  });
  const other = a.spawn(async (self: Task<number>) => self.receive());
  const ref = refIn(b, a, slow);
  let sent = 0;
  while (ref.send(sent)) sent++;
  assert.equal(sent, 1_023);
  let room = false;
  void ref.room().then(() => {
    room = true;
  });
  await world.clock.advance(1_000);
  assert.equal(room, false, 'nothing was taken yet');
  const free = refIn(b, a, other);
  assert.equal(free.send(1), true, 'a full mailbox stops nobody else');
  assert.equal(await world.wait(free.result), 1);
  assert.throws(
    () => {
      for (let i = 0; i < 100_000; i++) ref.send(i);
    },
    { code: 'ERR_SESSION_OVERRUN' },
  );
  go();
  await world.clock.advance(1_000);
  assert.equal(room, true);
  ref.close();
  assert.equal(await world.wait(ref.result), 8_192);
  await world.close();
});

test('a reference that went through a third runtime works where it arrives, and comes home as itself', async () => {
  const world = new World({ seed: 3, latencyMs: 1 });
  const hub = await world.start('hub', { listen: 'mem://hub:1' });
  const a = await world.start('a');
  const b = await world.start('b');
  await world.wait(a.connect('mem://hub:1'));
  await world.wait(b.connect('mem://hub:1'));
  const echo = a.spawn(async (self: Task<{ text: string; reply: TaskRef<string> }>) => {
    for await (const { text, reply } of self) reply.send(text.toUpperCase());
  });
  const board = hub.spawn(async (self: Task<unknown>) => self.receive());
  refIn(a, hub, board).send(echo);
  const atHub = (await world.wait(board.result)) as typeof echo;
  const bBoard = b.spawn(async (self: Task<unknown>) => self.receive());
  refIn(hub, b, bBoard).send(atHub);
  const atB = (await world.wait(bBoard.result)) as typeof echo;
  const inbox = b.spawn(async (self: Task<string>) => self.receive());
  // Neither a nor b listens: the only way between them is the relay through the hub.
  atB.send({ text: 'over the relay', reply: inbox });
  assert.equal(await world.wait(inbox.result), 'OVER THE RELAY');
  const home = a.spawn(async (self: Task<unknown>) => (await self.receive()) === echo);
  refIn(b, a, home).send(atB);
  assert.equal(await world.wait(home.result), true);
  await world.close();
});

test('a restarted runtime at the same address never gets what was meant for its predecessor', async () => {
  const { world, a, b } = await two();
  const old = a.spawn(async (self: Task<string>) => self.receive());
  const ref = refIn(b, a, old);
  world.crash(a, 'a', true);
  const again = await world.start('a', { listen: 'mem://a:1' });
  again.spawn(async (self: Task<string>) => self.receive());
  assert.equal((await world.wait(ref.ended)).kind, 'host-lost');
  await assert.rejects(world.wait(ref.deliver('secret')), { code: /^ERR_(SESSION_LOST|REFERENCE_STALE)$/ });
  await world.close();
});

test('a peer that is silent past the limit is lost once; one that was only slow is not', async () => {
  const { world, a, b } = await two();
  const forever = a.spawn(async (self: Task<never>) => self.receive());
  const ends: string[] = [];
  void refIn(b, a, forever).ended.then((end) => ends.push(end.kind));
  await world.clock.advance(1_000);
  world.network.partition('a', 'b');
  await world.clock.advance(7_000);
  world.network.heal();
  await world.clock.advance(20_000);
  assert.deepEqual(ends, []);
  world.network.partition('a', 'b');
  await world.clock.advance(30_000);
  world.network.heal();
  await world.clock.advance(30_000);
  assert.deepEqual(ends, ['host-lost']);
  await world.close();
});

test('a message that cannot travel is refused at the sender, and those around it arrive', async () => {
  const { world, a, b } = await two();
  const all = a.spawn(async (self: Task<unknown>) => {
    const got: unknown[] = [];
    for await (const m of self) got.push(m);
    return got;
  });
  const ref = refIn(b, a, all);
  ref.send({ n: 1 });
  assert.throws(() => ref.send({ n: 2, f: () => {} }), { code: 'ERR_WIRE_CANNOT_TRAVEL' });
  ref.send({ n: 3 });
  ref.close();
  assert.deepEqual(await world.wait(ref.result), [{ n: 1 }, { n: 3 }]);
  await world.close();
});

test('a large message arrives whole, after what was sent before it to the same task, and holds back no other', async () => {
  const { world, a, b } = await two();
  const order: string[] = [];
  const sink = a.spawn(async (self: Task<{ tag: string; data?: Float64Array }>) => {
    for await (const { tag, data } of self) order.push(data ? `${tag}:${data.length}:${data.at(-1)}` : tag);
  });
  const other = a.spawn(async (self: Task<string>) => {
    for await (const tag of self) order.push(tag);
  });
  const [big, small] = [refIn(b, a, sink), refIn(b, a, other)];
  big.send({ tag: 'before' });
  big.send({ tag: 'large', data: Float64Array.from({ length: 3_000_000 }, (_, i) => i) });
  big.send({ tag: 'after' });
  small.send('other');
  big.close();
  await world.wait(big.ended);
  assert.ok(order.indexOf('other') < order.indexOf('large:3000000:2999999'), order.join(' '));
  assert.deepEqual(
    order.filter((tag) => tag !== 'other'),
    ['before', 'large:3000000:2999999', 'after'],
  );
  await world.close();
});

test('what is sent to a task that is known to have ended is dropped: nobody waits for room there, however much it is', async () => {
  const { world, a, b } = await two();
  const forever = a.spawn(async (self: Task<number>) => self.receive());
  const ref = refIn(b, a, forever as TaskRef<number, number>);
  const ended = ref.ended;
  ref.send(1);
  world.crash(a, 'a', true);
  const end = await world.wait(ended);
  assert.equal(end.kind, 'host-lost');
  for (let i = 0; i < 20_000; i++) assert.equal(ref.send(i), true);
  await world.wait(ref.room(), 1);
  await assert.rejects(world.wait(ref.deliver(1), 1), /gone|ended/);
  await world.close();
});
