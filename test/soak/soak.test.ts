// The soak itself: it holds, it ends when it is told to, and it notices what it is there to notice.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, start, tempFolder } from '../support/processes.ts';
import { Ledger } from './ledger.ts';
import { withMark } from './processes.ts';
import { slopeOf } from './report.ts';

const RUN = join(ROOT, 'dist/test/soak/run.js');

test('a soak that loses a line of output and leaves a process says so and fails; one ends at Ctrl-C with all that it started', {
  timeout: 180_000,
}, async (t) => {
  const tmp = tempFolder(t);
  const planted = start(t, [RUN, '--minutes', '0.05', '--plant', 'dropped-line', '--plant', 'leftover'], {
    env: { TMPDIR: tempFolder(t) },
  });
  const stopped = start(t, [RUN, '--minutes', '5'], { env: { TMPDIR: tmp } });
  await stopped.until(/[1-9]\d* results/, 120_000);
  stopped.kill('SIGINT');
  const { code } = await stopped.exited;
  assert.match(stopped.output, /process\s+\| what/);
  assert.ok(code === 130 || /promises were broken/.test(stopped.output), `${code}: ${stopped.output}`);
  assert.deepEqual(withMark(`soak-${stopped.pid}`), []);
  assert.deepEqual(readdirSync(tmp), [], 'its folder is gone');
  assert.equal((await planted.exited).code, 1, planted.output);
  assert.match(
    planted.output,
    /of what a worker printed came where \d+ was due|a worker printed \d+ bytes in \d+ lines, and \d+ in \d+ lines came/,
  );
  assert.match(planted.output, /the process \d+ was left/);
  assert.deepEqual(withMark(`soak-${planted.pid}`), []);
});

test('what the soak killed explains a loss; what it did not kill is a broken promise', () => {
  const ledger = new Ledger();
  ledger.claim('a task was lost', { pids: [1, 2] });
  ledger.kills([2]);
  ledger.claim('a task was lost', { pids: [1, 2] });
  ledger.claim('a call was lost', { killsSince: Date.now() });
  ledger.claim('a call was lost', { killsSince: Date.now() + 5_000 });
  ledger.claim('a call was lost: it was killed (SIGKILL)', { killsSince: Date.now() + 5_000 });
  ledger.claim('a message was lost');
  assert.deepEqual(
    ledger.broken.map(({ text }) => text),
    ['a task was lost', 'a call was lost', 'a message was lost'],
  );
  assert.equal(ledger.excused, 3);
});

test('the slope is that of the second half, per hour', () => {
  const points = Array.from({ length: 41 }, (_, i) => [i * 60_000, i < 20 ? 1_000 - i : i * 2] as const);
  assert.ok(Math.abs((slopeOf(points) ?? 0) - 120) < 1e-9);
  assert.equal(slopeOf(points.slice(0, 5)), undefined);
});
