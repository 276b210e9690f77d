// The values of generators that run on workers.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, current } from 'flotilla';
import { tempFolder } from '../support/processes.ts';

const EMPTY = [undefined, null, 0, '', false, Number.NaN, undefined];

async function* repeated<T>(values: readonly T[], times: number): AsyncGenerator<T, void, void> {
  for (let i = 0; i < times; i++) yield* values;
}

function* repeatedAtOnce<T>(values: readonly T[], times: number): Generator<T, void, void> {
  for (let i = 0; i < times; i++) yield* values;
}

function* times(n: number): Generator<number, void, void> {
  if (n < 0) throw new RangeError('less than nothing');
  for (let i = 0; i < n; i++) yield n;
}

async function* timesLater(n: number): AsyncGenerator<number, void, void> {
  yield* times(n);
}

function* endless(): Generator<number, void, void> {
  for (let n = 0; ; n++) yield n;
}

function* places(): Generator<string, void, void> {
  for (let i = 0; i < 3; i++) yield current()?.worker.name ?? 'nowhere';
}

async function* placesLater(): AsyncGenerator<string, void, void> {
  for (let i = 0; i < 3; i++) yield current()?.worker.name ?? 'nowhere';
}

// Says that it goes on, and computes until it has been heard.
function* untilHeard(sign: string): Generator<boolean, void, void> {
  yield false;
  const end = Date.now() + 20_000;
  while (!existsSync(sign) && Date.now() < end);
  yield existsSync(sign);
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

    test('a plain generator streams as an async one does, and one that is endless stops when its reader leaves', async () => {
      assert.deepEqual(await gather(client.run(repeatedAtOnce, EMPTY, 100)), Array.from({ length: 100 }, () => EMPTY).flat());
      let last = -1;
      for await (const n of client.run(endless)) {
        assert.equal(n, last + 1);
        last = n;
        if (n === 10_000) break;
      }
      assert.equal(await client.run(() => 'free'), 'free');
      await assert.rejects(
        gather(
          client.run(function* () {
            yield 1;
            throw new RangeError('too far');
          }),
        ),
        RangeError,
      );
    });

    test('a generator knows where it runs, at every step', async () => {
      for (const where of [await gather(client.run(places)), await gather(client.run(placesLater))]) {
        assert.equal(where.length, 3);
        for (const one of where) assert.match(one, inline ? /^inline$/ : /\/\d+$/);
      }
    });

    test('map of a generator gives the values of each item in order; outcomes has them by item; io too', async () => {
      assert.deepEqual(await client.map(times, [1, 2, 3]).toArray(), [1, 2, 2, 3, 3, 3]);
      assert.deepEqual(await gather(client.map(timesLater, [1, 0, 2])), [1, 2, 2]);
      assert.deepEqual(await gather(client.with({ io: 4 }).map(timesLater, [1, 0, 2])), [1, 2, 2]);
      assert.deepEqual(await gather(client.map(timesLater, [0, 0])), []);
      const many = Array.from({ length: 3_000 }, (_, i) => i % 3);
      assert.deepEqual(
        await gather(client.map(times, many)),
        many.flatMap((n) => new Array(n).fill(n)),
      );
      const ends = await gather(client.map(times, [2, -1, 1]).outcomes());
      assert.deepEqual(
        ends.map(({ value, error }) => value ?? error?.message),
        [[2, 2], 'less than nothing', [1]],
      );
      const read: number[] = [];
      await assert.rejects(async () => {
        for await (const n of client.map(times, [2, -1, 1])) read.push(n);
      }, /less than nothing \(map item 1: -1\)/);
      assert.deepEqual(read, [2, 2]);
    });

    test('a generator that a plain function returns is refused, and it is said what to do', async () => {
      await assert.rejects(async () => client.run((() => times(3)) as () => unknown), /result cannot be sent: it is a generator.*run\(\)/);
      await assert.rejects(client.map((n: number) => [n].values() as unknown, [1]).toArray(), /result cannot be sent: it is an iterator/);
    });
  });
}

test('what a generator yields is there while it computes on', async (t) => {
  await using client = await Client.connect({ workers: 1, warn: () => {} });
  const sign = join(tempFolder(t), 'heard');
  const heard: boolean[] = [];
  for await (const was of client.run(untilHeard, sign)) {
    heard.push(was);
    if (!was) writeFileSync(sign, '');
  }
  assert.deepEqual(heard, [false, true]);
});
