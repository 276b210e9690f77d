// What does calling a function on a worker process cost: alone, a thousand at once, and in a map?
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client } from 'flotilla';
import { empty } from './support/empty.ts';
import { median, peer, percentile, type Row, role, times } from './support/measure.ts';

const IDLE = 10_000;
const FLIGHT = 1_000;
const CALLS = 400_000;
const ITEMS = 2_000_000;
const WORKERS = 2;

interface Pool {
  run(value: unknown): Promise<unknown>;
  destroy(): Promise<void>;
}

// By a name that the compiler does not follow: the peer's own types do not compile under our strictness.
const PEER: string = 'piscina';

const file = fileURLToPath(import.meta.url);

async function idle(client: Client): Promise<number> {
  const trips: number[] = [];
  for (let i = 0; i < IDLE; i++) {
    const started = performance.now();
    await client.run(empty, i);
    trips.push((performance.now() - started) * 1_000);
  }
  return percentile(trips.slice(IDLE / 5), 0.5);
}

async function inFlight(run: (n: number) => Promise<unknown>, calls: number, flight = FLIGHT): Promise<number> {
  const started = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: flight }, async () => {
      while (next < calls) await run(next++);
    }),
  );
  return calls / ((performance.now() - started) / 1_000);
}

// The limit for calls: two forked processes, messages gathered per turn, answers matched by hand.
async function byHand(): Promise<number> {
  const pool = Array.from({ length: WORKERS }, () => fork(file, ['echo']));
  const waiting = new Map<number, (value: unknown) => void>();
  const gathered: number[][] = pool.map(() => []);
  let scheduled = false;
  for (const child of pool) {
    child.on('message', (answers: [number, number][]) => {
      for (const [id, value] of answers) {
        waiting.get(id)?.(value);
        waiting.delete(id);
      }
    });
  }
  const flush = (): void => {
    scheduled = false;
    for (const [i, ids] of gathered.entries()) if (ids.length > 0) (pool[i] as ChildProcess).send(ids.splice(0));
  };
  let id = 0;
  const run = (_n: number): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.set(id, resolve);
      gathered[id % WORKERS]?.push(id++);
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    });
  await inFlight(run, 20_000);
  const rates = await times(3, () => inFlight(run, CALLS));
  for (const child of pool) child.kill();
  return median(rates);
}

async function rawTrip(): Promise<number> {
  const other = peer(import.meta.url, 'ping');
  const socket = connect(await other.said<number>(), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.setNoDelay(true);
  const trips: number[] = [];
  const ping = Buffer.alloc(100, 1);
  for (let n = 0; n < IDLE; n++) {
    const started = performance.now();
    const back = new Promise((resolve) => socket.once('data', resolve));
    socket.write(ping);
    await back;
    trips.push((performance.now() - started) * 1_000);
  }
  socket.destroy();
  other.end();
  return percentile(trips.slice(IDLE / 5), 0.5);
}

function* numbers(count: number): Generator<number, void, void> {
  for (let i = 0; i < count; i++) yield i;
}

async function mapRate(client: Client): Promise<number> {
  const started = performance.now();
  let n = 0;
  for await (const _ of client.map(empty, numbers(ITEMS), { window: 65_536 })) n++;
  return n / ((performance.now() - started) / 1_000);
}

async function idlePair(): Promise<{ ours: number; raw: number }> {
  const raw = await rawTrip();
  const client = await Client.connect({ scheduler: 'local', workers: 1 });
  await idle(client);
  const ours = await idle(client);
  await client.close();
  return { ours, raw };
}

// The same by a pool of threads.
async function byPiscina(): Promise<{ flight: number; trips: number[] }> {
  const { Piscina } = (await import(PEER)) as { Piscina: new (options: object) => Pool };
  const piscina = new Piscina({
    filename: new URL('./support/empty.js', import.meta.url).href,
    name: 'empty',
    minThreads: WORKERS,
    maxThreads: WORKERS,
    concurrentTasksPerWorker: 16,
  });
  await inFlight((n) => piscina.run(n), 20_000);
  const flight = await inFlight((n) => piscina.run(n), 100_000);
  const trips: number[] = [];
  for (let i = 0; i < IDLE / 2; i++) {
    const started = performance.now();
    await piscina.run(i);
    trips.push((performance.now() - started) * 1_000);
  }
  await piscina.destroy();
  return { flight, trips };
}

export async function bench(): Promise<Row[]> {
  const { ours: alone, raw } = await idlePair();
  const pinned = spawnSync('taskset', ['-c', '0', process.execPath, file, 'idle'], {
    encoding: 'utf8',
    env: { ...process.env, BENCH_IDLE: '1' },
  });
  const client = await Client.connect({ scheduler: 'local', workers: WORKERS });
  await inFlight((n) => client.run(empty, n), 50_000);
  const flight = median(await times(3, () => inFlight((n) => client.run(empty, n), CALLS)));
  const flight64 = median(await times(3, () => inFlight((n) => client.run(empty, n), CALLS / 4, 64)));
  await mapRate(client);
  const map = median(await times(3, () => mapRate(client)));
  await client.close();
  const hand = await byHand();
  const { flight: piscinaFlight, trips: piscinaTrips } = await byPiscina();
  const rows: Row[] = [
    {
      name: 'run, idle, p50',
      unit: 'us',
      ours: alone,
      limit: raw,
      limitName: 'raw tcp ping-pong',
      goal: '<= 1.9',
      peer: `piscina (threads) ${percentile(piscinaTrips, 0.5).toFixed(0)} us`,
    },
    {
      name: 'run, 1,000 in flight',
      unit: '/s',
      ours: flight,
      limit: hand,
      limitName: 'fork pool by hand, gathered per turn',
      goal: '>= 400 k/s',
      peer: `piscina (threads) ${(piscinaFlight / 1e3).toFixed(0)} k/s`,
    },
    {
      name: 'run, 64 in flight',
      unit: '/s',
      ours: flight64,
      limit: hand,
      limitName: 'fork pool by hand, 1,000 in flight',
      goal: '>= 150 k/s',
    },
    {
      name: 'map over trivial items',
      unit: '/s',
      ours: map,
      limit: hand,
      limitName: 'fork pool by hand, gathered per turn',
      goal: '>= 1.5 M/s',
    },
  ];
  try {
    const { ours, raw: rawPinned } = JSON.parse(pinned.stdout) as { ours: number; raw: number };
    rows.splice(1, 0, {
      name: 'run, idle, p50, one core',
      unit: 'us',
      ours,
      limit: rawPinned,
      limitName: 'raw tcp ping-pong, one core',
      goal: '<= 2.7',
    });
  } catch {
    // no taskset on this system
  }
  return rows;
}

if (process.env['BENCH_IDLE'] && process.argv[2] === 'idle') {
  Reflect.deleteProperty(process.env, 'BENCH_IDLE');
  process.stdout.write(JSON.stringify(await idlePair()));
} else if (role === 'echo') process.on('message', (ids: number[]) => process.send?.(ids.map((id) => [id, id])));
else if (role === 'ping') {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => socket.write(chunk));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
}
