// A session whose connections break at random bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeEnvironment, Runtime, type Task, type TaskRef } from '../../src/kernel/index.ts';
import { leakGate, seededRandom } from '../../src/testing/index.ts';
import { type Conn, type ConnHandler, type Network, tcpNetwork } from '../../src/transport/index.ts';

const CUTS = 1_000;
const MESSAGES = 100_000;

const hearing = (handler: ConnHandler): ConnHandler => ({
  data: (chunk) => handler.data(chunk),
  drain: () => handler.drain(),
  closed: (error) => handler.closed(error),
});

test(`${MESSAGES} numbered messages flow both ways while the connection is cut ${CUTS} times at random bytes: none lost, doubled or out of order`, async (t) => {
  const gate = leakGate();
  const random = seededRandom(99);
  const a = await Runtime.start({ name: 'a', listen: 'tcp://127.0.0.1:0', secret: 's' });
  let cuts = 0;
  // Each connection breaks after so many bytes, in either direction.
  const breaking = (conn: Conn): Conn => {
    let left = cuts < CUTS ? 600 + Math.floor(random() * 1_400) : Number.POSITIVE_INFINITY;
    const start = conn.start.bind(conn);
    const write = conn.write.bind(conn);
    const passes = (bytes: Uint8Array): Buffer => {
      const whole = bytes.length < left;
      const passed = Buffer.from(bytes.subarray(0, left));
      if (!whole && left > 0) {
        cuts++;
        setImmediate(() => conn.destroy());
      }
      left = whole ? left - bytes.length : 0;
      return passed;
    };
    return Object.assign(conn, {
      start: (handler: ConnHandler) => start({ ...hearing(handler), data: (chunk) => handler.data(passes(chunk)) }),
      write: (bytes: Uint8Array) => write(passes(bytes)),
    });
  };
  const network: Network = { ...tcpNetwork, dial: async (address, options) => breaking(await tcpNetwork.dial(address, options)) };
  const b = await Runtime.start({ name: 'b', secret: 's' }, { ...nodeEnvironment(), networks: { tcp: network } });
  const address = a.locations[0]!;

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
  await b.connect(address); // early cuts may fall into the very first handshake
  const bOfA = a.kernel.references.remote({ ...b.kernel.references.replace(atB)!.payload }) as TaskRef<number, number>;
  const aOfB = b.kernel.references.remote({ ...a.kernel.references.replace(atA)!.payload, addresses: [address] }) as TaskRef<
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
  await gate();
});
