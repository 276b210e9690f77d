// What does a cluster cost: a worker's start and memory, a daemon's memory, a scheduler with ten thousand hosts?
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client } from 'flotilla';
import { emptyState, react } from '../src/cluster/index.ts';
import { SystemGround } from '../src/host/index.ts';
import { Runtime } from '../src/kernel/index.ts';
import { empty } from './support/empty.ts';
import { median, type Row, times } from './support/measure.ts';

const BIN = fileURLToPath(new URL('../../bin/flotilla.js', import.meta.url));
const SECRET = 'bench bench bench';
const QUEUED = 200_000;
const MB = 1 << 20;
const entry = fileURLToPath(new URL('../lib/worker/main.js', import.meta.url));
const { NODE_EXTRA_CA_CERTS: _slow, ...env } = process.env;

/** From asking for a worker process to its greeting, in ms. */
async function starts(spare: boolean): Promise<number> {
  const runtime = await Runtime.start({ role: 'host', secret: SECRET });
  const { environment } = runtime;
  const ground = new SystemGround({ entry, random: environment.random, variables: environment.variables, clock: environment.clock, spare });
  const home = ground.enter(runtime.id, 1);
  const took = await times(7, async () => {
    if (spare) await new Promise((resolve) => setTimeout(resolve, 700)); // until the spare is there
    const config = {
      name: 'bench/1',
      location: '',
      secret: Buffer.from(SECRET).toString('hex'),
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
    const child = ground.launch(config, home, { output() {}, untilRoom: () => undefined, ended() {} });
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

const id = (text: string): never => text as never;

/** Two clients that hold all of so many hosts. */
function fullSchedule(hosts: number): ReturnType<typeof emptyState> {
  const state = emptyState();
  for (let i = 0; i < hosts; i++)
    react(state, { kind: 'host-joined', id: id(`h${i}`), name: `h${i}`, addresses: [], workers: 16, open: true, held: [] });
  for (const name of ['a', 'b'])
    react(state, {
      kind: 'client-joined',
      id: id(name),
      name,
      wants: hosts * 8,
      weight: 1,
      exclusive: false,
      picky: false,
      now: 0,
      since: 0,
    });
  return state;
}

/** Scheduler time per grant, in us, with so many hosts of 16 workers: all granted, then given back and granted again, one by one. */
function perGrant(hosts: number): number {
  const state = fullSchedule(hosts);
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

/** Bytes of a schedule for each worker place, all of them granted. */
function schedulePerPlace(): number {
  const HOSTS = 10_000;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  const state = fullSchedule(HOSTS);
  const bytes = (heap() - before) / (HOSTS * 16);
  if (state.hosts.size !== HOSTS) throw new Error('the hosts are not there');
  return bytes;
}

/** Memory of a scheduler and a host, as processes: for each worker, and for each call that waits in a client of theirs. */
async function daemons(): Promise<{ host: number; schedulerPerCall: number; hostPerCall: number }> {
  const HOME = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const started: ChildProcess[] = [];
  const start = async (...args: string[]): Promise<{ pid: number; address: string }> => {
    const child = spawn(process.execPath, [BIN, ...args, '--daemon', '--no-discovery'], {
      env: { ...env, HOME, FLOTILLA_SECRET: SECRET },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /listens at (tcp:[^,;\s]+)/.exec(line)?.[1];
      if (address !== undefined) return { pid: child.pid as number, address };
    }
    throw new Error(`flotilla ${args.join(' ')} has ended`);
  };
  try {
    const scheduler = await start('scheduler', 'tcp://127.0.0.1:0');
    const few = 2;
    const many = 10;
    const sizes: number[] = [];
    let calls = { schedulerPerCall: Number.NaN, hostPerCall: Number.NaN };
    for (const cpus of [few, many]) {
      const host = await start('host', 'tcp://127.0.0.1:0', '--cpus', String(cpus), '--scheduler', scheduler.address);
      const client = await Client.connect({ scheduler: scheduler.address, secret: SECRET });
      while (client.workers().length < cpus) await settle(50);
      await Promise.all(client.workers().map(({ name }) => client.with({ at: name }).run(empty, 1)));
      await settle(1_000);
      sizes.push(privateMb(host.pid));
      if (cpus === few) {
        const before = [privateMb(scheduler.pid), privateMb(host.pid)] as const;
        for (const { name } of client.hosts()) client.suspendHost(name);
        for (let n = 0; n < QUEUED; n++) client.run(empty, n).catch(() => {});
        await settle(2_500); // what is counted has been reported
        const perCall = (pid: number, was: number): number => ((privateMb(pid) - was) * MB) / QUEUED;
        calls = { schedulerPerCall: perCall(scheduler.pid, before[0]), hostPerCall: perCall(host.pid, before[1]) };
      }
      await client.close({ terminate: true });
      const [child] = started.splice(-1);
      child?.kill('SIGTERM');
      await new Promise((resolve) => child?.once('close', resolve));
    }
    return { host: ((sizes[1] as number) - (sizes[0] as number)) / (many - few), ...calls };
  } finally {
    for (const child of started) child.kill('SIGTERM');
    rmSync(HOME, { recursive: true, force: true, maxRetries: 5 });
  }
}

const settle = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function bench(): Promise<Row[]> {
  const fork1 = median(await times(7, forkReady));
  const cold = await starts(false);
  const warm = await starts(true);
  const memory = await workerMemory();
  const perPlace = schedulePerPlace();
  const daemon = await daemons();
  const few = perGrant(10);
  const many = perGrant(10_000);
  return [
    { name: 'worker ready, cold', unit: 'ms', ours: cold, limit: fork1, limitName: 'fork to first message', goal: '<= 2.2' },
    { name: 'worker ready, from the spare', unit: 'ms', ours: warm, limit: 10, limitName: 'the goal itself', goal: '<= 10 ms' },
    { name: 'private memory of an idle worker', unit: 'MB', ours: memory, limit: 26, limitName: 'the goal itself', goal: '<= 26 MB' },
    {
      name: 'host memory of a worker',
      unit: 'MB',
      ours: daemon.host,
      limit: memory,
      limitName: 'the worker itself',
      goal: '',
    },
    { name: 'scheduler memory of a worker', unit: 'B', ours: perPlace, limit: 1_000, limitName: 'a round number', goal: '' },
    {
      name: 'host memory of a call queued in a client',
      unit: 'B',
      ours: Math.max(0, daemon.hostPerCall),
      limit: 500,
      limitName: 'what the client may use',
      goal: '0: it knows none',
    },
    {
      name: 'scheduler memory of a call queued in a client',
      unit: 'B',
      ours: Math.max(0, daemon.schedulerPerCall),
      limit: 500,
      limitName: 'what the client may use',
      goal: '0: it knows their number',
    },
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
