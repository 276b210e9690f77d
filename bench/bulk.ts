// How many bytes a second go over one link in messages of 1 MiB?
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Runtime, type Task, type TaskRef } from 'flotilla';
import { median, peer, type Row, role, times } from './support/measure.ts';

const MIB = 1 << 20;
const COUNT = 2_000;
const SECRET = 'bench';

async function runtimePeer(encrypt: 'auto' | 'always'): Promise<void> {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: SECRET, encrypt });
  runtime.spawn(async (self: Task<Uint8Array>) => {
    let bytes = 0;
    for await (const part of self) bytes += part.length;
    return bytes;
  });
  process.send?.(runtime.locations[0]);
}

async function ours(encrypt: 'auto' | 'always'): Promise<number> {
  const other = peer(import.meta.url, encrypt);
  const address = await other.said<string>();
  const runtime = await Runtime.start({ secret: SECRET, encrypt });
  const id = await runtime.connect(address);
  const sink = runtime.kernel.references.remote({ runtime: id, number: 64, name: 'sink', addresses: [address] }) as TaskRef<Uint8Array>;
  const part = new Uint8Array(MIB).fill(7);
  const rates = await times(3, async () => {
    const started = performance.now();
    for (let i = 0; i < COUNT; i++) if (!sink.send(part)) await sink.room();
    await sink.deliver(part.subarray(0, 1));
    return (COUNT * MIB) / 1e6 / ((performance.now() - started) / 1_000);
  });
  await runtime.close();
  other.end();
  return median(rates);
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
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
}

async function raw(): Promise<number> {
  const other = peer(import.meta.url, 'raw');
  const socket = connect(await other.said<number>(), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const part = Buffer.alloc(MIB, 7);
  const rates = await times(3, async () => {
    const started = performance.now();
    const done = new Promise((resolve) => socket.once('data', resolve));
    for (let i = 0; i < COUNT; i++) if (!socket.write(part)) await new Promise((resolve) => socket.once('drain', resolve));
    await done;
    return (COUNT * MIB) / 1e6 / ((performance.now() - started) / 1_000);
  });
  socket.destroy();
  other.end();
  return median(rates);
}

export async function bench(): Promise<Row[]> {
  const limit = await raw();
  const limitName = 'raw tcp, 1 MiB writes';
  return [
    { name: 'bulk, 1 MiB messages, plain', unit: 'MB/s', ours: await ours('auto'), limit, limitName, goal: '>= 0.7' },
    { name: 'bulk, 1 MiB messages, TLS', unit: 'MB/s', ours: await ours('always'), limit, limitName, goal: '(TLS-PSK itself: 0.8 GB/s)' },
  ];
}

if (role === 'raw') rawPeer();
else if (role !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) await runtimePeer(role as 'auto' | 'always');
