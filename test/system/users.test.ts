// Workers under other users: the files of clients are closed to each other, and to the host's own.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, runToEnd, start, tempFolder, untilNoneMarked, writeProgram } from '../support/processes.ts';

const isRoot = process.getuid?.() === 0;

// Other users must be able to read the program of a worker: a copy outside of root's home, with its own Node.js.
function install(t: { after(fn: () => void): void }): { bin: string; node: string; lib: string } {
  const folder = join('/var/tmp', `flotilla-users-${process.pid}`);
  mkdirSync(folder, { mode: 0o755 });
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  cpSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), {
    recursive: true,
    dereference: true,
    filter: (from) => !/node_modules\/(@biomejs|typescript|@typescript)/.test(from),
  });
  const node = join(folder, 'node');
  copyFileSync(process.execPath, node);
  return { bin: join(folder, 'bin/flotilla.js'), node, lib: join(folder, 'dist/lib/index.js') };
}

test('with --user each client has a user of its own, and cannot read what another has', {
  skip: !isRoot && 'only root can do this',
}, async (t) => {
  const folder = tempFolder(t);
  const { bin, node, lib } = install(t);
  chmodSync(folder, 0o755);
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
import { Client, current } from '${lib}';
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

test('a suid copy of Node.js: the host is who started it, workers are whose the copy is, with no way back', {
  skip: !isRoot && 'only root can do this',
}, async (t) => {
  const folder = tempFolder(t);
  const { bin, node, lib } = install(t);
  const [owner, group, user] = [54_331, 54_332, 54_330];
  chmodSync(folder, 0o755);
  chownSync(node, owner, group);
  chmodSync(node, 0o6755);
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, user, user);
  const temp = join(folder, 'temp');
  mkdirSync(temp);
  chmodSync(temp, 0o1777);
  const FLOTILLA_TEST_MARK = `suid-${process.pid}`;
  // Programs with lent ids are not told of TMPDIR.
  const dest = join(temp, 'hosts');
  const env = { HOME: home, FLOTILLA_SECRET: 'a secret of this test alone', FLOTILLA_TEST_MARK };
  const as = { env, node, uid: user, gid: user };
  const place = ['tcp://127.0.0.1:0', '--daemon', '--no-discovery', '--dest', dest];
  const refused = runToEnd([bin, 'host', ...place, '--user', 'nobody'], as);
  assert.match(refused.stderr, /This copy of Node.js is suid or sgid: workers run as '54331'/);
  const host = start(t, [bin, 'host', ...place, '--cpus', '1'], as);
  const [, port = ''] = await host.until(/listens at tcp:\/\/127\.0\.0\.1:(\d+)/);
  const ids = /^Uid:\t(\d+)\t(\d+)\t/m.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'));
  assert.deepEqual(ids?.slice(1, 3), [String(user), String(user)], 'the host is who started it');
  writeFileSync(join(home, 'diary'), 'private', { mode: 0o600 });
  chownSync(join(home, 'diary'), user, user);
  const text = `
import { Client, current } from '${lib}';
const client = await Client.connect({ hosts: [{ host: '127.0.0.1', port: ${port} }], local: false });
const look = async (diary: string) => {
  const { mkdirSync, readFileSync, writeFileSync } = await import('node:fs');
  const can = (act: () => unknown) => { try { act(); return 'can'; } catch (error) { return (error as { code: string }).code; } };
  mkdirSync('closed', { mode: 0o700 });
  writeFileSync('closed/mine', 'x');
  return {
    ids: /^Uid:.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))![0],
    back: can(() => process.seteuid!(${user})),
    diary: can(() => readFileSync(diary)),
  };
};
console.log('SEEN ' + JSON.stringify(await client.run(look, ${JSON.stringify(join(home, 'diary'))})));
const stop = new AbortController();
let begins;
const begun = new Promise((resolve) => { begins = resolve; });
const compute = () => { current().progress(0); for (;;); };
const endless = client.with({ signal: stop.signal, onProgress: () => begins() }).run(compute).catch(() => 'stopped');
await begun;
stop.abort();
console.log(await endless, await client.run(() => 'again'));
await client.close();
console.log('closed');
process.exit(0);`;
  const program = start(t, [bin, 'run', writeProgram(folder, 'look.ts', text)], { env: { ...env, HOME: folder, TMPDIR: folder } });
  const seen = JSON.parse((await program.until(/SEEN (.*)/))[1] as string) as Record<string, string>;
  assert.deepEqual(seen, { ids: `Uid:\t${owner}\t${owner}\t${owner}\t${owner}`, back: 'EPERM', diary: 'EACCES' });
  await program.until(/stopped again/);
  await program.until(/closed/);
  host.kill('SIGTERM');
  assert.equal((await host.exited).code, 0);
  await untilNoneMarked(FLOTILLA_TEST_MARK, 5_000);
  const left = readdirSync(dest, { recursive: true }).map(String);
  assert.deepEqual(
    left.filter((path) => !path.startsWith('store')),
    [],
  );
});
