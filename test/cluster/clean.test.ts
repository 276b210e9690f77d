// Who has a place: told by a record that names one process and no other, so that nobody is ended by mistake.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimPlace } from '../../src/cluster/daemons/clean.ts';
import { nodeEnvironment } from '../../src/kernel/index.ts';
import { BIN, start, tempFolder } from '../support/processes.ts';

const { clock } = nodeEnvironment();
const claim = (dest: string): Promise<{ release(): void }> => claimPlace(clock, { port: 0, dest }, true);
const fileIn = (dest: string): string => join(dest, readdirSync(dest).find((name) => /^claim-\w{8}\.json$/.test(name)) as string);

test('a process that has got the number of a host that is gone is not ended, whatever its command line says', async (t) => {
  const dest = tempFolder(t);
  const innocent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000); console.log("runs")', 'flotilla'], {
    argv0: 'flotilla-host:not-me',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => innocent.kill('SIGKILL'));
  await once(innocent.stdout, 'data');
  (await claim(dest)).release();
  assert.deepEqual(readdirSync(dest), []);
  await claim(dest);
  const own = JSON.parse(readFileSync(fileIn(dest), 'utf8')) as { pid: number; start: string; system: string };
  assert.equal(own.pid, process.pid);
  const stale = [
    { pid: innocent.pid },
    { ...own, pid: innocent.pid },
    { pid: innocent.pid, start: String(Number(own.start) - 1), system: own.system },
    { pid: innocent.pid, start: '', system: 'ffffffff' },
  ];
  for (const text of process.platform === 'linux' ? stale : stale.slice(0, 1)) {
    writeFileSync(fileIn(dest), JSON.stringify(text));
    (await claim(dest)).release();
    assert.equal(innocent.exitCode ?? innocent.signalCode, null, JSON.stringify(text));
    await claim(dest);
  }
});

test('a host that lives has its place, and is ended with --clean: by its number, start and title', async (t) => {
  const folder = tempFolder(t);
  const dest = join(folder, 'dest');
  const env = { HOME: folder, TMPDIR: folder };
  const words = ['host', 'tcp://127.0.0.1:0', '--cpus', '1', '--no-discovery', '--dest', dest, '--name', 'a place'];
  const first = start(t, [BIN, ...words], { env });
  await first.until(/listens at/);
  const second = start(t, [BIN, ...words], { env });
  await second.exited;
  assert.match(second.output, /Another host \(process \d+\) uses .*--clean/);
  if (process.platform === 'linux') {
    // Without spaces, also in the name that the system gives to batch systems.
    assert.match(readFileSync(`/proc/${first.pid}/cmdline`, 'utf8'), /^flotilla-host:a-place\0*$/);
    assert.match(readFileSync(`/proc/${first.pid}/stat`, 'utf8'), /^\d+ \(flotilla-host:\S*\) /);
  }
  const third = start(t, [BIN, ...words, '--clean'], { env });
  await third.until(/listens at/);
  await first.exited;
  assert.ok(existsSync(fileIn(dest)));
});
