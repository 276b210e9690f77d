// What does a cluster cost: a million queued calls, a worker's start and memory, a scheduler with ten thousand hosts?
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'flotilla';
import { emptyState, react } from '../src/cluster/index.ts';
import { systemGround } from '../src/host/index.ts';
import { Runtime } from '../src/kernel/index.ts';
import { empty } from './support/empty.ts';
import { median, type Row, times } from './support/measure.ts';

const file = fileURLToPath(import.meta.url);
const MILLION = 1_000_000;
const MB = 1 << 20;
const PEER: string = 'piscina';
const entry = fileURLToPath(new URL('../lib/worker/main.js', import.meta.url));
const { NODE_EXTRA_CA_CERTS: _slow, ...env } = process.env;

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
  const client = await Client.connect({ scheduler: 'local', workers: 2 });
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
  const { Piscina } = (await import(PEER)) as {
    Piscina: new (options: object) => { run(value: unknown): Promise<unknown>; destroy(): Promise<void> };
  };
  const COUNT = 200_000;
  const pool = new Piscina({
    filename: new URL('./support/empty.js', import.meta.url).href,
    name: 'empty',
    minThreads: 2,
    maxThreads: 2,
    maxQueue: COUNT,
  });
  await Promise.all([pool.run(1), pool.run(2)]);
  const started = performance.now();
  await Promise.all(Array.from({ length: COUNT }, (_, i) => pool.run(i)));
  console.log(JSON.stringify({ rate: COUNT / ((performance.now() - started) / 1_000) }));
  await pool.destroy();
}

/** From asking for a worker process to its greeting, in ms. */
async function starts(spare: boolean): Promise<number> {
  const runtime = await Runtime.start({ role: 'host', secret: 'bench bench bench' });
  const { environment } = runtime;
  const ground = systemGround({ entry, random: environment.random, clock: environment.clock, spare });
  const home = ground.enter(runtime.id);
  const took = await times(7, async () => {
    if (spare) await new Promise((resolve) => setTimeout(resolve, 700)); // until the spare is there
    const config = {
      name: 'bench/1',
      location: '',
      secret: Buffer.from('bench bench bench').toString('hex'),
      folder: home.folder,
      cwd: ground.room(home, 1),
      listen: [],
      advertise: undefined,
      pulse: 2_000,
      encrypt: 'auto' as const,
      host: 'bench',
      slot: 1,
      graceMs: 5_000,
      packages: process.cwd(),
    };
    const started = performance.now();
    const child = ground.launch(config, home, { output() {}, ended() {} });
    await runtime.hub.adopt(child.conn, 'listener');
    const ms = performance.now() - started;
    await child.kill('measured');
    return ms;
  });
  await ground.leave(home);
  await ground.close();
  await runtime.close();
  return median(took);
}

function forkReady(): Promise<number> {
  const started = performance.now();
  return new Promise((resolve) => {
    // Nothing but Node and a message: what no worker can be faster than.
    const child = spawn(process.execPath, ['-e', "process.send('ready')"], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.once('message', () => {
      resolve(performance.now() - started);
      child.kill();
    });
  });
}

/** Private memory of a process, in MB: what it alone holds. */
function privateMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce((sum, match) => sum + Number(match[1]), 0) / 1024;
}

async function workerMemory(): Promise<number> {
  const client = await Client.connect({ scheduler: 'local', workers: 2 });
  await Promise.all([client.run(empty, 1), client.run(empty, 2)]);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const sizes = client.workers().map(({ pid }) => privateMb(pid));
  await client.close();
  return Math.min(...sizes);
}

/** Scheduler time per grant, in us, with so many hosts of 16 workers: all granted, then given back and granted again, one by one. */
function perGrant(hosts: number): number {
  const state = emptyState();
  const id = (text: string): never => text as never;
  for (let i = 0; i < hosts; i++)
    react(state, { kind: 'host-joined', id: id(`h${i}`), name: `h${i}`, addresses: [], workers: 16, open: true, held: [] });
  for (const name of ['a', 'b'])
    react(state, { kind: 'client-joined', id: id(name), name, wants: hosts * 8, weight: 1, exclusive: false, picky: false });
  const ROUNDS = 20_000;
  const once = (): number => {
    const started = performance.now();
    for (let i = 0; i < ROUNDS; i++) {
      const effects = react(state, { kind: 'freed', host: id(`h${i % hosts}`), slots: [(i % 16) + 1], epoch: Number.MAX_SAFE_INTEGER });
      if (!effects.some(({ kind }) => kind === 'grant')) throw new Error('a place that is free was not granted');
    }
    return ((performance.now() - started) / ROUNDS) * 1_000;
  };
  once();
  return median([once(), once(), once()]);
}

export async function bench(): Promise<Row[]> {
  const million = own<{ seconds: number; most: number; each: number }>('queued');
  const peer = own<{ rate: number }>('piscina');
  const fork1 = median(await times(7, forkReady));
  const cold = await starts(false);
  const warm = await starts(true);
  const memory = await workerMemory();
  const few = perGrant(10);
  const many = perGrant(10_000);
  return [
    {
      name: '1,000,000 queued calls, submitted and drained',
      unit: 's',
      ours: million.seconds,
      limit: 30,
      limitName: 'the goal itself',
      goal: '<= 30 s',
      peer: `piscina (threads) ${(peer.rate / 1_000).toFixed(0)} k/s, ours ${(MILLION / million.seconds / 1_000).toFixed(0)} k/s`,
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
    { name: 'worker ready, cold', unit: 'ms', ours: cold, limit: fork1, limitName: 'fork to first message', goal: '<= 2.2' },
    { name: 'worker ready, from the spare', unit: 'ms', ours: warm, limit: 10, limitName: 'the goal itself', goal: '<= 10 ms' },
    { name: 'private memory of an idle worker', unit: 'MB', ours: memory, limit: 26, limitName: 'the goal itself', goal: '<= 26 MB' },
    { name: 'scheduler time per grant, 10 hosts x 16', unit: 'us', ours: few, limit: 20, limitName: 'the goal itself', goal: '<= 20 us' },
    {
      name: 'scheduler time per grant, 10,000 hosts x 16',
      unit: 'us',
      ours: many,
      limit: few,
      limitName: 'the same with 10 hosts',
      goal: '<= 20 us, flat +-20 %',
    },
  ];
}

const job = process.env['BENCH_JOB'];
Reflect.deleteProperty(process.env, 'BENCH_JOB');
if (job === 'queued') await queued();
else if (job === 'piscina') await piscina();
