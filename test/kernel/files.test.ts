import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FILES, Runtime } from '../../src/kernel/index.ts';
import { seededRandom, World } from '../../src/testing/index.ts';
import { tempFolder } from '../support/processes.ts';
import { machines } from '../support/worlds.ts';

const bytesOf = (count: number, seed = 1): Buffer => {
  const chance = seededRandom(seed);
  return Buffer.from(Array.from({ length: count }, () => Math.floor(chance() * 256)));
};

async function pair(t: { after(fn: () => unknown): void }): Promise<{ a: Runtime; b: Runtime; here: string; there: string }> {
  const here = tempFolder(t);
  const there = join(tempFolder(t), 'received');
  const b = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 'secret of the file tests', filesDir: there });
  const a = await Runtime.start({ secret: 'secret of the file tests' });
  await a.connect(b.location!);
  t.after(async () => {
    await a.close();
    await b.close();
  });
  return { a, b, here, there };
}

test('the four outcomes of sending a file: sent, present, differs, and an error', async (t) => {
  const { a, b, here, there } = await pair(t);
  const path = join(here, 'data.bin');
  const bytes = bytesOf(1_000_000);
  writeFileSync(path, bytes, { mode: 0o640 });
  utimesSync(path, 1_600_000_000, 1_600_000_000);
  const progress: number[] = [];
  const sent = await a.sendFile(b.location!, path, { dir: 'in/box', onProgress: ({ bytes: done }) => progress.push(done) });
  assert.deepEqual(sent, { kind: 'sent', bytes: 1_000_000, size: 1_000_000, hash: createHash('sha256').update(bytes).digest('hex') });
  assert.equal(progress.at(-1), 1_000_000);
  const target = join(there, 'in/box/data.bin');
  assert.ok(readFileSync(target).equals(bytes));
  assert.equal(statSync(target).mtimeMs, 1_600_000_000_000);
  assert.equal(statSync(target).mode & 0o777, 0o640);
  assert.deepEqual(await a.sendFile(b.id, path, { dir: 'in/box' }), { kind: 'present' });
  writeFileSync(path, bytesOf(1_000_000, 2), { mode: 0o640 });
  const differs = await a.sendFile(b.id, path, { dir: 'in/box' });
  assert.equal(differs.kind === 'differs' && differs.stat.size, 1_000_000);
  assert.ok(readFileSync(target).equals(bytes), 'the file there is as it was');
  assert.equal((await a.sendFile(b.id, path, { dir: 'in/box', overwrite: true })).kind, 'sent');
  utimesSync(path, 1, 1);
  assert.equal((await a.sendFile(b.id, path, { dir: 'in/box', compare: 'hash' })).kind, 'present');
  await assert.rejects(a.sendFile(b.id, join(here, 'absent')), /cannot be read: it does not exist/);
  await assert.rejects(a.sendFile(b.id, here), { code: 'ERR_FILE_SYSTEM' });
  assert.equal(await a.deleteFile(b.id, 'data.bin', { dir: 'in/box' }), true);
  assert.equal(await a.deleteFile(b.id, 'data.bin', { dir: 'in/box' }), false);
  assert.equal(existsSync(join(there, 'in')), false, 'folders that are empty go too');
  assert.equal(existsSync(there), true);
});

