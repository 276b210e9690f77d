// How long does one request after another take over a unix socket, each end on a core of its own?
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Runtime, service, type Task } from 'flotilla';
import { percentile, type Row, role } from './support/measure.ts';

const secret = 'the secret of the benches';
const BLOCKS = 40;
const IN_BLOCK = 500;
const BYTES = 40;
const file = fileURLToPath(import.meta.url);
const add = service('add', (_self: Task<never>, a: number, b: number) => a + b);

interface Trips {
  readonly raw: number[];
  readonly ours: number[];
}

// A part of this bench on a core of its own, where the system can do that.
function pinned(part: string, core: number, env: Record<string, string> = {}): ReturnType<typeof fork> {
  const { NODE_EXTRA_CA_CERTS: _slow, ...rest } = process.env;
  const pins = spawnSync('taskset', ['-c', String(core), 'true']).status === 0;
  const how = pins ? { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] } : {};
  return fork(file, [part], { ...how, env: { ...rest, ...env } });
}

async function answers(): Promise<void> {
  const folder = process.env['BENCH_AT'] as string;
  const runtime = await Runtime.start({ listen: `unix://${folder}-ours`, secret });
  runtime.serve(add);
  const server = createServer((socket) => socket.on('data', (chunk) => socket.write(chunk)));
  server.listen(`${folder}-raw`, () => process.send?.('ready'));
}

async function asks(): Promise<void> {
  const at = join(tmpdir(), `flotilla-bench-${process.pid}`);
  const other = pinned('answers', 1, { BENCH_AT: at });
  await once(other, 'message');
  const runtime = await Runtime.start({ secret, seeds: [`unix://${at}-ours`] });
  const ref = await runtime.locate(add);
  const socket = connect(`${at}-raw`);
  await once(socket, 'connect');
  const ping = Buffer.alloc(BYTES);
  const ways = {
    raw: () => {
      const back = new Promise((resolve) => socket.once('data', resolve));
      socket.write(ping);
      return back;
    },
    ours: () => ref.call(1, 2),
  };
  const trips: Trips = { raw: [], ours: [] };
  for (let block = 0; block < BLOCKS; block++) {
    for (const [way, ask] of Object.entries(ways) as ['raw' | 'ours', () => Promise<unknown>][]) {
      for (let i = 0; i < IN_BLOCK; i++) {
        const started = performance.now();
        await ask();
        if (block >= BLOCKS / 4) trips[way].push((performance.now() - started) * 1_000);
      }
    }
  }
  await runtime.close();
  other.kill('SIGKILL');
  process.send?.(trips);
}

/** The rows of this bench. */
export async function bench(): Promise<Row[]> {
  const asking = pinned('asks', 0);
  const [{ raw, ours }] = (await once(asking, 'message')) as [Trips];
  asking.kill('SIGKILL');
  const limitName = 'raw unix socket ping-pong, each end on its core';
  const row = (share: number): Pick<Row, 'unit' | 'ours' | 'limit' | 'limitName'> => ({
    unit: 'us',
    ours: percentile(ours, share),
    limit: percentile(raw, share),
    limitName,
  });
  return [
    { name: 'request over a unix socket p50, one after another', ...row(0.5), goal: '<= 1.3' },
    { name: 'request over a unix socket p99, one after another', ...row(0.99), goal: '' },
  ];
}

if (process.argv[1] === file) {
  if (role === 'answers') await answers();
  else if (role === 'asks') await asks();
}
