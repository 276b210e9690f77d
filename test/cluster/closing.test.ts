// What close() waits for, what it does not, and that it always comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type ClientOptions, hasCode, type Task } from '../../src/index.ts';

const FIRST = { scheduler: 'local', workers: 2, output: 'ignore', warn: () => {} } as const;

async function connect(t: { after(fn: () => unknown): void }, options: ClientOptions = {}): Promise<Client> {
  const client = await Client.connect({ ...FIRST, ...options });
  t.after(() => client.close({ terminate: true }));
  return client;
}

// Calls of functions whose code no host has yet, by every verb.
function justMade(client: Client): Promise<unknown>[] {
  return [
    ...Array.from({ length: 16 }, (_, i) => client.run((n: number) => n + 1, i)),
    client.map((n: number) => n * 2, [1, 2, 3]).toArray(),
    client.with({ retries: 0 }).run(() => 'with options'),
  ];
}

test('calls made just before close() are done, though their code is still being prepared', async (t) => {
  for (let round = 0; round < 3; round++) {
    const client = await connect(t);
    const calls = justMade(client);
    assert.equal(client.counters.waiting, 17, 'what is being prepared waits');
    await client.close();
    const all = await Promise.all(calls);
    assert.deepEqual(all, [...Array.from({ length: 16 }, (_, i) => i + 1), [2, 4, 6], 'with options']);
    assert.deepEqual(client.counters, { submitted: 20, done: 20, failed: 0, cancelled: 0, retried: 0, waiting: 0, running: 0 });
  }
});

test('with terminate, calls whose code is still being prepared are ERR_CLOSED, and nothing else', async (t) => {
  const client = await connect(t);
  const ends = Promise.allSettled(justMade(client));
  await client.close({ terminate: true });
  for (const { status, reason } of (await ends) as PromiseRejectedResult[])
    assert.ok(status === 'rejected' && hasCode(reason, 'ERR_CLOSED'), String(reason));
});

test('a task started just before close() starts, and is interrupted', async (t) => {
  const client = await connect(t);
  const starting = client.spawn(async (self: Task<never>) => self.receive());
  await client.close();
  assert.equal((await (await starting).ended).kind, 'terminated');
});

test('a call that waits for a worker which a task holds is done when close() has ended the task', async (t) => {
  const client = await connect(t, { workers: 1 });
  const task = await client.spawn(async (self: Task<never>) => self.receive());
  const waits = client.run(() => 'ran after all');
  await client.close();
  assert.equal((await task.ended).kind, 'terminated');
  assert.equal(await waits, 'ran after all');
});
