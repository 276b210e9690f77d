// The known holes of systems of this kind, each tried on this one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeAnnouncement, encodeAnnouncement, LIMIT } from '../../src/discovery/index.ts';
import { nodeEnvironment, Runtime, realClock, realRandom, type Task } from '../../src/kernel/index.ts';
import { CHANNELS, FILES, NAMES, PEERS, RUNTIME, SERVICES } from '../../src/kernel/protocol.ts';
import { World } from '../../src/testing/index.ts';
import {
  acceptAt,
  type Conn,
  type ConnHandler,
  FAILING,
  Identity,
  Keyring,
  Keys,
  type Network,
  tcpNetwork,
} from '../../src/transport/index.ts';
import { decodeValue, encodeValue } from '../../src/wire/index.ts';
import { BIN, runToEnd, tempFolder } from '../support/processes.ts';
import { machines } from '../support/worlds.ts';

const signerOf = (secret: string) => {
  const keys = new Keys(Buffer.from(secret));
  return {
    ids: [keys.id],
    sign: (_id: string, bytes: Uint8Array) => keys.sign(bytes),
    verify: (id: string, bytes: Uint8Array, signature: Uint8Array) => id === keys.id && keys.verifySignature(bytes, signature),
  };
};
const hello = (secret: string, given: Partial<Parameters<typeof encodeAnnouncement>[2]> = {}): Buffer => {
  const signer = signerOf(secret);
  return encodeAnnouncement(signer, signer.ids[0]!, {
    kind: 'hello',
    id: Identity.fresh(realRandom).id,
    name: 'x',
    addresses: ['tcp://127.0.0.1:1'],
    time: Date.now(),
    nonce: Buffer.from(realRandom(8)).toString('hex'),
    answers: '0'.repeat(16),
    replyTo: '',
    pass: false,
    multicast: false,
    ...given,
  });
};

test('a program binds nothing until told to, and the loopback only if told so (workers on all interfaces)', async () => {
  const plain = await Runtime.start({ secret: 'a secret of enough bytes' });
  assert.deepEqual(plain.locations, []);
  await plain.close();
  const local = await Runtime.start({ secret: 'a secret of enough bytes', listen: 'tcp://127.0.0.1:0' });
  assert.match(local.location!, /^tcp:\/\/127\.0\.0\.1:/);
  await local.close();
});

test('datagrams from strangers are never decoded: garbage, forged, replayed and stale ones change nothing (code from one datagram)', async () => {
  const secret = 'the secret of this network';
  const signer = signerOf(secret);
  const good = hello(secret);
  assert.equal(decodeAnnouncement(signer, good).name, 'x');
  for (let i = 0; i < LIMIT; i += 7) {
    const bent = Buffer.from(good);
    bent[i]! ^= 1;
    assert.throws(() => decodeAnnouncement(signer, bent), /ERR_|announce|signed|kind|version/);
  }
  assert.throws(() => decodeAnnouncement(signer, hello('another secret altogether')), { code: 'ERR_LINK_WRONG_SECRET' });
  const world = new World({ seed: 1 });
  const a = await world.start('a', { listen: 'mem://a:1', discover: true, secret });
  const sent: Buffer[] = [];
  const stranger = await world.datagrams
    .at('s')
    .open({ port: 9705, multicast: false, loopback: false, family: undefined }, (bytes) => sent.push(bytes));
  await world.clock.advance(1);
  const now = world.clock.wall();
  stranger.send(hello(secret, { time: now - 60_000 }), 'a', 9705); // stale
  stranger.send(Buffer.alloc(LIMIT, 7), 'a', 9705);
  stranger.send(Buffer.alloc(5), 'a', 9705);
  await world.clock.advance(200);
  assert.equal(sent.filter((bytes) => bytes[5] === 2).length, 0, 'nothing is answered');
  const once = hello(secret, { time: now });
  for (let i = 0; i < 5; i++) stranger.send(once, 'a', 9705);
  await world.clock.advance(200);
  const answers = sent.filter((bytes) => bytes[5] === 2);
  assert.equal(answers.length, 1, 'a replay is not answered');
  assert.ok(answers[0]!.length <= once.length, 'an answer is no longer than what it answers');
  assert.equal(a.peers().length, 0);
  await stranger.close();
  await world.close();
});

