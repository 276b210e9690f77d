// Tasks on the workers of one client find each other by name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type Task, taskName } from 'flotilla';
import { until } from '../support/until.ts';

interface Hello {
  readonly from: string;
}

async function greets(self: Task<Hello>, own: string, other: string): Promise<string> {
  await self.register(own);
  const found = await self.locate(taskName<Hello>(other), { timeout: 20_000 });
  await found.deliver({ from: own });
  return `${own} was greeted by ${(await self.receive()).from}, and is not alone: ${found.runtime !== self.ref.runtime}`;
}

async function registers(self: Task<number>, name: string): Promise<number> {
  await self.register(name);
  return self.receive();
}

async function finds(self: Task<never>, name: string, timeout?: number): Promise<string> {
  const found = await self.locate(taskName<number>(name), timeout === undefined ? {} : { timeout });
  found.send(7);
  return found.id;
}

for (const inline of [false, true]) {
  test(`tasks find each other by name, whoever registers first${inline ? ', inline' : ', on workers of one client'}`, async () => {
    await using client = await Client.connect({ workers: 3, inline, warn: () => {} });
    const spawner = inline ? client.with({ io: 10 }) : client;
    const [early, late] = [await spawner.spawn(greets, 'early', 'late'), await spawner.spawn(greets, 'late', 'early')];
    assert.equal(await early.result, `early was greeted by late, and is not alone: ${!inline}`);
    assert.equal(await late.result, `late was greeted by early, and is not alone: ${!inline}`);
    const named = await spawner.spawn(registers, 'named');
    assert.equal(await (await spawner.spawn(finds, 'named', 10_000)).result, named.id);
    assert.equal(await named.result, 7);
  });
}

test('a name is found on a worker that comes later; one that is not there is denied, at once where asked so', async () => {
  await using client = await Client.connect({ workers: 2, warn: () => {} });
  await assert.rejects((await client.spawn(finds, 'nobody', 0)).result, { code: 'ERR_NAME_UNKNOWN' });
  await assert.rejects((await client.spawn(finds, 'nobody', 200)).result, { code: 'ERR_NAME_UNKNOWN' });
  const waits = await client.spawn(finds, 'restarted');
  const idle = (): string | undefined => client.workers().find(({ tasks, state }) => tasks === 0 && state === 'ready')?.name;
  await until(() => idle() !== undefined);
  await client.restartWorker(idle() as string);
  const named = await client.spawn(registers, 'restarted');
  assert.equal(await waits.result, named.id);
  assert.equal(await named.result, 7);
  const denied = await client.spawn(registers, 'there');
  assert.equal(await (await client.spawn(finds, 'there', 0)).result, denied.id);
});

test('one task hears of what many wait for, and of nothing that belongs to another client', async () => {
  await using client = await Client.connect({ workers: 3, warn: () => {} });
  await using other = await Client.connect({ workers: 1, warn: () => {} });
  const foreign = await other.spawn(registers, 'board');
  const [a, b] = await Promise.all([
    client.with({ io: 20 }).spawn(async (self: Task<never>) => {
      const all = Array.from({ length: 10 }, () => self.locate(taskName<number>('board'), { timeout: 10_000 }));
      return (await Promise.all(all)).map(({ id }) => id);
    }),
    client.with({ io: 20 }).spawn(finds, 'board', 10_000),
  ]);
  const board = await client.spawn(registers, 'board');
  assert.deepEqual(new Set([...(await a.result), await b.result]), new Set([board.id]));
  assert.equal(await board.result, 7);
  foreign.terminate();
  assert.equal((await foreign.ended).kind, 'terminated');
});
