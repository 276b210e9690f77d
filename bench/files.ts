// How fast does a file of 1 GiB go to a peer, hashed at both ends?
//
// In memory where the machine has a folder for that: a disk takes ten times as long at one time as at another.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Runtime } from 'flotilla';
import { median, peer, type Row, role } from './support/measure.ts';

const secret = 'the secret of the benches';
const FILE_MB = Number(process.env['BENCH_MB'] ?? 1_024);
const ROUNDS = 5;
const MEMORY = '/dev/shm';
const say = (value: unknown): void => void process.send?.(value as object);

async function server(): Promise<void> {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret, filesDir: process.env['BENCH_FILES'] as string });
  say(runtime.location);
}

async function files(): Promise<{ ours: number; hand: number }> {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'flotilla-bench-'));
  const path = join(folder, 'data');
  const block = Buffer.allocUnsafe(1 << 20).fill(7);
  const fd = openSync(path, 'w');
  for (let i = 0; i < FILE_MB; i++) writeSync(fd, block);
  const other = peer(import.meta.url, 'server', { BENCH_FILES: folder });
  const runtime = await Runtime.start({ secret });
  const location = await other.said<string>();
  await runtime.connect(location);
  const ours: number[] = [];
  const hand: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    let started = performance.now();
    await runtime.sendFile(location, path, { dir: 'in' });
    ours.push(FILE_MB / ((performance.now() - started) / 1_000));
    await runtime.deleteFile(location, 'data', { dir: 'in' });
    started = performance.now();
    await byHand(path, join(folder, 'copy'));
    hand.push(FILE_MB / ((performance.now() - started) / 1_000));
    rmSync(join(folder, 'copy'));
  }
  await runtime.close();
  other.end();
  rmSync(folder, { recursive: true });
  return { ours: median(ours), hand: median(hand) };
}

// The limit: a file read, hashed, written to a socket, read there, hashed and written, a mebibyte at a time.
async function byHand(path: string, to: string): Promise<void> {
  const other = peer(import.meta.url, 'hashing', { BENCH_TO: to });
  const socket = connect(await other.said<number>(), '127.0.0.1');
  const hash = createHash('sha256');
  const done = other.said<string>();
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    if (!socket.write(chunk as Buffer)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  socket.end();
  if ((await done) !== hash.digest('hex')) throw new Error('the hashes differ');
  other.end();
}

function hashing(): void {
  const accept = createServer({ highWaterMark: 1 << 20 }, async (socket) => {
    const hash = createHash('sha256');
    const file = await open(process.env['BENCH_TO'] as string, 'w');
    for await (const chunk of socket) {
      hash.update(chunk as Buffer);
      await file.write(chunk as Buffer);
    }
    await file.close();
    say(hash.digest('hex'));
  });
  accept.listen(0, '127.0.0.1', () => say((accept.address() as { port: number }).port));
}

/** The rows of this bench. */
export async function bench(): Promise<Row[]> {
  const { ours, hand } = await files();
  const limitName = 'read, hashed, sent, hashed and written by hand';
  return [{ name: 'a file of 1 GiB, hashed at both ends', unit: 'MB/s', ours, limit: hand, limitName, goal: '>= 0.9' }];
}

const ROLES: Record<string, () => unknown> = { server, hashing };
if (process.argv[1] === fileURLToPath(import.meta.url) && role) await ROLES[role]?.();
