// References stand for what they were made for, through whatever runtime they pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelName, type Runtime, service, type Task, type TaskEnded, type TaskRef } from '../../src/kernel/index.ts';
import { machines, refIn } from '../support/worlds.ts';

async function sum(self: Task<number>): Promise<number> {
  let total = 0;
  for await (const n of self) total += n;
  return total;
}

async function forward(self: Task<TaskRef<number>>): Promise<void> {
  const target = await self.receive();
  for (let n = 1; n <= 100; n++) target.send(n);
  await target.deliver(1_000);
}

async function first<T>(self: Task<T>): Promise<T> {
  return self.receive();
}

test("a task of one runtime is not taken for another's of the same number, when a second runtime of the process sends it on", async () => {
  const { world, runtimes } = await machines(3);
  const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
  const [ofA, ofB] = [a.spawn(sum), b.spawn(sum)];
  assert.equal(ofA.id.split('/')[1], ofB.id.split('/')[1], 'both have the same number');
  const sender = c.spawn(forward);
  await world.wait(refIn(a, c, sender).deliver(ofB)); // by a's hand, b's task
  assert.equal((await world.wait(sender.ended)).kind, 'returned');
  ofA.close();
  ofB.close();
  assert.equal(await world.wait(ofA.result), 0);
  assert.equal(await world.wait(ofB.result), 6_050);
  await world.close();
});

test('channels, services and places for answers keep their runtime, too, whoever sends them on', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
  const name = channelName<string>('news');
  const [ofA, ofB] = [a.channel(name, { register: false }), b.channel(name, { register: false })];
  assert.equal(ofA.id.split('/')[1], ofB.id.split('/')[1], 'both have the same number');
  const shout = (text: string) => service('shout', async (_self: Task<never>) => text);
  const [, servedByB] = [a.serve(shout('a')), b.serve(shout('b'))];
  interface Given {
    readonly channel: typeof ofB;
    readonly shout: typeof servedByB.ref;
    readonly reply: TaskRef<string>;
  }
  const got = c.spawn(async (self: Task<Given>) => {
    const { channel, shout, reply } = await self.receive();
    await channel.deliver('hello', { atLeast: 1 });
    reply.send(await shout.call());
    await self.receive();
  });
  const listener = b.spawn(first<string>);
  await world.wait(ofB.subscribe(listener));
  const [byA, byB] = [refIn(a, c, got), refIn(b, c, got)];
  const answer = byB.ask<string>((reply) => {
    const given = { channel: ofB, shout: servedByB.ref, reply };
    byA.send(given);
    return given;
  });
  assert.equal(await world.wait(answer), 'b');
  assert.equal(await world.wait(listener.result), 'hello');
  await world.close();
});

test('a channel and a monitor take a reference that another runtime of the process made for what it is', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const channel = a.channel(channelName<number>('numbers'));
  const ofA = a.spawn(first<number>);
  const ofB = b.spawn(first<number>);
  assert.equal(channel.id === ofA.id, false);
  await world.wait(channel.subscribe(ofB));
  assert.equal(await world.wait(channel.deliver(7)), 1);
  assert.equal(await world.wait(ofB.result), 7);
  const watcher = b.spawn(first<TaskEnded>);
  await world.wait(ofA.notify(watcher));
  ofA.send(3);
  assert.equal((await world.wait(watcher.result)).end.kind, 'returned');
  const chain = b.channel(channelName<number>('chained'));
  const heard = b.spawn(first<number>);
  await world.wait(chain.subscribe(heard));
  await world.wait(channel.subscribe(chain));
  channel.send(11);
  assert.equal(await world.wait(heard.result), 11);
  await world.close();
});

test('a reference that another runtime of the process made, and that cannot be reached from here, is refused', async () => {
  const { world, runtimes } = await machines(1);
  const [a] = runtimes as [Runtime];
  const alone = await world.start('alone', {});
  const stranger = alone.spawn(first<number>);
  const own = a.spawn(first<number>);
  assert.equal(stranger.id.split('/')[1], own.id.split('/')[1]);
  const channel = a.channel(channelName<number>('numbers'));
  await world.wait(channel.subscribe(stranger));
  await assert.rejects(world.wait(channel.deliver(1, { atLeast: 1, timeout: 5_000 })), { code: 'ERR_TIMEOUT' });
  own.send(5);
  assert.equal(await world.wait(own.result), 5);
  await world.close();
});

for (const how of ['crashes', 'closes', 'falls silent'] as const) {
  test(`who is given a reference to a task whose runtime ${how} is told so with it, and waits for nothing`, async () => {
    const { world, runtimes } = await machines(3);
    const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
    const name = channelName<number>('numbers');
    const channel = b.channel(name);
    const served = service('twice', async (_self: Task<never>, n: number) => n * 2);
    b.serve(served);
    const kept = {
      task: refIn(a, b, b.spawn(sum)),
      channel: await world.wait(a.locate(name)),
      service: await world.wait(a.locate(served)),
    };
    assert.equal(kept.channel.id, channel.id);
    if (how === 'closes') await world.wait(b.close());
    else world.crash(b, 'b', how === 'crashes');
    await world.wait(kept.task.ended);
    const given = c.spawn(async (self: Task<typeof kept>) => {
      const { task, channel: numbers, service: twice } = await self.receive();
      const started = world.clock.now();
      task.send(1);
      const waits = [task.deliver(1), task.room(), task.ended, numbers.deliver(1), twice.call(1), task.ask((reply) => reply as never)];
      const outcomes = await Promise.allSettled(waits);
      return {
        took: world.clock.now() - started,
        outcomes: outcomes.map((one) => (one.status === 'rejected' ? one.reason.code : one.value)),
      };
    });
    refIn(a, c, given).send(kept);
    const { took, outcomes } = await world.wait(given.result);
    const [delivered, room, ended, ...others] = outcomes;
    assert.equal(delivered, 'ERR_SESSION_LOST');
    assert.equal(room, undefined);
    assert.equal((ended as { kind: string }).kind, 'host-lost');
    assert.deepEqual(others, ['ERR_SESSION_LOST', 'ERR_SESSION_LOST', 'ERR_SESSION_LOST']);
    assert.ok(took < 50, `it took ${took} ms`);
    await world.close();
  });
}

test('who has a session with a runtime believes that, not what others say with a reference; nor is one who parted dead', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
  const task = b.spawn(sum);
  const kept = refIn(a, b, task);
  await world.wait(b.closePeer({ id: a.id }));
  assert.equal((await world.wait(kept.ended)).kind, 'host-lost');
  const takes = async (self: Task<TaskRef<number>>): Promise<void> => (await self.receive()).deliver(5);
  const first = c.spawn(takes);
  await world.wait(refIn(a, c, first).deliver(kept));
  await world.wait(first.result); // b lives, and c dials it
  world.network.partition('a', 'b');
  const again = refIn(a, b, task);
  assert.equal((await world.wait(again.ended)).kind, 'host-lost');
  const second = c.spawn(takes);
  await world.wait(refIn(a, c, second).deliver(again));
  await world.wait(second.result);
  task.close();
  assert.equal(await world.wait(task.result), 10);
  await world.close();
});
