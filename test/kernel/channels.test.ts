import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelName, type Runtime, type Task, type TaskRef } from '../../src/kernel/index.ts';
import { machines, refIn } from '../support/worlds.ts';

const room = channelName<number>('room');

function collector(runtime: Runtime): { task: TaskRef<number, number[]>; got: number[] } {
  const got: number[] = [];
  const task = runtime.spawn(async (self: Task<number>) => {
    for await (const n of self) got.push(n);
    return got;
  });
  return { task, got };
}

test('what is sent to a channel each subscriber gets, in order for each sender, here and across runtimes', async () => {
  const { world, runtimes } = await machines(4);
  const chat = runtimes[0]!.channel(room);
  const listeners = runtimes.flatMap((runtime) => [collector(runtime), collector(runtime)]);
  for (const [i, { task }] of listeners.entries()) {
    const there = await world.wait(runtimes[i >> 1]!.locate(room));
    await world.wait(there.subscribe(task));
  }
  assert.equal(chat.subscribers, 8);
  const senders = await Promise.all(runtimes.map((runtime) => world.wait(runtime.locate(room))));
  for (let n = 0; n < 200; n++) for (const [s, ref] of senders.entries()) if (!ref.send(s * 1_000 + n)) await world.wait(ref.room());
  await world.clock.advance(2_000);
  for (const { got } of listeners) {
    assert.equal(got.length, 800);
    for (let s = 0; s < 4; s++)
      assert.deepEqual(
        got.filter((n) => Math.floor(n / 1_000) === s),
        Array.from({ length: 200 }, (_, n) => s * 1_000 + n),
      );
  }
  await world.close();
});

test('one message to many subscribers of one peer crosses the link once', async () => {
  const { world, runtimes } = await machines(2);
  const chat = runtimes[0]!.channel(channelName<Uint8Array>('bytes'));
  let heard = 0;
  for (let i = 0; i < 50; i++) {
    const task = runtimes[1]!.spawn(async (self: Task<Uint8Array>) => {
      for await (const bytes of self) heard += bytes.length;
    });
    await world.wait(chat.subscribe(refIn(runtimes[0]!, runtimes[1]!, task)));
  }
  const before = world.network.trace.bytes;
  chat.send(new Uint8Array(10_000));
  await world.clock.advance(100);
  assert.equal(heard, 500_000);
  assert.ok(world.network.trace.bytes - before < 12_000);
  await world.close();
});

test('deliver counts who has the message: all, or as many as asked, within one time for waiting and delivering', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
  const chat = a.channel(room);
  const there = await world.wait(b.locate(room));
  assert.equal(await world.wait(there.deliver(0)), 0);
  const waiting = there.deliver(1, { atLeast: 2, timeout: 5_000 });
  const one = collector(b);
  await world.wait(there.subscribe(one.task));
  await world.clock.advance(1_000);
  const two = collector(c);
  await world.wait((await world.wait(c.locate(room))).subscribe(two.task));
  assert.equal(await world.wait(waiting), 2);
  assert.deepEqual([one.got, two.got], [[1], [1]]);
  const started = world.clock.now();
  await assert.rejects(world.wait(there.deliver(2, { atLeast: 3, timeout: 700 })), { code: 'ERR_TIMEOUT' });
  assert.equal(world.clock.now() - started, 700);
  assert.equal(await world.wait(there.deliver(3)), 2, 'a delivery that was given up harms nothing later');
  assert.deepEqual(one.got, [1, 3]);
  await assert.rejects(there.deliver(4, { atLeast: -1 }), { code: 'ERR_OPTION_INVALID' });
  chat.close();
  await assert.rejects(world.wait(there.deliver(5)), { code: 'ERR_CHANNEL_CLOSED' });
  await assert.rejects(world.wait(there.subscribe(one.task)), { code: 'ERR_CHANNEL_CLOSED' });
  await world.close();
});

