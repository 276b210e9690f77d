// Systems that give little: few descriptors, no memory, a folder that is gone. What is short, and what to do, is said in our words.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, ROOT, tempFolder, writeProgram } from '../support/processes.ts';

const FLOTILLA = join(ROOT, 'dist/lib/index.js');
const LINUX = { skip: process.platform !== 'linux' };

// Runs a program under what a shell sets first; what is printed, both streams.
function runUnder(folder: string, shell: string, text: string): string {
  const file = writeProgram(folder, 'scarce.mjs', `import { Client } from '${FLOTILLA}';\n${text}\nprocess.exit(0);\n`);
  const env = { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder, FLOTILLA_SCHEDULER: 'local' };
  const { stdout, stderr } = spawnSync('bash', ['-c', `${shell}; exec "$0" "$1" 2>&1`, process.execPath, file], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  return stdout + stderr;
}

const ASK = `
try {
  const client = await Client.connect({ workers: 2, timeout: 20_000 });
  console.log(await client.run(() => 1));
  await client.close();
} catch (error) { console.log(error.code, error.message); }`;

const EAT = `
const client = await Client.connect({ workers: 1, output: ({ text }) => console.log('printed:', text) });
const eat = () => { const all = []; for (let i = 0; i < 4_000; i++) all.push(Buffer.alloc(1 << 20, 1)); return all.length; };
await client.with({ retries: 0 }).run(eat).catch(({ code, message }) => console.log(code, message));
await client.close();`;

test('with few descriptors, who starts workers is told to allow more', LINUX, (t) => {
  const said = runUnder(tempFolder(t), 'ulimit -n 24', ASK);
  assert.match(said, /ERR_HOST_START .*may open no more files: allow it more \(ulimit -n 4096\), or have fewer workers/);
  assert.doesNotMatch(said, /EMFILE|node:internal/);
});

test('with too little address space, the reason is said instead of the insides of Node.js', LINUX, (t) => {
  const folder = tempFolder(t);
  // How much Node.js itself needs before a line of ours runs is its version's affair.
  let kib = 1_000_000;
  const least = (text: string): string => {
    for (; ; kib += 250_000) {
      const output = runUnder(folder, `ulimit -v ${kib}`, text);
      if (/ERR_/.test(output) || kib > 8_000_000) return output;
    }
  };
  assert.match(least(ASK), /ERR_HOST_START .*the system gave it no more memory \(see ulimit -v/);
  kib += 500_000;
  const eaten = least(EAT);
  assert.match(eaten, /ERR_\w+ .*the system gave it no more memory \(see ulimit -v/);
  assert.doesNotMatch(eaten, /0x[0-9a-f]{4,}|Native stack/);
});

test('a worker that the system kills for want of memory in a control group is told as that', LINUX, (t) => {
  const folder = tempFolder(t);
  const group = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup']
    .filter((root) => existsSync(join(root, root.endsWith('memory') ? 'memory.limit_in_bytes' : 'cgroup.controllers')))
    .map((root) => join(root, `flotilla-test-${process.pid}`))[0];
  const limit = group?.includes('/memory/') ? 'memory.limit_in_bytes' : 'memory.max';
  try {
    mkdirSync(group as string);
    writeFileSync(join(group as string, limit), String(400 << 20));
  } catch {
    if (group && existsSync(group)) rmdirSync(group);
    return t.skip('no control group can be made here');
  }
  t.after(() => {
    for (const end = Date.now() + 10_000; existsSync(group as string) && Date.now() < end; )
      try {
        rmdirSync(group as string); // busy until the last of its processes is gone
      } catch {
        spawnSync('sleep', ['0.05']);
      }
  });
  const said = runUnder(folder, `echo $$ > ${group}/cgroup.procs`, EAT);
  assert.match(said, /ERR_\w+ .*the system killed it for want of memory in the control group of its host\. Let it use more/);
});

test('a working directory that was removed is named as what is wrong', LINUX, (t) => {
  const folder = tempFolder(t);
  const gone = `mkdir ${join(folder, 'gone')} && cd ${join(folder, 'gone')} && rmdir ${join(folder, 'gone')}`;
  assert.match(runUnder(folder, gone, ASK), /^ERR_HOST_FOLDER The working directory of this program has been removed\. Change to/m);
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', `${gone}; exec "$0" "$1" host tcp://127.0.0.1:0 --no-discovery`, process.execPath, BIN],
    {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder },
      timeout: 60_000,
    },
  );
  assert.match(stdout + stderr, /The working directory of this program has been removed/);
});