test('a port for announcements takes garbage from real sockets and goes on', async () => {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const secret = 'a secret for two on loopback';
  const options = { secret, discover: true, udpPort: port, listen: 'tcp://127.0.0.1:0' } as const;
  const a = await Runtime.start({ ...options, name: 'a', logLevel: 'silent' });
  const socket = createSocket('udp4');
  for (let i = 0; i < 200; i++)
    await new Promise<void>((resolve) => socket.send(Buffer.from(realRandom(1 + ((i * 7) % 1_400))), port, '127.0.0.1', () => resolve()));
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  const b = await Runtime.start({ ...options, name: 'b', logLevel: 'silent' });
  const peer = await b.locatePeer('a', { timeout: 10_000 });
  assert.equal(peer.id, a.id);
  await Promise.all([a.close(), b.close()]);
});

// A listener that records what a dialer sends, and answers with what it is given.
async function recorder(reply: (got: Buffer, socket: Socket) => void): Promise<{ port: number; got: () => Buffer; close(): void }> {
  let got: Buffer = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      reply(got, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, got: () => got, close: () => server.close() };
}

test('a recorded handshake cannot be played again, nor turned around (static credentials)', async () => {
  const secret = 'the secret of the handshake';
  const victim = await Runtime.start({ secret, listen: 'tcp://127.0.0.1:0', logLevel: 'silent' });
  // The attacker hears what the friend sends.
  const sent: Buffer[] = [];
  const network: Network = {
    ...tcpNetwork,
    dial: async (address, options) => {
      const conn = await tcpNetwork.dial(address, options);
      const write = conn.write.bind(conn);
      return Object.assign(conn, { write: (bytes: Uint8Array) => sent.push(Buffer.from(bytes)) > 0 && write(bytes) });
    },
  };
  const friend = await Runtime.start({ secret, logLevel: 'silent' }, { ...nodeEnvironment(), networks: { tcp: network } });
  const port = Number(victim.location!.split(':').at(-1));
  await friend.connect(victim.location!);
  const recorded = Buffer.concat(sent).subarray(0, 96 + 32);
  assert.ok(recorded.length === 128);
  await friend.close();
  const before = victim.peers().length;
  const replay = connect(port, '127.0.0.1');
  let answer = Buffer.alloc(0);
  replay.on('error', () => {});
  replay.on('data', (chunk) => {
    answer = Buffer.concat([answer, chunk]);
  });
  replay.write(recorded);
  await new Promise<void>((resolve) => replay.on('close', () => resolve()));
  assert.equal(answer.toString('latin1', 96, 100), 'FLTX', 'refused after the greeting');
  assert.ok(victim.peers().length <= before);
  assert.ok(!recorded.includes(Buffer.from(secret)), 'the secret itself never crosses');
  // Reflection: the victim dials a listener that sends its own greeting back at it.
  const mirror = await recorder((got, socket) => socket.write(got.subarray(0, 96)));
  await assert.rejects(victim.connect(`tcp://127.0.0.1:${mirror.port}`, { timeout: 3_000 }), (error: { code: string }) =>
    /^ERR_LINK/.test(error.code),
  );
  mirror.close();
  await victim.close();
});

test("announcing another's id at one's own address gives the announcer nothing to use (credential oracle)", async () => {
  const secret = 'the secret of the oracle test';
  const a = await Runtime.start({ secret, listen: 'tcp://127.0.0.1:0', logLevel: 'silent' });
  const b = await Runtime.start({ secret, listen: 'tcp://127.0.0.1:0', logLevel: 'silent' });
  const fake = await recorder((got, socket) => {
    if (got.length >= 96)
      socket.write(Buffer.concat([got.subarray(0, 48), b.hub.self.identity.publicKey, got.subarray(80, 96), Buffer.alloc(32)]));
  });
  a.hub.reach(b.id, [`tcp://127.0.0.1:${fake.port}`]);
  await assert.rejects(a.hub.open(b.id, 3_000));
  assert.equal(a.peers().length, 0);
  // What it got proves nothing to the real B: the proof covers the greetings of this connection.
  const stolen = fake.got();
  const socket = connect(Number(b.location!.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => {});
  let answer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    answer = Buffer.concat([answer, chunk]);
  });
  socket.end(stolen.subarray(0, 128));
  await new Promise<void>((resolve) => socket.on('close', () => resolve()));
  assert.equal(b.peers().length, 0);
  fake.close();
  await Promise.all([a.close(), b.close()]);
});

