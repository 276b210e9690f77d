// Workers under other users: the files of clients are closed to each other, and to the host's own.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, runToEnd, start, tempFolder, writeProgram } from '../support/processes.ts';

const isRoot = process.getuid?.() === 0;

test('with --user each client has a user of its own, and cannot read what another has', {
  skip: !isRoot && 'only root can do this',
}, async (t) => {
  const folder = tempFolder(t);
  // Other users must be able to read the program of a worker: a copy outside of root's home, with its own rights.
  const install = join('/var/tmp', `flotilla-users-${process.pid}`);
  mkdirSync(install, { mode: 0o755 });
  t.after(() => rmSync(install, { recursive: true, force: true }));
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, part), join(install, part), { recursive: true });
  cpSync(join(ROOT, 'node_modules'), join(install, 'node_modules'), {
    recursive: true,
    dereference: true,
    filter: (from) => !/node_modules\/(@biomejs|typescript|@typescript)/.test(from),
  });
  const node = join(install, 'node');
  copyFileSync(process.execPath, node);
  chmodSync(folder, 0o755);
  const bin = join(install, 'bin/flotilla.js');
  const env = { HOME: folder, TMPDIR: folder };
  const asOther = [bin, 'host', 'tcp://127.0.0.1:0', '--daemon', '--no-discovery', '--user', '54321,54322', '--cpus', '2'];
  const unreadable = join(folder, 'node');
  copyFileSync(process.execPath, unreadable);
  chmodSync(unreadable, 0o700);
  const refused = runToEnd(asOther, { env, node: unreadable });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /User '54321' cannot run '.*node' .*EACCES.*chmod o\+rx/s);
  rmSync(unreadable);
  const scheduler = start(t, [bin, 'scheduler', 'tcp://127.0.0.1:0', '--daemon', '--no-discovery'], { env, node });
  const [, address = ''] = await scheduler.until(/listens at (tcp:\S+?)[,;]/);
  const host = start(t, [...asOther, '--scheduler', address], { env, node });
  await host.until(/Joined/);
  const text = `
import { Client, current } from '${join(install, 'dist/lib/index.js')}';
const client = await Client.connect({ scheduler: '${address}', workers: 1 });
const look = async (other: string) => {
  const { readdirSync, writeFileSync } = await import('node:fs');
  const { dirname } = await import('node:path');
  writeFileSync('mine', 'x');
  const can = (path: string) => { try { return readdirSync(path).length >= 0; } catch (error) { return (error as { code: string }).code; } };
  return { uid: process.getuid!(), cwd: process.cwd(), root: can(dirname(dirname(process.cwd()))), other: other === '' ? '' : can(other) };
};
const seen = await client.run(look, process.argv[2] ?? '');
console.log('SEEN ' + JSON.stringify(seen));
await new Promise((resolve) => setTimeout(resolve, Number(process.argv[3] ?? 0)));
await client.close();
process.exit(0);`;
  const program = writeProgram(folder, 'look.ts', text);
  const first = start(t, [bin, 'run', program, '', '20000'], { env, node });
  const one = JSON.parse((await first.until(/SEEN (.*)/))[1] as string);
  const second = start(t, [bin, 'run', program, one.cwd], { env, node });
  const two = JSON.parse((await second.until(/SEEN (.*)/))[1] as string);
  assert.deepEqual([one.uid, two.uid].sort(), [54321, 54322]);
  assert.deepEqual([one.root, two.root, two.other], ['EACCES', 'EACCES', 'EACCES']);
});
