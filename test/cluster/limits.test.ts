// What a client has closed, as its scheduler keeps to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RuntimeId } from '../../src/base/index.ts';
import { emptyState, react, type ScheduleEvent } from '../../src/cluster/index.ts';

const id = (name: string): RuntimeId => name as RuntimeId;
const host = (name: string, workers: number): ScheduleEvent => ({
  kind: 'host-joined',
  id: id(name),
  name,
  addresses: [],
  workers,
  open: true,
  held: [],
});
const client = (name: string, wants: number): ScheduleEvent => ({
  kind: 'client-joined',
  id: id(name),
  name,
  wants,
  weight: 1,
  exclusive: false,
  picky: false,
  now: 0,
  since: 0,
});

test('that very worker is not granted again, nor another instead of it, until it is asked for', () => {
  const state = emptyState();
  const tell = (event: ScheduleEvent): string[] =>
    react(state, event).flatMap((effect) => (effect.kind === 'grant' ? effect.slots.map((slot) => `${effect.host.name}/${slot}`) : []));
  tell(host('a', 3));
  assert.deepEqual(tell(client('c', 3)), ['a/1', 'a/2', 'a/3']);
  tell(host('b', 3));
  const limits = (shut: number[]): ScheduleEvent => ({
    kind: 'client-limits',
    id: id('c'),
    limits: [{ host: id('a'), most: Number.POSITIVE_INFINITY, shut }],
  });
  assert.deepEqual(tell(limits([1])), []);
  assert.deepEqual(tell({ kind: 'freed', host: id('a'), slots: [1], epoch: 1 }), []); // b has room: it takes nobody's place
  assert.deepEqual(tell({ kind: 'freed', host: id('a'), slots: [3], epoch: 1 }), ['b/1']);
  assert.deepEqual(tell(client('d', 3)), ['a/1', 'a/3', 'b/2']); // what one has closed, others may have
  assert.deepEqual(tell(limits([])), ['b/3']);
});