test('channels subscribe to channels, here and elsewhere; a circle is refused, or broken', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const all = a.channel(channelName<number>('all'));
  const even = a.channel(channelName<number>('even'), { transform: (n) => (n % 2 === 0 ? n : undefined) });
  const far = b.channel(channelName<number>('far'), { transform: (n) => n * 10 });
  await world.wait(all.subscribe(even));
  await world.wait(all.subscribe(await world.wait(a.locate(channelName<number>('far')))));
  const here = collector(a);
  const there = collector(b);
  await world.wait(even.subscribe(here.task));
  await world.wait(far.subscribe(there.task));
  for (let n = 0; n < 6; n++) all.send(n);
  await world.clock.advance(100);
  assert.deepEqual(here.got, [0, 2, 4]);
  assert.deepEqual(there.got, [0, 10, 20, 30, 40, 50]);
  assert.equal(await world.wait(all.deliver(8)), 2, 'the sum over nested channels');
  await assert.rejects(even.subscribe(all), /circle/);
  await world.wait(far.subscribe(await world.wait(b.locate(channelName<number>('all'))))); // a circle through two runtimes
  all.send(1);
  await world.clock.advance(10_000);
  assert.ok(there.got.length < 40, `${there.got.length} messages went round`);
  await world.close();
});

test('a transform changes or drops messages; one that throws drops its message and nothing else', async () => {
  const { world, runtimes } = await machines(1);
  const a = runtimes[0]!;
  const words = a.channel(channelName<string, number>('lengths'), {
    transform: (word) => {
      if (word === 'bad') throw new Error('no');
      return word === '' ? undefined : word.length;
    },
  });
  const { task, got } = collector(a);
  await words.subscribe(task);
  for (const word of ['a', '', 'bad', 'abc']) words.send(word);
  words.setTransform((word) => -word.length);
  words.send('abcd');
  await world.clock.advance(10);
  assert.deepEqual(got, [1, 3, -4]);
  await world.close();
});

test('a slow subscriber slows nobody within its credit, then its senders; dropped or unsubscribed if asked', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
  const chat = a.channel(room);
  const fast = collector(b);
  await world.wait(chat.subscribe(refIn(a, b, fast.task)));
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slowly = (self: Task<number>) =>
    gate.then(async () => {
      let count = 0;
      for await (const _ of self) count++;
      return count;
    });
  const slow = c.spawn(slowly);
  await world.wait(chat.subscribe(refIn(a, c, slow)));
  let sent = 0;
  while (chat.send(sent)) sent++;
  sent++;
  await world.clock.advance(1_000);
  assert.ok(fast.got.length >= 1_000 && fast.got.length < sent, `${fast.got.length} of ${sent} passed on`);
  let room1 = false;
  void chat.room().then(() => {
    room1 = true;
  });
  await world.clock.advance(1_000);
  assert.equal(room1, false);
  release();
  await world.clock.advance(5_000);
  assert.equal(room1, true);
  assert.equal(fast.got.length, sent);
  const stuck = c.spawn(async (self: Task<number>) => self.suspend());
  await world.wait(chat.subscribe(refIn(a, c, stuck), { whenFull: 'drop' }));
  const leaving = c.spawn(async (self: Task<number>) => self.suspend());
  await world.wait(chat.subscribe(refIn(a, c, leaving), { whenFull: 'unsubscribe' }));
  assert.equal(chat.subscribers, 4);
  for (let i = 0; i < 3_000; i++) if (!chat.send(i)) await world.wait(chat.room());
  await world.clock.advance(5_000);
  assert.equal(chat.subscribers, 3);
  assert.equal(fast.got.length, sent + 3_000);
  await world.close();
});

test('a subscriber that ends, or whose runtime vanishes, is unsubscribed; unsubscribing says whether there was one', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
  const chat = a.channel(room);
  const one = collector(b);
  const two = collector(c);
  const three = collector(a);
  const refs = [refIn(a, b, one.task), refIn(a, c, two.task), three.task];
  for (const ref of refs) await world.wait(chat.subscribe(ref));
  one.task.terminate();
  world.crash(c, 'c', false);
  await world.clock.advance(30_000);
  assert.equal(chat.subscribers, 1);
  assert.equal(await chat.unsubscribe(three.task), true);
  assert.equal(await chat.unsubscribe(three.task), false);
  assert.equal(chat.subscribers, 0);
  assert.throws(() => a.channel(room), { code: 'ERR_NAME_TAKEN' });
  assert.equal(chat.unregister(), true);
  const again = a.channel(room);
  chat.close();
  again.close();
  await world.close();
});
