// How many bytes a second go over one link in messages of 1 MiB, over tcp, TLS and a unix socket?
//
// What is sent rotates over 64 MiB: one source used again and again would measure the cache.
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Runtime, type Task, type TaskRef, transfer } from 'flotilla';
import { median, peer, type Row, role } from './support/measure.ts';

const MIB = 1 << 20;
const COUNT = 1_000;
const SOURCES = 64;
const ROUNDS = 5;
const SECRET = 'the secret of the benches';

/** Sends COUNT messages; resolves when all have arrived. */
interface Sender {
  prepare?(): Promise<void>;
  send(): Promise<void>;
  end(): Promise<void>;
}

const sources = (count = SOURCES): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.allocUnsafeSlow(MIB).fill(i + 1));

async function runtimePeer(encrypt: 'auto' | 'always'): Promise<void> {
  const runtime = await Runtime.start({ listen: process.env['BENCH_AT'] as string, secret: SECRET, encrypt });
  runtime.spawn(async (self: Task<Uint8Array>) => {
    let bytes = 0;
    for await (const part of self) bytes += part.length;
    return bytes;
  });
  process.send?.(runtime.locations[0]);
}

async function ours(at: string, encrypt: 'auto' | 'always', give = false): Promise<Sender> {
  const other = peer(import.meta.url, encrypt, { BENCH_AT: at });
  const address = await other.said<string>();
  const runtime = await Runtime.start({ secret: SECRET, encrypt });
  const id = await runtime.connect(address);
  const sink = runtime.kernel.references.remote({ runtime: id, number: 64, name: 'sink', addresses: [address] }) as TaskRef<Uint8Array>;
  let parts = sources();
  return {
    async prepare() {
      if (give) parts = sources(COUNT);
    },
    async send() {
      for (let i = 0; i < COUNT; i++) {
        const part = parts[i % parts.length] as Buffer;
        if (!sink.send(give ? transfer(part) : part)) await sink.room();
      }
      await sink.deliver(new Uint8Array(1));
    },
    async end() {
      await runtime.close();
      other.end();
    },
  };
}

function rawPeer(): void {
  const server = createServer((socket) => {
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes >= COUNT * MIB) {
        bytes -= COUNT * MIB;
        socket.write('x');
      }
    });
  });
  const path = process.env['BENCH_AT'];
  if (path) server.listen(path, () => process.send?.(path));
  else server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
}

async function raw(path = ''): Promise<Sender> {
  const other = peer(import.meta.url, 'raw', { BENCH_AT: path });
  const at = await other.said<number | string>();
  const socket: Socket = typeof at === 'string' ? connect(at) : connect(at, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const parts = sources();
  return {
    async send() {
      const done = new Promise((resolve) => socket.once('data', resolve));
      for (let i = 0; i < COUNT; i++)
        if (!socket.write(parts[i % SOURCES] as Buffer)) await new Promise((resolve) => socket.once('drain', resolve));
      await done;
    },
    async end() {
      socket.destroy();
      other.end();
    },
  };
}

// By turns, so that what else the machine does meets both.
async function compare(limit: Sender, sender: Sender): Promise<{ limit: number; ours: number }> {
  const rates: Record<'limit' | 'ours', number[]> = { limit: [], ours: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, one] of [
      ['limit', limit],
      ['ours', sender],
    ] as const) {
      await one.prepare?.();
      const started = performance.now();
      await one.send();
      rates[name].push((COUNT * MIB) / 1e6 / ((performance.now() - started) / 1_000));
    }
  }
  await limit.end();
  await sender.end();
  return { limit: median(rates.limit), ours: median(rates.ours) };
}

const TCP = 'tcp://127.0.0.1:0';
const socketPath = (name: string): string => join(tmpdir(), `flotilla-bench-${name}-${process.pid}.sock`);

export async function bench(): Promise<Row[]> {
  const unit = 'MB/s';
  const tcp = { limitName: 'raw tcp, 1 MiB writes', unit };
  const plain = await compare(await raw(), await ours(TCP, 'auto'));
  const unix = await compare(await raw(socketPath('raw')), await ours(`unix://${socketPath('ours')}`, 'auto'));
  const given = await compare(await raw(), await ours(TCP, 'auto', true));
  const tls = await compare(await raw(), await ours(TCP, 'always'));
  return [
    { name: 'bulk, 1 MiB messages, plain', ...plain, ...tcp, goal: '>= 0.7' },
    { name: 'bulk, 1 MiB messages, unix socket', ...unix, unit, limitName: 'raw unix socket, 1 MiB writes', goal: '>= 0.7' },
    { name: 'bulk, 1 MiB messages, given away', ...given, ...tcp, goal: '>= 0.7' },
    { name: 'bulk, 1 MiB messages, TLS', ...tls, ...tcp, goal: '(TLS-PSK itself: 0.8 GB/s)' },
  ];
}

if (role === 'raw') rawPeer();
else if (role !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) await runtimePeer(role as 'auto' | 'always');
