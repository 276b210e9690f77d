// Whose turn it is, as a scheduler's schedule has it: the order in which clients asked, whatever came first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RuntimeId } from '../../src/base/index.ts';
import { emptyState, react, type ScheduleEvent } from '../../src/cluster/index.ts';

const id = (name: string): RuntimeId => name as RuntimeId;

/** A schedule without hosts, in which nobody holds anything: whose turn comes, and who is due in how many ms. */
function schedule(): (event: ScheduleEvent) => string[] {
  const state = emptyState();
  return (event) =>
    react(state, event).flatMap((effect) =>
      effect.kind === 'admit' ? [effect.client] : effect.kind === 'await' ? [`${effect.client} in ${effect.ms}`] : [],
    );
}

const joins = (name: string, now: number, since: number, exclusive = true): ScheduleEvent => ({
  kind: 'client-joined',
  id: id(name),
  name,
  wants: Number.POSITIVE_INFINITY,
  weight: 1,
  exclusive,
  picky: false,
  now,
  since,
});
const due = (name: string): ScheduleEvent => ({ kind: 'client-due', id: id(name) });
const left = (name: string): ScheduleEvent => ({ kind: 'client-left', id: id(name) });

test('an exclusive client has its turn a moment after it asked, and who asked before it has come by then', () => {
  const tell = schedule();
  assert.deepEqual(tell(joins('second', 1_060, 1_030)), ['second in 220']);
  assert.deepEqual(tell(joins('first', 1_200, 1_000)), ['first in 50']);
  assert.deepEqual(tell(due('first')), ['first']);
  assert.deepEqual(tell(due('second')), []);
  assert.deepEqual(tell(left('first')), ['second']);
});

test('one that comes late is still before those that asked after it, whoever runs meanwhile', () => {
  const tell = schedule();
  assert.deepEqual(tell(joins('runs', 0, 0, false)), ['runs']);
  for (const [name, since] of [
    ['c', 3_000],
    ['b', 2_000],
  ] as const)
    assert.deepEqual(tell(joins(name, 9_000, since)), []);
  assert.deepEqual(tell(joins('a', 9_000, 4_000, false)), []);
  assert.deepEqual(tell({ kind: 'client-asked', id: id('a'), since: 1_000 }), ['a'], 'an ordinary one that asked before any that waits');
  assert.deepEqual([tell(left('a')), tell(left('runs'))].flat(), ['b']);
  assert.deepEqual(tell(left('b')), ['c']);
});

test('who waited while its scheduler was away waits no moment more, and ordinary clients wait none', () => {
  const tell = schedule();
  assert.deepEqual(tell(joins('waited', 100, -60_000)), ['waited']);
  assert.deepEqual(tell(left('waited')), []);
  assert.deepEqual(tell(joins('ordinary', 100, 100, false)), ['ordinary']);
});
