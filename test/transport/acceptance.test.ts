// One suite for every transport: what it promises to those above.

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { realClock, realRandom } from '../../src/kernel/index.ts';
import { leakGate, seededRandom } from '../../src/testing/index.ts';
import {
  type Address,
  acceptAt,
  type Conn,
  Doorkeeper,
  type Greeted,
  greetAsDialer,
  Identity,
  Keyring,
  Keys,
  MemoryNetwork,
  type Network,
  type Self,
  tcpNetwork,
  unixNetwork,
} from '../../src/transport/index.ts';

interface Given {
  readonly name: string;
  readonly encrypt: 'auto' | 'always';
  network(): Network;
  readonly at: string;
}

let sockets = 0;
const TRANSPORTS: Given[] = [
  { name: 'tcp', encrypt: 'auto', network: () => tcpNetwork, at: 'tcp://127.0.0.1:0' },
  { name: 'tcp with TLS', encrypt: 'always', network: () => tcpNetwork, at: 'tcp://127.0.0.1:0' },
  {
    name: 'unix',
    encrypt: 'auto',
    network: () => unixNetwork,
    get at() {
      return `unix://${join(tmpdir(), `flotilla-${process.pid}-${sockets++}.sock`)}`;
    },
  },
  {
    name: 'memory',
    encrypt: 'auto',
    network: () => new MemoryNetwork({ clock: realClock, random: seededRandom(1) }).at('m'),
    at: 'mem://m:0',
  },
];

const self = (secret: string): Self => ({
  identity: Identity.fresh(realRandom),
  role: 'runtime',
  keys: new Keyring(Buffer.from(secret)),
  clock: realClock,
  random: realRandom,
});

interface Pair {
  readonly dialled: Conn;
  readonly accepted: Conn;
  readonly greeted: Greeted;
  readonly address: Address;
  close(): Promise<void>;
}

async function connect(given: Given, secrets: [string, string] = ['same', 'same']): Promise<Pair> {
  const network = given.network();
  const listener = self(secrets[0]);
  const dialer = self(secrets[1]);
  let accepted!: (conn: Conn) => void;
  const arriving = new Promise<Conn>((resolve) => {
    accepted = resolve;
  });
  const failures: Error[] = [];
  const listening = await acceptAt(network, network.parse(given.at), listener, {
    greeted: (conn) => accepted(conn),
    failed: (_remote, error) => failures.push(error),
  });
  try {
    const dialled = await network.dial(listening.address, { timeoutMs: 2_000, psk: dialer.keys.current.psk, encrypt: given.encrypt });
    const greeted = await greetAsDialer(dialled, dialer, { purpose: 'session', expected: listener.identity.id });
    return { dialled, greeted, accepted: await arriving, address: listening.address, close: () => listening.close() };
  } catch (error) {
    await listening.close();
    throw Object.assign(error as Error, { failures });
  }
}

const collect = (conn: Conn): { bytes: Buffer[]; closed: Promise<Error | undefined> } => {
  const bytes: Buffer[] = [];
  const closed = new Promise<Error | undefined>((resolve) =>
    conn.start({ data: (chunk) => void bytes.push(Buffer.from(chunk)), drain() {}, closed: resolve }),
  );
  return { bytes, closed };
};

