// What do a million queued calls cost, and what do others make of them?
import { fork, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'flotilla';
import { empty } from './support/empty.ts';
import { type Row, role } from './support/measure.ts';

const file = fileURLToPath(import.meta.url);
const MILLION = 1_000_000;
const MB = 1 << 20;
const WORKERS = 2;
const { NODE_EXTRA_CA_CERTS: _slow, ...env } = process.env;

// By names that the compiler does not follow: the peers' own types do not compile under our strictness.
const PISCINA: string = 'piscina';
const BULLMQ: string = 'bullmq';

interface BullMq {
  Queue: new (
    name: string,
    options: object,
  ) => { addBulk(jobs: readonly { name: string; data: unknown; opts: object }[]): Promise<unknown>; close(): Promise<void> };
  Worker: new (
    name: string,
    work: (job: { data: number }) => Promise<number>,
    options: object,
  ) => { on(event: 'completed', heard: () => void): void; waitUntilReady(): Promise<unknown> };
}

// In a process of its own: its memory is what is measured.
function own<T>(job: string): T {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    env: { ...env, BENCH_JOB: job, FLOTILLA_SCHEDULER: 'local' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as T;
}

async function queued(): Promise<void> {
  const client = await Client.connect({ scheduler: 'local', workers: WORKERS });
  await Promise.all([client.run(empty, 1), client.run(empty, 2)]);
  const before = process.memoryUsage.rss();
  const started = performance.now();
  let left = MILLION;
  let most = 0;
  await new Promise<void>((resolve, reject) => {
    const done = (): void => {
      if (--left % 50_000 === 0) most = Math.max(most, process.memoryUsage.rss());
      if (left === 0) resolve();
    };
    for (let i = 0; i < MILLION; i++) client.run(empty, i).then(done, reject);
    most = process.memoryUsage.rss();
  });
  const seconds = (performance.now() - started) / 1_000;
  await client.close();
  console.log(JSON.stringify({ seconds, most: most / MB, each: (most - before) / MILLION }));
}

async function piscina(): Promise<void> {
  const { Piscina } = (await import(PISCINA)) as {
    Piscina: new (options: object) => { run(value: unknown): Promise<unknown>; destroy(): Promise<void> };
  };
  const COUNT = 200_000;
  const pool = new Piscina({
    filename: new URL('./support/empty.js', import.meta.url).href,
    name: 'empty',
    minThreads: WORKERS,
    maxThreads: WORKERS,
    maxQueue: COUNT,
  });
  await Promise.all([pool.run(1), pool.run(2)]);
  const started = performance.now();
  await Promise.all(Array.from({ length: COUNT }, (_, i) => pool.run(i)));
  console.log(JSON.stringify({ rate: COUNT / ((performance.now() - started) / 1_000) }));
  await pool.destroy();
}

/** Jobs a second through BullMQ and a Redis of its own that writes nothing to disk; nothing where Redis is not installed. */
async function bullmq(): Promise<number | undefined> {
  const COUNT = 20_000;
  const BULK = 500;
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const socket = join(folder, 'redis.sock');
  const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const children: ReturnType<typeof fork>[] = [];
  try {
    const runs = await new Promise<boolean>((resolve) => {
      redis.once('error', () => resolve(false));
      redis.stdout.on('data', (text: Buffer) => /eady to accept/.test(String(text)) && resolve(true));
    });
    if (!runs) return undefined;
    const { Queue } = (await import(BULLMQ)) as BullMq;
    const queue = new Queue('bench', { connection: { path: socket } });
    let done = 0;
    const all = new Promise<void>((resolve, reject) => {
      for (let i = 0; i < WORKERS; i++) {
        const child = fork(file, ['bullmq-worker'], { env: { ...env, BENCH_REDIS: socket } });
        children.push(child);
        child.once('exit', (code) => reject(new Error(`a worker of BullMQ ended with code ${code}`)));
        child.on('message', (count: number) => {
          done += count;
          if (done >= COUNT) resolve();
        });
      }
    });
    await Promise.race([all, Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))))]);
    const started = performance.now();
    const opts = { removeOnComplete: true };
    for (let i = 0; i < COUNT; i += BULK)
      await queue.addBulk(Array.from({ length: BULK }, (_, n) => ({ name: 'empty', data: i + n, opts })));
    await all;
    const rate = COUNT / ((performance.now() - started) / 1_000);
    await queue.close();
    return rate;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    redis.kill('SIGTERM');
    if (redis.exitCode === null && redis.pid !== undefined) await new Promise((resolve) => redis.once('exit', resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bullmqWorker(): Promise<void> {
  const { Worker } = (await import(BULLMQ)) as BullMq;
  const worker = new Worker('bench', async (job) => empty(job.data), {
    connection: { path: process.env['BENCH_REDIS'], maxRetriesPerRequest: null },
    concurrency: 50,
  });
  let count = 0;
  worker.on('completed', () => {
    if (count++ > 0) return;
    setImmediate(() => {
      process.send?.(count);
      count = 0;
    });
  });
  await worker.waitUntilReady();
  process.send?.(0);
}

export async function bench(): Promise<Row[]> {
  const million = own<{ seconds: number; most: number; each: number }>('queued');
  const threads = own<{ rate: number }>('piscina');
  const jobs = await bullmq();
  const k = (rate: number): string => `${(rate / 1_000).toFixed(rate < 10_000 ? 1 : 0)} k/s`;
  const others = `piscina (threads) ${k(threads.rate)}${jobs === undefined ? '' : `, BullMQ (local Redis) ${k(jobs)}`}`;
  return [
    {
      name: '1,000,000 queued calls, submitted and drained',
      unit: 's',
      ours: million.seconds,
      limit: 30,
      limitName: 'the goal itself',
      goal: '<= 30 s',
      peer: `${others}, ours ${k(MILLION / million.seconds)}`,
    },
    {
      name: 'client memory with 1,000,000 queued calls',
      unit: 'MB',
      ours: million.most,
      limit: 500,
      limitName: 'the goal itself',
      goal: '< 500 MB',
    },
    { name: 'client memory of a queued call', unit: 'B', ours: million.each, limit: 500, limitName: 'the goal itself', goal: '' },
  ];
}

const job = process.env['BENCH_JOB'];
Reflect.deleteProperty(process.env, 'BENCH_JOB');
if (job === 'queued') await queued();
else if (job === 'piscina') await piscina();
if (role === 'bullmq-worker') await bullmqWorker();