test('whoever fails to prove itself again and again is turned away at once, ever longer; others are not', async () => {
  const world = new World({ seed: 1 });
  const keys = new Keyring(Buffer.from('secret'));
  const refusals: string[] = [];
  let arrive: (conn: Conn) => void = () => {};
  const network: Network = {
    ...tcpNetwork,
    dial: () => Promise.reject(new Error('unused')),
    listen: async (address, accept) => {
      arrive = accept;
      return { address, close: async () => {} };
    },
  };
  const self = { identity: Identity.fresh(realRandom), role: 'runtime' as const, keys, clock: world.clock, random: realRandom };
  let failed = 0;
  await acceptAt(network, { scheme: 'tcp', host: 'x', port: 1 }, self, { greeted() {}, failed: () => failed++ });
  const come = async (from: string) => {
    let handler: ConnHandler | undefined;
    const written: Buffer[] = [];
    arrive({
      remote: `tcp://${from}:${1_000 + failed}`,
      exposed: false,
      binding: () => 'test',
      local: false,
      start: (h) => void (handler = h),
      write: (bytes) => written.push(Buffer.from(bytes)) > 0,
      end() {},
      destroy() {},
    });
    handler?.data(Buffer.alloc(96, 1));
    await world.clock.settle();
    refusals.push(written.some((bytes) => bytes.toString('latin1', 0, 4) === 'FLTX' && bytes[4] === 4) ? 'busy' : 'heard');
  };
  for (let i = 0; i < FAILING.times; i++) await come('6.6.6.6');
  assert.ok(refusals.every((one) => one === 'heard'));
  await come('6.6.6.6');
  await come('7.7.7.7');
  assert.deepEqual(refusals.slice(-2), ['busy', 'heard']);
  await world.clock.advance(FAILING.withinMs + 1);
  for (let i = 0; i < FAILING.times; i++) await come('6.6.6.6');
  await world.clock.advance(FAILING.withinMs + 1);
  await come('6.6.6.6');
  assert.equal(refusals.at(-1), 'busy', 'the second time it lasts longer');
});

test('names on the wire are never resolved: errors, classes and keys are data (exception classes, prototype paths)', async () => {
  const payload = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"then":"not a function"}') as object;
  const back = decodeValue(encodeValue(payload)) as Record<string, unknown>;
  assert.equal(({} as { polluted?: number }).polluted, undefined);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.deepEqual(Object.keys(back).sort(), ['__proto__', 'constructor', 'then']);
  const sly = new Error('x');
  sly.name = 'Function';
  Object.assign(sly, { toString: 'y', stack: 'z' });
  const error = decodeValue(encodeValue(sly)) as Error;
  assert.ok(error instanceof Error && Object.getPrototypeOf(error) === Error.prototype);
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const task = a.spawn(async (self: Task<unknown>) => {
    await self.register('t');
    return self.receive();
  });
  const ref = await world.wait(b.locate('t'));
  ref.send(payload); // awaited by the receiver: a `then` that is data must not be called
  assert.deepEqual(Object.keys((await world.wait(task.result)) as object).sort(), ['__proto__', 'constructor', 'then']);
  for (const method of ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty']) {
    for (const { number } of [RUNTIME, NAMES, CHANNELS, SERVICES, FILES, PEERS])
      await assert.rejects(world.wait(b.kernel.requests.ask(a.id, number, method, [])), { code: 'ERR_REQUEST_UNKNOWN' });
  }
  await world.close();
});