test('an empty file, a large one and many at once arrive whole, and the memory of both sides stays', async (t) => {
  const { a, b, here, there } = await pair(t);
  writeFileSync(join(here, 'empty'), '');
  assert.deepEqual((await a.sendFile(b.id, join(here, 'empty'))).kind, 'sent');
  assert.equal(statSync(join(there, 'empty')).size, 0);
  const many = Array.from({ length: 40 }, (_, i) => {
    const bytes = bytesOf(10_000 + i * 977, i + 1);
    writeFileSync(join(here, `f${i}`), bytes);
    return bytes;
  });
  const outcomes = await Promise.all(many.map((_, i) => a.sendFile(b.id, join(here, `f${i}`), { dir: 'many' })));
  assert.ok(outcomes.every(({ kind }) => kind === 'sent'));
  for (const [i, bytes] of many.entries()) assert.ok(readFileSync(join(there, 'many', `f${i}`)).equals(bytes));
  const large = join(here, 'large');
  const block = bytesOf(1 << 20, 9);
  for (let i = 0; i < 200; i++) writeFileSync(large, block, { flag: 'a' });
  const before = process.memoryUsage.rss();
  assert.equal((await a.sendFile(b.id, large)).kind, 'sent');
  assert.ok(process.memoryUsage.rss() - before < 100 << 20, `${(process.memoryUsage.rss() - before) >> 20} MB more`);
  assert.deepEqual(readdirSync(there).sort(), ['empty', 'large', 'many']);
});

test('paths that lead out of the directory are refused, through symbolic links too', async (t) => {
  const { a, b, here, there } = await pair(t);
  const path = join(here, 'x');
  writeFileSync(path, 'x');
  const outside = tempFolder(t);
  writeFileSync(join(outside, 'victim'), 'v');
  mkdirSync(there, { recursive: true });
  mkdirSync(`${there}-evil`);
  symlinkSync(outside, join(there, 'link'));
  symlinkSync(join(outside, 'victim'), join(there, 'aliased'));
  for (const dir of ['..', '../received-evil', 'a/../../b', '/etc', 'link', 'link/deeper', 'a\0b', 'C:', 'a\\..\\b', 'con'])
    await assert.rejects(a.sendFile(b.id, path, { dir }), { code: 'ERR_FILE_PATH' }, JSON.stringify(dir));
  for (const name of ['..', '.', 'a/b', '../x', 'nul', 'a\0', '.flotilla-part-1', 'x ', 'a'.repeat(300), 'c:x'])
    await assert.rejects(a.sendFile(b.id, path, { name }), { code: 'ERR_FILE_PATH' }, JSON.stringify(name));
  await assert.rejects(a.sendFile(b.id, path, { name: 'aliased', overwrite: true }), { code: 'ERR_FILE_PATH' });
  for (const [dir, name] of [
    ['..', 'x'],
    ['link', 'victim'],
    ['', 'aliased'],
  ] as const)
    await assert.rejects(a.deleteFile(b.id, name, { dir }), { code: 'ERR_FILE_PATH' });
  // The sender's own checks are passed over by a hostile one: the receiver has its own.
  const { kernel } = a;
  for (const dir of ['..', '/etc', 'link']) {
    const offer = { name: 'x', dir, size: 1, mtime: 1, mode: 0o4777, overwrite: true, hash: undefined };
    await assert.rejects(kernel.requests.ask(b.id, FILES.number, 'offer', [offer]), { code: 'ERR_FILE_PATH' });
    await assert.rejects(kernel.requests.ask(b.id, FILES.number, 'delete', [dir, 'victim']), { code: 'ERR_FILE_PATH' });
  }
  assert.deepEqual(readdirSync(outside), ['victim']);
  assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'v');
});

test('what is no file on a disk is refused at once: a pipe that nobody writes to, a device, what the system makes up as it is read', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const { a, b, here, there } = await pair(t);
  const pipe = join(here, 'pipe');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  for (const path of [pipe, '/dev/zero', here])
    await assert.rejects(a.sendFile(b.id, path), { code: 'ERR_FILE_SYSTEM', message: /is no plain file/ });
  await assert.rejects(a.sendFile(b.id, '/proc/self/status'), { code: 'ERR_FILE_SYSTEM', message: /says that it is empty, and is not/ });
  assert.ok(!existsSync(join(there, 'status')));
});

