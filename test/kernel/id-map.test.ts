// The map of what is under way, against the language's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdMap } from '../../src/base/index.ts';

test('an IdMap holds what a Map holds, in rising order, whatever is put in and taken out', () => {
  const id = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 2 ** 40 }),
    fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 32 + 1),
  );
  const steps = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'delete', 'get'), id, fc.nat()), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (all) => {
      const [ours, theirs] = [new IdMap<number>(), new Map<number, number>()];
      for (const [kind, key, value] of all) {
        if (kind === 'set') {
          ours.set(key, value);
          theirs.set(key, value);
        } else if (kind === 'delete') assert.equal(ours.delete(key), theirs.delete(key));
        else assert.equal(ours.get(key), theirs.get(key));
        assert.equal(ours.size, theirs.size);
      }
      assert.deepEqual(
        [...ours],
        [...theirs].sort(([a], [b]) => a - b),
      );
      const some = [...theirs.values()][0];
      assert.equal(
        ours.some((value) => value === some),
        some !== undefined,
      );
    }),
    { numRuns: 300 },
  );
});

test('an IdMap that a million ids pass through stays as small as what it holds at once', () => {
  const map = new IdMap<number>();
  for (let id = 2; id < 2_000_002; id += 2) {
    map.set(id, id);
    if (id > 2_000) assert.equal(map.delete(id - 2_000), true);
  }
  assert.equal(map.size, 1_000);
  assert.deepEqual([...map].at(0), [1_998_002, 1_998_002]);
});
