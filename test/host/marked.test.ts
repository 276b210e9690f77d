// What workers start outside of their process groups: counted with them, and ended with them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { LimitWatch } from '../../src/host/process/limits.ts';
import { killMarked, MARK } from '../../src/host/process/marked.ts';
import { nodeEnvironment } from '../../src/kernel/index.ts';

const NO_GROUP = 2 ** 30;
const { clock: realClock } = nodeEnvironment();

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
    const watch = new LimitWatch(NO_GROUP, mark, { processes: 1 }, realClock, (text) => {
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

test('memory that is filled fast is noticed before it is far beyond its limit', { skip: process.platform !== 'linux' }, async (t) => {
  // 400 MiB a second, where a look every half second would be 200 MiB late.
  const fill = 'const all = []; setInterval(() => all.length < 900 && all.push(Buffer.alloc(1 << 20, 1), Buffer.alloc(1 << 20, 1)), 5)';
  const child = spawn(process.execPath, ['-e', fill], { detached: true, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const why = await new Promise<string>((resolve) => {
    const watch = new LimitWatch(child.pid as number, 'nobody', { memory: 150 << 20 }, realClock, (text) => {
      watch.stop();
      child.kill('SIGKILL');
      resolve(text);
    });
  });
  const used = Number(/it used (\d+) MiB of memory .* allows 150/.exec(why)?.[1]);
  assert.ok(used > 150 && used < 200, why);
});
