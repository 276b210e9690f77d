// How long does a whole job take, start and end of everything included: the factoring job, and one worker's start?
import { fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from 'flotilla';
import { factorize } from '../examples/factor/factorize.ts';
import { median, type Row, role, times } from './support/measure.ts';

const WORKERS = 2;
const file = fileURLToPath(import.meta.url);
const numbers = Array.from({ length: 1_000 }, (_, i) => 999_999_999_999 + 2 * i);
const { NODE_EXTRA_CA_CERTS: _slow, ...env } = process.env;

/** A process of its own from start to end, in ms. */
function whole(job: string): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [file], { env: { ...env, BENCH_JOB: job }, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - started;
}

async function ours(): Promise<void> {
  const client = await Client.connect({ scheduler: 'local', workers: WORKERS });
  const all = await client.map(factorize, numbers).toArray();
  if (all.length !== numbers.length) throw new Error('results are missing');
  await client.close();
}

function byHand(): Promise<void> {
  return new Promise((resolve) => {
    let left = numbers.length;
    for (let w = 0; w < WORKERS; w++) {
      const child = fork(file, ['factor']);
      child.on('message', (factors: number[][]) => {
        left -= factors.length;
        if (left === 0) resolve();
      });
      child.send(numbers.filter((_, i) => i % WORKERS === w));
    }
  });
}

async function firstResult(): Promise<number> {
  const started = performance.now();
  const client = await Client.connect({ scheduler: 'local', workers: 1 });
  await client.run(() => 1);
  const ms = performance.now() - started;
  await client.close();
  return ms;
}

function forkReady(): Promise<number> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = fork(file, ['ready'], { env });
    child.once('message', () => {
      resolve(performance.now() - started);
      child.kill();
    });
  });
}

export async function bench(): Promise<Row[]> {
  const hand = median(await times(7, async () => whole('hand')));
  const job = median(await times(7, async () => whole('ours')));
  const fork1 = median(await times(7, forkReady));
  await firstResult();
  const start = median(await times(7, firstResult));
  return [
    {
      name: 'the factoring job, 2 workers, process start to end',
      unit: 'ms',
      ours: job,
      limit: hand,
      limitName: 'forked by hand',
      goal: '<= 1.15',
    },
    {
      name: 'first result from a cold worker',
      unit: 'ms',
      ours: start,
      limit: fork1,
      limitName: 'fork to first message',
      goal: '<= 2.2 (worker ready)',
    },
  ];
}

if (process.env['BENCH_JOB'] === 'ours') {
  Reflect.deleteProperty(process.env, 'BENCH_JOB');
  await ours();
} else if (process.env['BENCH_JOB'] === 'hand' && role === undefined) await byHand();
else if (role === 'factor')
  process.on('message', (items: number[]) => {
    process.send?.(items.map((n) => factorize(n)));
    process.disconnect();
  });
else if (role === 'ready') process.send?.('ready');
