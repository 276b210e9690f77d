// A session through a proxy that cuts the connection at random bytes.
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { Runtime, type Task, type TaskRef } from '../../src/kernel/index.ts';
import { leakGate, seededRandom } from '../../src/testing/index.ts';
import { parseAddress } from '../../src/transport/index.ts';

const CUTS = 1_000;
const MESSAGES = 100_000;

test(`${MESSAGES} numbered messages flow both ways while the connection is cut ${CUTS} times at random bytes: none lost, doubled or out of order`, async (t) => {
  const gate = leakGate();
  const random = seededRandom(99);
  const a = await Runtime.start({ name: 'a', listen: 'tcp://127.0.0.1:0', secret: 's' });
  const { port } = parseAddress(a.locations[0]!);
  let cuts = 0;
  const pairs = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let left = cuts < CUTS ? 600 + Math.floor(random() * 1_400) : Number.POSITIVE_INFINITY;
    const cut = (): void => {
      if (!near.destroyed && left <= 0) cuts++;
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      pairs.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        if (chunk.length >= left) {
          to.write(chunk.subarray(0, left));
          left = 0;
          setImmediate(cut);
          return;
        }
        left -= chunk.length;
        to.write(chunk);
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const proxied = `tcp://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  const b = await Runtime.start({ name: 'b', secret: 's' });

  const count = async (self: Task<number>): Promise<number> => {
    let expected = 0;
    for await (const n of self) {
      if (n !== expected) throw new Error(`${n} came where ${expected} was due`);
      expected++;
    }
    return expected;
  };
  const atA = a.spawn(count);
  const atB = b.spawn(count);
  // Early cuts may fall into the very first handshake: connecting is then tried again, as a program would.
  for (;;) {
    try {
      await b.connect(proxied);
      break;
    } catch (error) {
      assert.match((error as { code: string }).code, /^ERR_LINK_/);
    }
  }
  const bOfA = a.kernel.references.remote({ ...b.kernel.references.replace(atB)!.payload }) as TaskRef<number, number>;
  const aOfB = b.kernel.references.remote({ ...a.kernel.references.replace(atA)!.payload, addresses: [proxied] }) as TaskRef<
    number,
    number
  >;
  const send = async (to: TaskRef<number, number>): Promise<void> => {
    for (let n = 0; n < MESSAGES || cuts < CUTS; n++) {
      if (n % 500 === 0) await to.deliver(n);
      else if (!to.send(n)) await to.room();
    }
  };
  await Promise.all([send(bOfA), send(aOfB)]);
  bOfA.close();
  aOfB.close();
  const [gotA, gotB] = await Promise.all([aOfB.result, bOfA.result]);
  assert.ok(gotA >= MESSAGES && gotB >= MESSAGES);
  assert.ok(cuts >= CUTS * 0.99, `${cuts} cuts`);
  t.diagnostic(`${cuts} cuts; ${gotA} and ${gotB} messages`);
  await b.close();
  await a.close();
  for (const socket of pairs) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
  await gate();
});