test('searches and names are bounded for each peer (name tables that grow until the machine falls)', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  let refused = 0;
  for (let i = 0; i < 10_050; i++)
    b.kernel.requests.request({ peer: a.id, settle: (ok) => void (ok || refused++) }, NAMES.number, 'find', ['task', `name ${i}`, true]);
  await world.clock.advance(2_000);
  assert.equal(refused, 50);
  world.crash(b, 'b', true);
  await world.clock.advance(30_000);
  assert.equal(a.kernel.names.size, 0);
  await world.close();
});

test('the secret file is made for its owner alone, refused when others can read it, and changed with two valid at once', (t) => {
  const HOME = tempFolder(t);
  const file = join(HOME, '.flotilla/secret');
  const run = (...args: string[]) => runToEnd([BIN, 'secret', ...args], { env: { HOME } });
  assert.equal(run('create').code, 0);
  const first = readFileSync(file, 'utf8').trim();
  assert.equal(run('rotate').code, 0);
  const [current, before] = readFileSync(file, 'utf8').trim().split('\n');
  assert.equal(before, first);
  assert.notEqual(current, first);
  assert.match(run('rotate').stderr, /Finish it first: flotilla secret drop/);
  assert.equal(run('drop').code, 0);
  assert.equal(readFileSync(file, 'utf8').trim(), current);
  chmodSync(file, 0o644);
  assert.match(run().stderr, /can be read by others.*chmod 600/s);
  chmodSync(file, 0o600);
  writeFileSync(file, '\n');
  assert.match(run().stderr, /is empty/);
});

test('certificates instead of the secret, or with it: the same file at both ends, and no other', async (t) => {
  const folder = tempFolder(t);
  const make = (name: string): string => {
    const path = join(folder, name);
    const made = spawnSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '10', '-keyout', path, '-out', `${path}.crt`, '-subj', '/CN=flotilla'],
      { encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(made.stderr);
    writeFileSync(path, readFileSync(path, 'utf8') + readFileSync(`${path}.crt`, 'utf8'), { mode: 0o600 });
    return path;
  };
  if (spawnSync('openssl', ['version']).status !== 0) return t.skip('openssl is not installed');
  const certfile = make('cert.pem');
  const other = make('other.pem');
  const quiet = { logLevel: 'silent' } as const;
  const server = await Runtime.start({ ...quiet, certfile, listen: 'tcp://127.0.0.1:0' });
  const friend = await Runtime.start({ ...quiet, certfile });
  await friend.connect(server.location!);
  const task = server.spawn(async (self: Task<string>) => {
    await self.register('t');
    return self.receive();
  });
  (await friend.locate('t')).send('encrypted');
  assert.equal(await task.result, 'encrypted');
  const stranger = await Runtime.start({ ...quiet, certfile: other });
  await assert.rejects(stranger.connect(server.location!, { timeout: 3_000 }));
  const bySecret = await Runtime.start({ ...quiet, secret: 'a secret, but no certificate' });
  await assert.rejects(bySecret.connect(server.location!, { timeout: 3_000 }));
  const both = await Runtime.start({ ...quiet, certfile, secret: 'needed beside the certificate', listen: 'tcp://127.0.0.1:0' });
  await assert.rejects(friend.connect(both.location!, { timeout: 3_000 }), { code: 'ERR_LINK_WRONG_SECRET' });
  const full = await Runtime.start({ ...quiet, certfile, secret: 'needed beside the certificate' });
  await full.connect(both.location!);
  await assert.rejects(Runtime.start({ certfile: join(folder, 'absent') }), { code: 'ERR_OPTION_INVALID' });
  await assert.rejects(Runtime.start({ certfile: `${certfile}.crt` }), /no PRIVATE KEY/);
  await Promise.all([server, friend, stranger, bySecret, both, full].map((runtime) => runtime.close()));
});

test('a weak secret is warned about where others can dial, and an empty one refused', async () => {
  const lines: string[] = [];
  const log = { debug() {}, info() {}, warn: (text: string) => void lines.push(text), error() {} };
  const weak = await Runtime.start({ secret: 'x', listen: 'tcp://127.0.0.1:0', log });
  await weak.close();
  assert.match(lines.join(), /easily guessed/);
  await assert.rejects(Runtime.start({ secret: '' }), { code: 'ERR_OPTION_INVALID' });
  assert.ok(realClock.now() > 0);
});