test('the limit counts announced bytes and bytes that arrive; a wrong hash leaves nothing', async (t) => {
  const { a, b, here, there } = await pair(t);
  b.maxFileSize = 1_000;
  writeFileSync(join(here, 'big'), Buffer.alloc(1_001));
  await assert.rejects(a.sendFile(b.id, join(here, 'big')), { code: 'ERR_FILE_REFUSED' });
  b.maxFileSize = undefined;
  const offer = (name: string, size: number) =>
    a.kernel.requests.ask(b.id, FILES.number, 'offer', [{ name, dir: '', size, mtime: 1, mode: 0o600, overwrite: false, hash: undefined }]);
  const go = (await offer('liar', 10)) as { transfer: number };
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 22, 26, go.transfer]), Buffer.alloc(20, 65)]);
  a.kernel.carrier.post(b.id, { buffer: frame, start: 0, end: frame.length, frames: 1, release: undefined }, false);
  await assert.rejects(a.kernel.requests.ask(b.id, FILES.number, 'finish', [go.transfer, '']), { code: 'ERR_FILE_REFUSED' });
  const wrong = (await offer('wrong', 2)) as { transfer: number };
  const two = Buffer.from([0, 0, 0, 4, 26, wrong.transfer, 65, 66]);
  a.kernel.carrier.post(b.id, { buffer: two, start: 0, end: two.length, frames: 1, release: undefined }, false);
  await assert.rejects(a.kernel.requests.ask(b.id, FILES.number, 'finish', [wrong.transfer, 'no such hash']), { code: 'ERR_FILE_CHANGED' });
  await a.kernel.requests.ask(b.id, FILES.number, 'give', [0]);
  assert.deepEqual(readdirSync(there), []);
});

test('a transfer goes on through cuts, and after its receiver or sender was lost from where it was', async () => {
  const { world, runtimes } = await machines(2, { seed: 5 });
  const [a, b] = runtimes as [Runtime, Runtime];
  const bytes = bytesOf(6_000_000, 3);
  world.files('a').put('/big', bytes, 77_000);
  world.network.latencyMs = [5, 20];
  const sending = a.sendFile('mem://b:1', '/big');
  for (let i = 0; i < 5; i++) {
    await world.clock.advance(60);
    world.network.cut();
  }
  assert.equal((await world.wait(sending)).kind, 'sent');
  assert.ok(world.files('b').get('/received/b/big')?.equals(bytes));
  await world.wait(b.deleteFile(b.id, 'big'));
  const lost = a.sendFile('mem://b:1', '/big');
  lost.catch(() => {});
  await world.clock.advance(80);
  world.crash(a, 'a', true);
  await world.clock.advance(30_000);
  assert.equal(world.files('b').paths.length, 1, 'what has arrived is kept');
  const again = await world.start('a', {});
  await world.wait(again.connect('mem://b:1'));
  const outcome = await world.wait(again.sendFile('mem://b:1', '/big'));
  assert.ok(outcome.kind === 'sent' && outcome.bytes < outcome.size && outcome.bytes > 0, JSON.stringify(outcome));
  assert.ok(world.files('b').get('/received/b/big')?.equals(bytes));
  assert.deepEqual(world.files('b').paths, ['/received/b/big']);
  await world.close();
});

test('a full disk, a file that changes, and a signal end a transfer, say why, and leave nothing', async () => {
  const world = new World({ seed: 1, latencyMs: [5, 10] });
  const a = await world.start('a');
  const b = await world.start('b', { listen: 'mem://b:1' });
  await world.wait(a.connect('mem://b:1'));
  const bytes = bytesOf(4_000_000);
  world.files('a').put('/f', bytes, 1);
  world.files('b').capacity = 1_000_000;
  await assert.rejects(world.wait(a.sendFile(b.id, '/f')), /cannot be written at the receiver: the disk is full/);
  world.files('b').capacity = Number.POSITIVE_INFINITY;
  const changing = a.sendFile(b.id, '/f');
  await world.clock.advance(50);
  world.files('a').put('/f', bytes, 2);
  await assert.rejects(world.wait(changing), { code: 'ERR_FILE_CHANGED' });
  const stop = new AbortController();
  const stopped = a.sendFile(b.id, '/f', { signal: stop.signal });
  await world.clock.advance(50);
  stop.abort(new Error('enough'));
  await assert.rejects(world.wait(stopped), /enough/);
  await world.clock.advance(1_000);
  assert.deepEqual(world.files('b').paths, []);
  world.network.block('b', 'a');
  const silent = a.sendFile(b.id, '/f', { timeout: 2_000 });
  await assert.rejects(world.wait(silent), { code: 'ERR_TIMEOUT' });
  world.network.heal();
  await world.close();
});

