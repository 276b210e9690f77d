// What workers start outside of their process groups: counted with them, and ended with them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { LimitWatch } from '../../src/host/process/limits.ts';
import { killMarked, MARK } from '../../src/host/process/marked.ts';

const NO_GROUP = 2 ** 30;

test('what has detached itself counts against the limits of its worker, and is found by its mark', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const mark = `test-${process.pid}`;
  const start = (value: string) => {
    const child = spawn('sleep', ['1000'], { detached: true, env: { ...process.env, [MARK]: value }, stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  const [first, second, other] = [start(mark), start(mark), start(`${mark}0`)];
  const ends = [first, second].map((child) => once(child, 'exit'));
  const why = await new Promise<string>((resolve) => {
    const watch = new LimitWatch(NO_GROUP, mark, { processes: 1 }, (text) => {
      watch.stop();
      resolve(text);
    });
  });
  assert.equal(why, 'it was 2 processes with those it started; the host allows 1');
  killMarked(new Set([mark]), new Set());
  assert.deepEqual(await Promise.all(ends), [
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  assert.equal(other.exitCode ?? other.signalCode, null);
});
