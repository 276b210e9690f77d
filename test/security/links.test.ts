// What those can do who stand between two runtimes, or who share their secret and would be one of them.
import assert from 'node:assert/strict';
import { readlinkSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Runtime, realClock, realRandom, type Task } from '../../src/kernel/index.ts';
import { type Conn, Doorkeeper, greetAsDialer, Identity, Keys, Link, tcpNetwork } from '../../src/transport/index.ts';
import { encodeValue, KIND } from '../../src/wire/index.ts';
import { tempFolder } from '../support/processes.ts';
import { machines, refIn } from '../support/worlds.ts';

interface Relay {
  readonly port: number;
  /** All that passed, both ways. */
  seen(): Buffer;
  close(): void;
}

// Takes connections on loopback and passes all on; knows no secret.
async function relayTo(port: number, change: (bytes: Buffer) => Buffer = (bytes) => bytes): Promise<Relay> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {}).on('close', () => to.destroy());
      from.on('data', (bytes: Buffer) => {
        chunks.push(bytes);
        to.write(change(bytes));
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    seen: () => Buffer.concat(chunks),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('a relay on loopback that knows no secret reads nothing: where the ends differ, the link is encrypted', async () => {
  const secret = 'the secret of two on one machine';
  const a = await Runtime.start({ secret, name: 'the name of a', listen: 'tcp://127.0.0.1:0', logLevel: 'silent' });
  const b = await Runtime.start({ secret, name: 'the name of b', logLevel: 'silent' });
  const relay = await relayTo(tcpNetwork.parse(a.location as string).port);
  await b.connect(`tcp://127.0.0.1:${relay.port}`);
  const sink = a.spawn(async (self: Task<string>) => self.receive());
  await refIn(b, a, sink).deliver('a message between the two');
  assert.equal(await sink.result, 'a message between the two');
  for (const text of ['a message between', 'the name of'])
    assert.ok(!relay.seen().includes(text), `'${text}' is not readable for the relay`);
  await Promise.all([a.close(), b.close()]);
  relay.close();
});

test('the ends of a plain connection know the same of it: their addresses, and the network that they are in', async () => {
  let accepted!: (conn: Conn) => void;
  const arriving = new Promise<Conn>((resolve) => {
    accepted = resolve;
  });
  const keys = new Keys(Buffer.from('s'));
  const options = { door: new Doorkeeper(realClock), findKey: () => undefined, onFailure() {} };
  const listening = await tcpNetwork.listen(tcpNetwork.parse('tcp://127.0.0.1:0'), (conn) => accepted(conn), options);
  const dialled = await tcpNetwork.dial(listening.address, { timeoutMs: 2_000, psk: keys.psk, encrypt: 'auto' });
  dialled.write(Buffer.from('x'));
  const there = await arriving;
  assert.equal(dialled.binding('dialer'), there.binding('listener'));
  assert.notEqual(dialled.binding('dialer'), there.binding('dialer'));
  assert.ok(String(dialled.binding('dialer')).includes(`127.0.0.1 ${listening.address.port}`));
  if (process.platform === 'linux') assert.ok(String(there.binding('listener')).includes(readlinkSync('/proc/self/ns/net')));
  dialled.destroy();
  there.destroy();
  await listening.close();
});

test('a unix socket can be opened by its user only', { skip: process.platform === 'win32' }, async (t) => {
  const path = join(tempFolder(t), 'socket');
  const runtime = await Runtime.start({ secret: 'a secret of enough bytes', listen: `unix://${path}`, logLevel: 'silent' });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await runtime.close();
});

test('a relay on loopback that changes what passes gets no link, nor one that answers for the other', async () => {
  const secret = 'the secret of two on one machine';
  const a = await Runtime.start({ secret, listen: 'tcp://127.0.0.1:0', logLevel: 'silent' });
  const b = await Runtime.start({ secret, logLevel: 'silent' });
  const { port } = tcpNetwork.parse(a.location as string);
  let passed = 0;
  const bent = await relayTo(port, (bytes) => {
    const copy = Buffer.from(bytes);
    passed += copy.length;
    if (passed > 300) copy[copy.length - 1]! ^= 1;
    return copy;
  });
  await assert.rejects(b.connect(`tcp://127.0.0.1:${bent.port}`, { timeout: 2_000 }), (error: { code: string }) =>
    error.code.startsWith('ERR_LINK_'),
  );
  assert.deepEqual([a.peers(), b.peers()], [[], []]);
  bent.close();
  await Promise.all([a.close(), b.close()]);
});

test('whoever has the secret and ends the encryption of both sides stands between nobody', async () => {
  const secret = 'the secret of all three';
  const a = await Runtime.start({ secret, listen: 'tcp://127.0.0.1:0', logLevel: 'silent' });
  const b = await Runtime.start({ secret, encrypt: 'always', logLevel: 'silent' });
  const keys = new Keys(Buffer.from(secret));
  const join = async (near: Conn): Promise<void> => {
    const far = await tcpNetwork.dial(tcpNetwork.parse(a.location as string), { timeoutMs: 2_000, psk: keys.psk, encrypt: 'always' });
    const pass = (to: Conn) => ({ data: (bytes: Buffer) => void to.write(Buffer.from(bytes)), drain() {}, closed: () => to.end() });
    near.start(pass(far));
    far.start(pass(near));
  };
  const options = { door: new Doorkeeper(realClock), findKey: () => keys.psk.key, onFailure() {} };
  const middle = await tcpNetwork.listen(tcpNetwork.parse('tcp://127.0.0.1:0'), (conn) => void join(conn), options);
  await assert.rejects(b.connect(`tcp://127.0.0.1:${middle.address.port}`, { timeout: 3_000 }), { code: 'ERR_LINK_WRONG_SECRET' });
  assert.deepEqual([a.peers(), b.peers()], [[], []]);
  await middle.close();
  await Promise.all([a.close(), b.close()]);
});

test("whoever has the secret and repeats another's id and its OPEN is not that other: nothing comes to it, and nothing twice", async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const got: number[] = [];
  const sink = a.spawn(async (self: Task<number>) => {
    for await (const n of self) got.push(n);
  });
  const ref = refIn(b, a, sink);
  const session = a.hub.session(b.id)!;
  const recorded = encodeValue({ token: session.token, received: 0, before: 0, name: 'a', addresses: ['mem://a:1'] });
  for (let n = 0; n < 10; n++) ref.send(n);
  await world.clock.advance(5);
  const conn = await world.wait(
    world.network
      .at('m')
      .dial(world.network.at('m').parse('mem://b:1'), { timeoutMs: 1_000, psk: a.hub.self.keys.current.psk, encrypt: 'auto' }),
  );
  const { id, publicKey } = a.hub.self.identity;
  const own = Identity.fresh(realRandom);
  const stolen = { ...a.hub.self, identity: { id, publicKey, agree: (theirs: Uint8Array) => own.agree(theirs) } }; // all but the private key
  const heard: number[] = [];
  const pretend = async (): Promise<void> => {
    const link = new Link(conn, await greetAsDialer(conn, stolen, { purpose: 'session' }));
    link.start({ frame: (kind) => void heard.push(kind), alive() {}, drain() {}, closed() {} });
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, KIND.OPEN, 0]), recorded]);
    frame.writeUInt32BE(frame.length - 4);
    link.write(frame);
  };
  const pretending = pretend();
  await world.clock.advance(100);
  for (let n = 10; n < 32; n++) ref.send(n);
  await world.clock.advance(1_000);
  await assert.rejects(pretending);
  assert.deepEqual(heard, []);
  assert.deepEqual(got, [...Array(32).keys()]);
  await world.close();
});
