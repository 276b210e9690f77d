// Values of many parts: read where they belong, over every kind of connection, cut and gone on with.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Runtime, type Task, type TaskRef } from '../../src/kernel/index.ts';
import { PartReceiver } from '../../src/kernel/sessions/transfer.ts';
import { seededBytes, seededRandom } from '../../src/testing/index.ts';
import { tcpNetwork } from '../../src/transport/index.ts';
import { ByteWriter, KIND, transfer } from '../../src/wire/index.ts';
import { tempFolder } from '../support/processes.ts';

const SECRET = 'the secret of the tests of large values';
const VALUES = 24;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A proxy before a runtime that cuts `cuts` connections in the middle of what goes through them. */
async function cutting(
  target: NetConnectOpts,
  own: string | undefined,
  cuts: number,
): Promise<{ at: string; cut(): number; close(): Promise<void> }> {
  const random = seededRandom(5);
  const sockets = new Set<Socket>();
  let count = 0;
  const proxy = createServer((near) => {
    const far = connect(target);
    let left = count < cuts ? 200_000 + Math.floor(random() * 2_500_000) : Number.POSITIVE_INFINITY;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        to.write(chunk.subarray(0, left));
        if (left > 0 && chunk.length >= left) {
          count++;
          setImmediate(() => near.destroy());
        }
        left = Math.max(0, left - chunk.length);
        if (to.writableNeedDrain) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    }
  });
  await new Promise<void>((resolve) => (own ? proxy.listen(own, resolve) : proxy.listen(0, '127.0.0.1', resolve)));
  return {
    at: own ? `unix://${own}` : `tcp://127.0.0.1:${(proxy.address() as { port: number }).port}`,
    cut: () => count,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => proxy.close(() => resolve()));
    },
  };
}

for (const given of [
  { name: 'tcp', encrypt: 'auto', cuts: 20 },
  { name: 'tcp with TLS', encrypt: 'always', cuts: 10 },
  { name: 'a unix socket', encrypt: 'auto', cuts: 20 },
] as const) {
  test(`over ${given.name} large values and small ones between their parts arrive whole, both ways, while the connection is cut in the middle of them`, async (t) => {
    const folder = tempFolder(t);
    const unix = given.name === 'a unix socket';
    const { encrypt } = given;
    const a = await Runtime.start({
      name: 'a',
      listen: unix ? `unix://${join(folder, 'a')}` : 'tcp://127.0.0.1:0',
      secret: SECRET,
      encrypt,
    });
    const b = await Runtime.start({ name: 'b', secret: SECRET, encrypt });
    const target = unix ? { path: join(folder, 'a') } : { port: tcpNetwork.parse(a.locations[0]!).port, host: '127.0.0.1' };
    const proxy = await cutting(target, unix ? join(folder, 'proxy') : undefined, given.cuts);
    t.after(async () => {
      await b.close();
      await a.close();
      await proxy.close();
    });
    const random = seededRandom(17);
    const bytes = seededBytes(random);
    const block = Buffer.from(bytes(3 << 20));
    const values = Array.from({ length: VALUES }, (_, i) => {
      const size = 1 + Math.floor(random() * 3 * (1 << 20));
      return { n: i, data: i % 2 ? new Uint8Array(block.subarray(0, size)) : Buffer.from(block.subarray(block.length - size)) };
    });
    const hashes = values.map(({ data }) => hashOf(data));
    const takeLarge = async (self: Task<{ n: number; data: Uint8Array }>): Promise<number> => {
      let n = 0;
      for await (const value of self) {
        assert.equal(value.n, n % VALUES);
        assert.equal(hashOf(value.data), hashes[n++ % VALUES]);
      }
      return n;
    };
    const takeSmall = async (self: Task<number>): Promise<number> => {
      let n = 0;
      for await (const value of self) assert.equal(value, n++);
      return n;
    };
    const at = (runtime: Runtime, addresses: string[], other: Runtime, ref: TaskRef<never, number>): TaskRef<any, number> =>
      runtime.kernel.references.remote({ ...(other.kernel.references.replace(ref)!.payload as object), addresses } as never) as never;
    await b.connect(proxy.at);
    const pairs = [
      { large: at(b, [proxy.at], a, a.spawn(takeLarge) as never), small: at(b, [proxy.at], a, a.spawn(takeSmall) as never) },
      { large: at(a, [], b, b.spawn(takeLarge) as never), small: at(a, [], b, b.spawn(takeSmall) as never) },
    ];
    let done = 0;
    const flow = async ({ large, small }: (typeof pairs)[number]): Promise<[number, number]> => {
      let sent = 0;
      let counted = 0;
      for (; sent < VALUES || proxy.cut() < given.cuts; ) {
        for (let i = 0; i < 50; i++) if (!small.send(counted++)) await small.room();
        if (!large.send(values[sent++ % VALUES])) await large.room();
      }
      large.close();
      small.close();
      const got = await Promise.all([large.result, small.result]);
      done++;
      assert.deepEqual(got, [sent, counted]);
      return got;
    };
    const got = await Promise.all(pairs.map(flow));
    assert.equal(done, 2);
    assert.ok(proxy.cut() >= given.cuts);
    t.diagnostic(`${proxy.cut()} cuts; ${got.join(' and ')} values`);
  });
}

