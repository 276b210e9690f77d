// What ends the work of a worker: on virtual time, without processes or threads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerDies } from '../../src/host/index.ts';
import { ManualClock } from '../../src/testing/index.ts';
import { Warden } from '../../src/worker/ending/warden.ts';
import { Gauges } from '../../src/worker/gauges.ts';
import type { Control } from '../../src/worker/serve.ts';

function watched(known = true) {
  const clock = new ManualClock();
  const gauges = new Gauges();
  const said: Control[] = [];
  const told: WorkerDies[] = [];
  const ends: string[] = [];
  const warden = new Warden({
    clock,
    gauges,
    graceMs: 5_000,
    say: (message) => void said.push(message),
    tellHost: (dies) => known && told.push(dies) > 0,
    die: () => void ends.push(`died at ${Math.round(clock.now())}`),
    leave: () => void ends.push(`left at ${Math.round(clock.now())}`),
  });
  return { clock, gauges, said, told, ends, warden };
}

test('a cancelled call that does not settle within half a second costs the worker its life, and its host is told why first', async () => {
  const { clock, ends, told, warden } = watched();
  warden.cancel(3, false);
  await clock.advance(499);
  assert.deepEqual([told, ends], [[], []]);
  await clock.advance(1);
  assert.deepEqual(told, [{ kind: 'dies', reason: 'it was ended: call 3 did not end in time', task: undefined }]);
  assert.deepEqual(ends, [], 'what it told has to leave first');
  await clock.advance(20);
  assert.deepEqual(ends, ['died at 520']);
});

test('a cancelled call that settles costs nothing, nor does one that is kept from beginning', async () => {
  const { clock, gauges, ends, said, warden } = watched();
  warden.cancel(3, false);
  warden.settled(3);
  gauges.begin(3);
  warden.cancel(5, true); // waits its turn behind 3
  await clock.advance(60_000);
  assert.deepEqual(ends, []);
  assert.deepEqual(said, [{ kind: 'recalled', calls: [5] }]);
});

test('a task that outlives its grace is named to the host, and those who wait for it are told while the process lives', async () => {
  const { clock, ends, said, told, warden } = watched();
  warden.mailbox(70, true);
  warden.terminate(70, 'enough');
  assert.deepEqual(said.splice(0), [{ kind: 'terminate', task: 70, reason: 'enough' }]);
  await clock.advance(5_300);
  assert.deepEqual([told[0]?.task, ends], [70, ['died at 5270']]);
  assert.deepEqual(said, [{ kind: 'over', task: 70, reason: 'The task was ended: it was ended: task 70 did not end in time.' }]);
});

test('a task that ends within its grace costs nothing', async () => {
  const { clock, ends, warden } = watched();
  warden.mailbox(70, true);
  warden.terminate(70, undefined);
  warden.mailbox(70, false);
  await clock.advance(60_000);
  assert.deepEqual(ends, []);
});

test('an interrupted worker leaves with the last of what ran, or when its grace is over', async () => {
  const soon = watched();
  soon.gauges.running(1);
  soon.warden.interrupt('the host closes');
  await soon.clock.advance(1_000);
  assert.deepEqual(soon.ends, []);
  soon.gauges.running(-1);
  await soon.clock.advance(100);
  assert.deepEqual(soon.ends, ['left at 1060']);
  const late = watched();
  late.gauges.tasks(1);
  late.warden.mailbox(70, true);
  late.warden.interrupt('the host closes');
  await late.clock.advance(6_000);
  assert.deepEqual(late.ends, ['left at 5300']);
  assert.deepEqual(late.said.at(-1), { kind: 'over', task: 70, reason: 'The task was ended: the host closes.' });
});

test('a worker that answers no call while nothing runs ends itself; one that computes does not', async () => {
  const silent = watched();
  silent.warden.watch(() => {});
  await silent.clock.advance(60_000);
  assert.match(silent.told[0]?.reason ?? '', /it did not answer calls any more/);
  assert.deepEqual(silent.ends, ['died at 12020']);
  const busy = watched();
  busy.gauges.running(1);
  busy.warden.watch(() => {});
  await busy.clock.advance(60_000);
  assert.deepEqual(busy.ends, []);
});

test('a worker that has no host yet is ended at once: nobody could be told', async () => {
  const { clock, ends, told, warden } = watched(false);
  warden.cancel(3, false);
  await clock.advance(500);
  assert.deepEqual([told, ends], [[], ['died at 500']]);
});
