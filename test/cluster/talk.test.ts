import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, channelName, service, type Task, type TaskEnded, taskName } from 'flotilla';

interface News {
  readonly n: number;
}

async function named(self: Task<number>): Promise<number> {
  await self.register('on a worker');
  let sum = 0;
  for await (const n of self) sum += n;
  return sum;
}

async function listener(self: Task<News>): Promise<number[]> {
  const channel = await self.locate({ kind: 'channel', name: 'news' } as import('flotilla').ChannelName<News>, { timeout: 5_000 });
  await channel.subscribe(self.ref);
  const got: number[] = [];
  for (let i = 0; i < 3; i++) got.push((await self.receive()).n);
  return got;
}

async function watches(self: Task<TaskEnded | string>, other: import('flotilla').TaskRef<number>): Promise<string> {
  await self.monitor(other);
  const notice = await self.receive({ match: (message) => typeof message === 'object' });
  return typeof notice === 'object' ? notice.end.kind : notice;
}

function* counts(self: Task<number>): Generator<Promise<number>, number, number> {
  const a = yield self.receive();
  const b = yield self.receive();
  return a + b;
}

test('tasks on workers register names, locate channels and services of the client, monitor, and are generators', async () => {
  await using client = await Client.connect({ workers: 2 });
  const { runtime } = client;
  const task = await client.spawn(named);
  const found = await runtime.locate(taskName<number, number>('on a worker'), { timeout: 5_000 });
  assert.equal(found.id, task.id);
  for (const n of [1, 2, 3]) found.send(n);
  found.close();
  assert.equal(await task.result, 6);

  const news = runtime.channel(channelName<News>('news'));
  const hears = await client.spawn(listener);
  for (let n = 0; n < 3; n++) assert.equal(await news.deliver({ n }, { atLeast: 1, timeout: 5_000 }), 1);
  assert.deepEqual(await hears.result, [0, 1, 2]);

  const counter = await client.spawn(counts);
  const watcher = await client.spawn(watches, counter);
  counter.send(20);
  counter.send(22);
  assert.equal(await counter.result, 42);
  assert.equal(await watcher.result, 'returned');

  const twice = service('twice', async (_self: Task<never>, n: number) => n * 2);
  runtime.serve(twice);
  const asks = await client.spawn(async (self: Task<never>) => {
    const ref = await self.locate({ kind: 'service', name: 'twice' } as import('flotilla').ServiceName<never, [number], number>, {
      timeout: 5_000,
    });
    return ref.call(21);
  });
  assert.equal(await asks.result, 42);
});
