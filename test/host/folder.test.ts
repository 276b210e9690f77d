// The folders of hosts: swept when their hosts are gone, and never while one lives, wherever that is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { hostFolder } from '../../src/host/folder.ts';
import { processes } from '../../src/host/process/marked.ts';
import { nodeEnvironment } from '../../src/kernel/index.ts';
import { ROOT, tempFolder } from '../support/processes.ts';

const { random } = nodeEnvironment();
const make = (dest: string): string => hostFolder(random, dest, false, Date.now());
const OTHER = `
const { hostFolder } = await import(${JSON.stringify(join(ROOT, 'dist/src/host/folder.js'))});
const { nodeEnvironment } = await import(${JSON.stringify(join(ROOT, 'dist/src/kernel/index.js'))});
console.log(hostFolder(nodeEnvironment().random, process.argv[1], false, Date.now()));
`;
const NODE = [process.execPath, '--input-type=module', '-e', OTHER];

// Makes a folder in a process of its own that has ended when this returns; in a namespace of process ids of its own, if asked for.
function makeElsewhere(dest: string, unshare: readonly string[] = []): string {
  const [command = '', ...args] = [...unshare, ...NODE, dest];
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

function canUnshare(...words: string[]): boolean {
  return spawnSync('unshare', [...words, 'true']).status === 0;
}

for (const [how, words] of [
  ['another namespace of process ids', ['--pid', '--fork', '--mount-proc']],
  ['another namespace of process ids that sees the /proc of its parent', ['--pid', '--fork']],
] as const) {
  test(`a host in ${how} leaves the folders of hosts here alone, and its own is left alone here`, async (t) => {
    if (!canUnshare(...words)) return t.skip('no namespace of process ids can be made here');
    const dest = tempFolder(t);
    const mine = make(dest);
    const theirs = makeElsewhere(dest, ['unshare', ...words]);
    make(dest);
    assert.deepEqual([existsSync(mine), existsSync(theirs)], [true, true]);
    // What nobody has kept young for a day is swept, whoever made it.
    const longAgo = Date.now() / 1_000 - 25 * 3_600;
    utimesSync(theirs, longAgo, longAgo);
    make(dest);
    assert.deepEqual([existsSync(mine), existsSync(theirs)], [true, false]);
  });
}

test('the folder of a host that is gone is swept by the next, also when its number has been given to another process', (t) => {
  const dest = tempFolder(t);
  const left = makeElsewhere(dest);
  assert.ok(existsSync(left));
  const mine = make(dest);
  assert.equal(existsSync(left), false);
  const [, pid, start, system, chance] = /^host-(\d+)-(\d+)-(\w{8})-(\w{8})$/.exec(basename(mine)) ?? [];
  const before = join(dest, `host-${pid}-${Number(start) - 1}-${system}-${chance}`);
  mkdirSync(before);
  make(dest);
  assert.deepEqual([existsSync(before), existsSync(mine)], [process.platform !== 'linux', true]);
});

test('where /proc is that of another namespace, no process is taken for one of ours', (t) => {
  if (!canUnshare('--pid', '--fork')) return t.skip('no namespace of process ids can be made here');
  const look = `const { processes } = await import(${JSON.stringify(join(ROOT, 'dist/src/host/process/marked.js'))}); console.log(processes().length);`;
  const { stdout } = spawnSync('unshare', ['--pid', '--fork', process.execPath, '--input-type=module', '-e', look], { encoding: 'utf8' });
  assert.equal(stdout.trim(), '0');
  if (process.platform === 'linux') assert.ok(processes().includes(String(process.pid)), readFileSync('/proc/self/stat', 'utf8'));
});