test('a full disk is as empty as before when its error comes, and what was kept to be gone on with gives way', async () => {
  const world = new World({ seed: 1, latencyMs: [5, 10] });
  const a = await world.start('a');
  let b = await world.start('b', { listen: 'mem://b:1' });
  await world.wait(a.connect('mem://b:1'));
  world.files('a').put('/kept', bytesOf(4_000_000), 1);
  world.files('a').put('/f', bytesOf(4_000_000, 2), 1);
  const lost = a.sendFile(b.id, '/kept');
  lost.catch(() => {});
  for (let i = 0; i < 1_000 && !world.files('b').paths.some((path) => world.files('b').get(path)!.length > 0); i++)
    await world.clock.advance(2);
  await world.wait(b.close());
  await assert.rejects(world.wait(lost));
  assert.equal(world.files('b').paths.length, 1, 'kept to be gone on with');
  b = await world.start('b', { listen: 'mem://b:1' });
  await world.wait(a.connect('mem://b:1'));
  world.files('b').capacity = world.files('b').get(world.files('b').paths[0]!)!.length + 1_000_000;
  await assert.rejects(world.wait(a.sendFile(b.id, '/f')), /the disk is full/);
  assert.deepEqual(world.files('b').paths, []);
  world.files('b').capacity = 4_500_000;
  assert.equal((await world.wait(a.sendFile(b.id, '/f'))).kind, 'sent');
  await world.close();
});

test('an aborted transfer rejects with the very reason, when nothing of it is left at the other end, whenever that comes', async () => {
  const world = new World({ seed: 1, latencyMs: [5, 10] });
  const a = await world.start('a');
  const b = await world.start('b', { listen: 'mem://b:1' });
  await world.wait(a.connect('mem://b:1'));
  world.files('a').put('/f', bytesOf(4_000_000), 1);
  for (const ms of [0, 1, 6, 12, 20, 40, 80]) {
    const stop = new AbortController();
    const reason = new RangeError(`after ${ms}`);
    const stopped = a.sendFile(b.id, '/f', { signal: stop.signal }).then(
      () => assert.fail(`sent after ${ms}`),
      (error: unknown) => error,
    );
    await world.clock.advance(ms);
    stop.abort(reason);
    assert.equal(await world.wait(stopped), reason, `after ${ms} ms`);
    assert.deepEqual(world.files('b').paths, [], `after ${ms} ms`);
  }
  assert.equal((await world.wait(a.sendFile(b.id, '/f'))).kind, 'sent', 'nobody holds its name');
  world.network.block('b', 'a');
  const stop = new AbortController();
  const silent = a.sendFile(b.id, '/f', { signal: stop.signal, name: 'g' });
  await world.clock.advance(100);
  stop.abort(new Error('enough'));
  await assert.rejects(world.wait(silent, 8_000), /enough/);
  world.network.heal();
  await world.close();
});

test('an unfinished file that nobody has gone on with for a day is removed when the next comes', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const files = world.files('b');
  files.put('/received/b/.flotilla-part-old', bytesOf(10), world.clock.wall() - 25 * 3_600_000);
  files.put('/received/b/.flotilla-part-young', bytesOf(10), world.clock.wall() - 3_600_000);
  world.files('a').put('/x', bytesOf(100));
  assert.equal((await world.wait(a.sendFile(b.id, '/x'))).kind, 'sent');
  assert.deepEqual(files.paths, ['/received/b/.flotilla-part-young', '/received/b/x']);
  await world.close();
});
