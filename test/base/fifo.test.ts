import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Events, Fifo } from '../../src/base/index.ts';

test('a queue takes objects only: what shift() gives is never a value that looks like nothing', () => {
  const queue = new Fifo<{ readonly value: unknown }>();
  queue.push({ value: undefined });
  assert.deepEqual(queue.shift(), { value: undefined });
  assert.equal(queue.shift(), undefined);
  // @ts-expect-error a value of a user may be undefined: put it into an object
  new Fifo<unknown>();
  // @ts-expect-error and so may one whose type is not known
  (<T>() => new Fifo<T>())();
  // @ts-expect-error loops over shift() would end at 0
  new Fifo<number>();
  // @ts-expect-error events are read by the same queue
  new Events<unknown>();
});
