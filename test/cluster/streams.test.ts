// The values of generators that run on workers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'flotilla';

const EMPTY = [undefined, null, 0, '', false, Number.NaN, undefined];

async function* repeated<T>(values: readonly T[], times: number): AsyncGenerator<T, void, void> {
  for (let i = 0; i < times; i++) yield* values;
}

async function gather<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

for (const inline of [false, true]) {
  describe(inline ? 'inline' : 'on worker processes', () => {
    let client: Client;
    before(async () => {
      client = await Client.connect({ inline, workers: 2, warn: () => {} });
    });
    after(() => client.close());

    test('every value of a generator arrives, undefined too, however many', { timeout: 30_000 }, async () => {
      assert.deepEqual(await gather(client.run(repeated, EMPTY, 100)), Array.from({ length: 100 }, () => EMPTY).flat());
      assert.deepEqual(await gather(client.run(repeated, [undefined], 1_000)), new Array(1_000).fill(undefined));
    });
  });
}