for (const given of TRANSPORTS) {
  describe(`over ${given.name}`, () => {
    test('bytes arrive whole and in order, both ways, and closing is told once to each end', async () => {
      const gate = leakGate();
      const pair = await connect(given);
      const there = collect(pair.accepted);
      const here = collect(pair.dialled);
      const sent: Buffer[] = [];
      for (let i = 0; i < 200; i++) {
        const chunk = Buffer.alloc(1 + ((i * 7919) % 5_000), i);
        sent.push(chunk);
        pair.dialled.write(chunk);
        pair.accepted.write(chunk);
      }
      pair.dialled.end();
      await there.closed;
      await here.closed;
      assert.ok(Buffer.concat(there.bytes).equals(Buffer.concat(sent)));
      await pair.close();
      await gate();
    });

    test('whichever end closes, the other is told', async () => {
      const gate = leakGate();
      for (const side of ['dialled', 'accepted'] as const) {
        const pair = await connect(given);
        const there = collect(pair.accepted);
        const here = collect(pair.dialled);
        pair[side].end();
        await there.closed;
        await here.closed;
        await pair.close();
      }
      await gate();
    });

    test('long chunks are read to the place where they belong, and what is behind them is not', async () => {
      const pair = await connect(given);
      const random = seededRandom(7);
      const sent = Buffer.alloc(8 << 20);
      for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE((random() * 2 ** 32) >>> 0, i);
      const got = Buffer.alloc(sent.length);
      let filled = 0;
      let placed = 0;
      const end = (): number => (filled % (300 << 10) < 100 << 10 ? filled : Math.ceil(filled / (300 << 10)) * (300 << 10)); // every third 100 KiB is nowhere's
      const all = new Promise<void>((resolve) =>
        pair.accepted.start({
          data(chunk) {
            filled += chunk.copy(got, filled);
            if (filled === got.length) resolve();
          },
          place: () => (end() > filled ? got.subarray(filled, Math.min(end(), got.length)) : undefined),
          placed(bytes) {
            filled += bytes;
            placed += bytes;
            if (filled === got.length) resolve();
          },
          drain() {},
          closed() {},
        }),
      );
      for (let at = 0; at < sent.length; at += 100_000) pair.dialled.write(sent.subarray(at, at + 100_000));
      await all;
      assert.ok(got.equals(sent));
      if (given.name === 'tcp' || given.name === 'unix') assert.ok(placed > 0);
      pair.dialled.destroy();
      await pair.close();
    });

    test('a writer is told to wait, and when to go on', async () => {
      const pair = await connect(given);
      let drained!: () => void;
      const drain = new Promise<void>((resolve) => {
        drained = resolve;
      });
      pair.dialled.start({ data() {}, drain: () => drained(), closed() {} });
      let writes = 0;
      while (pair.dialled.write(Buffer.alloc(64 << 10)) && writes < 10_000) writes++;
      assert.ok(writes < 10_000);
      pair.accepted.start({ data() {}, drain() {}, closed() {} });
      await drain;
      pair.dialled.destroy();
      pair.accepted.destroy();
      await pair.close();
    });

    test('another secret is refused, and both sides say so', async () => {
      await assert.rejects(connect(given, ['one', 'two']), (error: any) => {
        assert.equal(error.code, 'ERR_LINK_WRONG_SECRET');
        assert.match(error.message, /flotilla secret/);
        assert.equal(error.failures[0]?.code, 'ERR_LINK_WRONG_SECRET');
        return true;
      });
    });

    test('another runtime than the one that was meant is told apart', async () => {
      const network = given.network();
      const listener = self('same');
      const listening = await acceptAt(network, network.parse(given.at), listener, { greeted() {}, failed() {} });
      const dialer = self('same');
      const conn = await network.dial(listening.address, { timeoutMs: 2_000, psk: dialer.keys.current.psk, encrypt: given.encrypt });
      await assert.rejects(greetAsDialer(conn, dialer, { purpose: 'session', expected: Identity.fresh(realRandom).id }), {
        code: 'ERR_REFERENCE_STALE',
      });
      await listening.close();
    });

    test('an address where nothing listens is unreachable, and the port of a listener is in use', async () => {
      const network = given.network();
      const keys = new Keys(Buffer.from('x'));
      const listening = await network.listen(network.parse(given.at), (conn) => conn.destroy(), {
        door: new Doorkeeper(realClock),
        findKey: () => undefined,
        onFailure() {},
      });
      await assert.rejects(
        network.listen(listening.address, () => {}, { door: new Doorkeeper(realClock), findKey: () => undefined, onFailure() {} }),
        { code: 'ERR_LINK_PORT_IN_USE' },
      );
      await listening.close();
      await assert.rejects(network.dial(listening.address, { timeoutMs: 2_000, psk: keys.psk, encrypt: given.encrypt }), {
        code: 'ERR_LINK_UNREACHABLE',
      });
    });
  });
}
