// What a host stands on: processes started ahead, memory that workers share.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SystemGround } from '../../src/host/index.ts';
import { nodeEnvironment, Runtime } from '../../src/kernel/index.ts';
import { Identity } from '../../src/transport/index.ts';
import { ROOT, tempFolder, writeProgram } from '../support/processes.ts';

const children = (): number[] =>
  spawnSync('ps', ['--ppid', String(process.pid), '-o', 'pid=,args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes('flotilla-worker'))
    .map((line) => Number.parseInt(line, 10));

test('a worker is the process that was started ahead, and the next one is started; none is left', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const runtime = await Runtime.start({ role: 'host', secret: 'a secret of this test' });
  t.after(() => runtime.close());
  const { clock, random, variables } = nodeEnvironment();
  const dest = tempFolder(t);
  const ground = new SystemGround({ entry: join(ROOT, 'dist/lib/worker/main.js'), random, variables, clock, dest, spare: true });
  t.after(() => ground.close());
  const spare = async (not?: number): Promise<number> => {
    for (;;) {
      const [pid] = children().filter((one) => one !== not);
      if (pid !== undefined) return pid;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const ahead = await spare();
  const home = ground.enter(runtime.id, 1);
  const config = {
    name: 'ground/1',
    location: '',
    secret: Buffer.from(runtime.secret).toString('hex'),
    folder: home.folder,
    cwd: ground.room(home, 1),
    listen: [],
    advertise: undefined,
    pulse: 2_000,
    encrypt: 'auto' as const,
    host: 'ground',
    slot: 1,
    graceMs: 5_000,
    packages: ROOT,
  };
  const child = ground.launch(config, home, { output() {}, untilRoom: () => undefined, ended() {} });
  assert.equal(child.pid, ahead);
  assert.equal(typeof (await runtime.hub.adopt(child.conn, 'listener')), 'string');
  assert.notEqual(await spare(ahead), ahead);
  await child.kill('the test is over');
  await ground.close();
  while (children().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('two stays of one client have folders of their own: what removes the first takes nothing from the second', async (t) => {
  const { clock, random, variables } = nodeEnvironment();
  const ground = new SystemGround({ entry: '', random, variables, clock, dest: tempFolder(t) });
  t.after(() => ground.close());
  const client = Identity.fresh(random).id;
  const first = ground.enter(client, 1);
  for (let i = 0; i < 500; i++) writeFileSync(join(first.folder, 'code', `${i}.mjs`), '');
  const left = ground.leave(first);
  const second = ground.enter(client, 2);
  await left;
  assert.deepEqual([existsSync(first.folder), readdirSync(second.folder).sort()], [false, ['code', 'node_modules']]);
});

test('the data of a host is the same with and without a way to map memory; what one process writes, no other sees', (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'bytes');
  writeFileSync(path, Buffer.alloc(100_000, 7));
  const program = writeProgram(
    folder,
    'look.mjs',
    `import { createRequire, Module } from 'node:module';
const resolve = Module._resolveFilename;
if (process.argv[2] === 'without') Module._resolveFilename = (name, ...rest) => {
  if (name === 'koffi') throw new Error('it is not installed');
  return resolve(name, ...rest);
};
const { FileMaps } = await import(${JSON.stringify(join(ROOT, 'dist/src/worker/place/mapped.js'))});
const bytes = new Uint8Array(new FileMaps().read(${JSON.stringify(path)}));
const seen = [bytes.length, bytes[0], bytes[99_999]];
bytes[0] = 9;
const maps = process.platform === 'linux' && (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes(${JSON.stringify(path)});
console.log(JSON.stringify({ seen, own: bytes[0], maps }));
`,
  );
  const look = (how: string): { seen: number[]; own: number; maps: boolean } => {
    const { stdout, stderr } = spawnSync(process.execPath, [program, how], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return JSON.parse(stdout) as { seen: number[]; own: number; maps: boolean };
  };
  const [mapped, copied] = [look('with'), look('without')];
  assert.deepEqual(mapped.seen, [100_000, 7, 7]);
  assert.deepEqual([copied.seen, copied.own, copied.maps], [mapped.seen, 9, false]);
  assert.equal(mapped.own, 9);
  if (process.platform === 'linux') assert.equal(mapped.maps, true, "this machine's package koffi maps the file");
  assert.equal(readFileSync(path)[0], 7);
});
