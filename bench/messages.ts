// How many small messages a second go from one task to another, between two processes, and how fast one comes back?
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Runtime, type Task, type TaskRef } from 'flotilla';
import { Packr, Unpackr } from 'msgpackr';
import { median, peer, percentile, type Row, role, times, typical } from './support/measure.ts';

const COUNT = 1_000_000;
const PINGS = 20_000;
const SECRET = 'bench';
const BATCH = 64;

async function runtimePeer(encrypt: 'auto' | 'always'): Promise<void> {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: SECRET, encrypt });
  const sink = runtime.spawn(async (self: Task<unknown>) => {
    let n = 0;
    for await (const _ of self) n++;
    return n;
  });
  const echo = runtime.spawn(async (self: Task<{ to: TaskRef<number>; n: number }>) => {
    for await (const { to, n } of self) to.send(n);
  });
  runtime.kernel.tasks.spawn(async (self: Task<TaskRef<unknown>>) => {
    for await (const to of self) {
      to.send(sink);
      to.send(echo);
    }
  }, []);
  process.send?.(runtime.locations[0]);
}

async function ours(encrypt: 'auto' | 'always'): Promise<{ rate: number; p50: number; p99: number }> {
  const other = peer(import.meta.url, encrypt);
  const address = await other.said<string>();
  const runtime = await Runtime.start({ secret: SECRET, encrypt });
  const id = await runtime.connect(address);
  const refs: unknown[] = [];
  const inbox = runtime.spawn(async (self: Task<unknown>) => {
    refs.push(await self.receive(), await self.receive());
  });
  // The door that hands out references is the third task of the peer.
  const door = runtime.kernel.references.remote({ runtime: id, number: 66, name: 'door', addresses: [address] }) as TaskRef<unknown>;
  door.send(inbox);
  await inbox.result;
  const [sink, echo] = refs as [TaskRef<unknown, number>, TaskRef<{ to: TaskRef<number>; n: number }>];
  const rates = await times(3, async () => {
    const started = performance.now();
    for (let i = 0; i < COUNT; i++) if (!sink.send(typical(i))) await sink.room();
    await sink.deliver(0);
    return COUNT / ((performance.now() - started) / 1_000);
  });
  let got: (() => void) | undefined;
  const me = runtime.spawn(async (self: Task<number>) => {
    for await (const _ of self) got?.();
  });
  const trips: number[] = [];
  for (let n = 0; n < PINGS; n++) {
    const started = performance.now();
    const back = new Promise<void>((resolve) => {
      got = resolve;
    });
    echo.send({ to: me, n });
    await back;
    trips.push((performance.now() - started) * 1_000);
  }
  await runtime.close();
  other.end();
  return { rate: median(rates), p50: percentile(trips.slice(2_000), 0.5), p99: percentile(trips.slice(2_000), 0.99) };
}

// The limit: frames batched by hand over a plain socket, msgpackr at both ends, nothing else.
function rawPeer(): void {
  const unpackr = new Unpackr({ useRecords: false });
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    let rest: Buffer = Buffer.alloc(0);
    let n = 0;
    socket.on('data', (chunk: Buffer) => {
      const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let at = 0;
      while (data.length - at >= 4) {
        const length = data.readUInt32BE(at);
        if (data.length - at - 4 < length) break;
        if (length === 1) socket.write(data.subarray(at, at + 5));
        else {
          unpackr.unpack(data.subarray(at + 4, at + 4 + length));
          if (++n % COUNT === 0) socket.write(Buffer.from([0, 0, 0, 1, 1]));
        }
        at += 4 + length;
      }
      rest = data.subarray(at);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
}

async function raw(): Promise<{ rate: number; p50: number; p99: number }> {
  const other = peer(import.meta.url, 'raw');
  const port = await other.said<number>();
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.setNoDelay(true);
  const packr = new Packr({ useRecords: false });
  const rates = await times(3, async () => {
    const started = performance.now();
    const done = new Promise((resolve) => socket.once('data', resolve));
    for (let i = 0; i < COUNT; i += BATCH) {
      const pool = Buffer.allocUnsafe(16_384);
      let at = 0;
      for (let j = 0; j < BATCH && i + j < COUNT; j++) {
        const bytes = packr.pack(typical(i + j));
        at = pool.writeUInt32BE(bytes.length, at);
        pool.set(bytes, at);
        at += bytes.length;
      }
      if (!socket.write(pool.subarray(0, at))) await new Promise((resolve) => socket.once('drain', resolve));
    }
    await done;
    return COUNT / ((performance.now() - started) / 1_000);
  });
  const trips: number[] = [];
  const ping = Buffer.from([0, 0, 0, 1, 1]);
  for (let n = 0; n < PINGS; n++) {
    const started = performance.now();
    const back = new Promise((resolve) => socket.once('data', resolve));
    socket.write(ping);
    await back;
    trips.push((performance.now() - started) * 1_000);
  }
  socket.destroy();
  other.end();
  return { rate: median(rates), p50: percentile(trips.slice(2_000), 0.5), p99: percentile(trips.slice(2_000), 0.99) };
}

export async function bench(): Promise<Row[]> {
  const limit = await raw();
  const plain = await ours('auto');
  const tls = await ours('always');
  const limitName = 'raw tcp, msgpackr both ends, batched by hand';
  return [
    { name: 'one-way messages, plain', unit: '/s', ours: plain.rate, limit: limit.rate, limitName, goal: '>= 0.75' },
    { name: 'one-way messages, TLS', unit: '/s', ours: tls.rate, limit: limit.rate, limitName, goal: '>= 0.6' },
    { name: 'round trip p50, plain', unit: 'us', ours: plain.p50, limit: limit.p50, limitName: 'raw tcp ping-pong', goal: '<= 1.3' },
    { name: 'round trip p99, plain', unit: 'us', ours: plain.p99, limit: limit.p99, limitName: 'raw tcp ping-pong', goal: '' },
    { name: 'round trip p50, TLS', unit: 'us', ours: tls.p50, limit: limit.p50, limitName: 'raw tcp ping-pong', goal: '' },
  ];
}

if (role === 'raw') rawPeer();
else if (role !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) await runtimePeer(role as 'auto' | 'always');