test('what is sent to others passes between the parts of a large value, on every kind of connection', async (t) => {
  for (const listen of ['tcp://127.0.0.1:0', `unix://${join(tempFolder(t), 'a')}`]) {
    const a = await Runtime.start({ listen, secret: SECRET });
    const b = await Runtime.start({ secret: SECRET });
    t.after(async () => {
      await b.close();
      await a.close();
    });
    await b.connect(a.locations[0]!);
    const order: string[] = [];
    const note = (name: string) => async (self: Task<unknown>) => {
      for await (const _ of self) order.push(name);
    };
    const ref = (task: TaskRef<unknown, void>): TaskRef<unknown, void> =>
      b.kernel.references.remote({ ...(a.kernel.references.replace(task)!.payload as object) } as never) as never;
    const large = ref(a.spawn(note('large')));
    const small = ref(a.spawn(note('small')));
    const sent = Buffer.alloc(48 << 20, 1);
    large.send(sent);
    for (let i = 0; i < 10; i++) small.send(i);
    await large.deliver(0);
    assert.deepEqual(
      order.slice(0, 10),
      Array.from({ length: 10 }, () => 'small'),
    );
    assert.deepEqual(order.slice(10), ['large', 'large']);
  }
});

test('bytes that are given away arrive as they were, in every place of a message and through cuts, and are empty at their sender', async (t) => {
  const a = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: SECRET });
  const b = await Runtime.start({ secret: SECRET });
  const proxy = await cutting({ port: tcpNetwork.parse(a.locations[0]!).port, host: '127.0.0.1' }, undefined, 10);
  t.after(async () => {
    await b.close();
    await a.close();
    await proxy.close();
  });
  const bytes = seededBytes(seededRandom(23));
  const block = Buffer.from(bytes(2 << 20));
  const fresh = (from: number, length: number): Uint8Array => new Uint8Array(block).slice(from, from + length);
  await b.connect(proxy.at);
  let heard = 0;
  const task = a.spawn(async (self: Task<{ n: number; first: Uint8Array; text: string; floats: Float64Array; again: Uint8Array }>) => {
    for await (const { n, first, text, floats, again } of self) {
      assert.equal(n, heard++);
      assert.equal(text, `text ${n}`);
      assert.ok(block.subarray(n, n + 700_001).equals(first));
      assert.ok(block.subarray(8, 8 + 400_000).equals(Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength)));
      assert.equal(hashOf(again), hashOf(first.subarray(100_000)));
    }
    return heard;
  });
  const to = b.kernel.references.remote({
    ...(a.kernel.references.replace(task)!.payload as object),
    addresses: [proxy.at],
  } as never) as unknown as TaskRef<object, number>;
  let sent = 0;
  for (; sent < 30 || proxy.cut() < 10; sent++) {
    const first = transfer(fresh(sent % 1_000, 700_001));
    const floats = transfer(new Float64Array(fresh(8, 400_000).buffer));
    const again = transfer(first.subarray(100_000));
    if (sent === 1_000) break;
    if (!to.send({ n: sent, first, text: `text ${sent}`, floats, again })) await to.room();
    assert.deepEqual([first.length, floats.length, again.length], [0, 0, 0]);
  }
  to.close();
  assert.equal(await to.result, sent);
  const kept = transfer(fresh(0, 500_000));
  assert.throws(() => to.send({ kept, no: () => {} }), { code: 'ERR_WIRE_CANNOT_TRAVEL' });
  assert.equal(kept.length, 500_000, 'what is refused is not given away');
});

test('a peer that announces more than it sends gets no memory for it', () => {
  const receiver = new PartReceiver();
  const part = (id: number, total: number): Buffer => {
    const head = new ByteWriter(Buffer.alloc(64));
    head.varint(id);
    head.byte(1);
    head.byte(KIND.MESSAGE);
    head.varint(total);
    return head.buffer.subarray(0, head.position);
  };
  const before = process.memoryUsage().arrayBuffers;
  for (let id = 1; id <= 1_024; id++) {
    const bytes = part(id, 1 << 30);
    receiver.take(100, Buffer.concat([bytes, Buffer.alloc(10)]), 0, bytes.length + 10);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 80 << 20);
  const more = part(2_000, 1);
  assert.throws(() => receiver.take(100, more, 0, more.length), { code: 'ERR_WIRE_LIMIT' });
});
