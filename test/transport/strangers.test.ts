// Whoever does not know the secret costs little, learns nothing, and is gone soon.
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Runtime } from '../../src/kernel/index.ts';
import { leakGate, ManualClock, seededBytes, seededRandom } from '../../src/testing/index.ts';
import { Doorkeeper, PENDING, sourceOf, tcpNetwork } from '../../src/transport/index.ts';
import { start } from '../support/processes.ts';
import { until } from '../support/until.ts';

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) =>
    socket.destroyed
      ? resolve()
      : void socket
          .on('error', () => {})
          .once('close', resolve)
          .resume(),
  );

// So many connections at once, each of which sends one of the beginnings given, until all have or are closed by the other side.
const STORM = `
  const [port, count, ...starts] = process.argv.slice(1);
  let left = Number(count);
  for (let i = 0; i < Number(count); i++) {
    const done = () => --left || process.exit();
    const socket = require('net').connect(Number(port), '127.0.0.1', () => {
      socket.off('close', done).write(Buffer.from(starts[i % starts.length], 'base64'), done);
    });
    socket.on('error', () => {}).on('close', done).resume();
  }
`;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('garbage, half greetings and huge lengths are refused, and the runtime goes on', async () => {
  const gate = leakGate();
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's' });
  const { port } = tcpNetwork.parse(runtime.locations[0]!);
  const bytes = seededBytes(seededRandom(5));
  const inputs = [
    bytes(3),
    bytes(96),
    bytes(5_000),
    Buffer.alloc(200_000),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.concat([Buffer.from('FLTL'), bytes(92)]),
    Buffer.concat([Buffer.from('FLTL'), Buffer.from([9, 9]), bytes(90)]),
    Buffer.from([0x16, 3, 1, 255, 255, ...bytes(300)]),
  ];
  for (const input of inputs) {
    const socket = await open(port);
    socket.write(input);
    if (input.length < 96) socket.end();
    await closed(socket);
  }
  const friend = await Runtime.start({ secret: 's' });
  await friend.connect(runtime.locations[0]!);
  assert.equal(runtime.peers().length, 1);
  await friend.close();
  await runtime.close();
  await gate();
});

test('a thousand silent connections are bounded and hung up on, while friends get in', async () => {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's' });
  const { port } = tcpNetwork.parse(runtime.locations[0]!);
  const sockets = await Promise.all(Array.from({ length: 1_000 }, () => open(port)));
  const friend = await Runtime.start({ secret: 's' });
  await friend.connect(runtime.locations[0]!);
  const started = performance.now();
  await Promise.all(sockets.map(closed));
  assert.ok(performance.now() - started < 8_000);
  assert.equal(runtime.peers().length, 1);
  await friend.close();
  await runtime.close();
});

test('half greetings of one machine, more than may stand in the door, keep nobody out', async () => {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's', logLevel: 'silent' });
  const { port } = tcpNetwork.parse(runtime.locations[0]!);
  const flood = await Promise.all(Array.from({ length: PENDING.all + 200 }, () => open(port)));
  for (const socket of flood) socket.on('error', () => {}).write('FLTL');
  const later = await open(port); // all before it have been taken by now
  for (const encrypt of ['auto', 'always'] as const) {
    const friend = await Runtime.start({ secret: 's', encrypt, logLevel: 'silent' });
    await friend.connect(runtime.locations[0]!, { timeout: 4_000 });
    assert.equal(runtime.peers().length, 1);
    await friend.close();
  }
  for (const socket of [...flood, later]) socket.destroy();
  await runtime.close();
});

test('connect tries again within its timeout where a door is busy or a connection breaks, and says so when it is over', async () => {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's', logLevel: 'silent' });
  const { port } = tcpNetwork.parse(runtime.locations[0]!);
  let turns = 4;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (turns-- > 0) return void (turns % 2 ? socket.destroy() : socket.resume().end(Buffer.from('FLTX\x04\0\0\0', 'latin1')));
    const far = connect(port, '127.0.0.1').on('error', () => {});
    socket.pipe(far).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `tcp://127.0.0.1:${(server.address() as { port: number }).port}`;
  const friend = await Runtime.start({ secret: 's', logLevel: 'silent' });
  assert.equal(await friend.connect(address, { timeout: 15_000 }), runtime.id);
  assert.ok(turns < 0);
  await friend.close();
  turns = Number.POSITIVE_INFINITY;
  const other = await Runtime.start({ secret: 's', logLevel: 'silent' });
  await assert.rejects(other.connect(address, { timeout: 300 }), (error: any) => /^ERR_LINK_(REFUSED|LOST)$/.test(error.code));
  await other.close();
  await runtime.close();
  await new Promise((resolve) => server.close(resolve));
});

test('a flood turns out itself: of the source that has most there, the oldest goes; others stay until they have proved themselves', async () => {
  const door = new Doorkeeper(new ManualClock());
  const out: string[] = [];
  const come = (address: string, name: string) => door.enter(address, false, () => out.push(name));
  const friend = come('10.0.0.1', 'friend');
  for (let i = 0; i < 5 * PENDING.each; i++) assert.ok(come('6.6.6.6', `six ${i}`));
  assert.equal(out.length, 4 * PENDING.each);
  assert.equal(out[0], 'six 0');
  for (let net = 0; net < 40; net++) for (let i = 0; i < 30; i++) come(`2001:db8:0:${net.toString(16)}::${i.toString(16)}`, `v6 ${net}`);
  assert.ok(!out.includes('friend'));
  friend!.leave();
  const before = out.length;
  for (let i = 0; i < 1_000; i++) come('7.7.7.7', 'seven')?.leave();
  assert.equal(out.length, before, 'whoever leaves the door makes room');
  assert.deepEqual(['::ffff:10.0.0.1', '2001:db8::1', '2001:db8:0:0:5::', 'fe80::1%eth0', '::1'].map(sourceOf), [
    '10.0.0.1',
    '2001:db8:0:0',
    '2001:db8:0:0',
    'fe80:0:0:0',
    '0:0:0:0',
  ]);
});

test('after a storm of strangers memory and handles are what they were', async (t) => {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's', logLevel: 'silent' });
  const { port } = tcpNetwork.parse(runtime.locations[0]!);
  const handles = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name)).length;
  const held = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const storm = async (): Promise<void> => {
    const starts = [Buffer.from('FLTL'), Buffer.from([0x16, 3, 1, 1, 0, 1]), Buffer.concat([Buffer.from('FLTL'), Buffer.alloc(60_000)])];
    await start(t, ['-e', STORM, String(port), '800', ...starts.map((bytes) => bytes.toString('base64'))]).exited;
    await until(
      () => handles() <= before,
      () => `${handles()} sockets are open, ${before} were`,
    );
  };
  const before = handles();
  await storm(); // what is loaded once is loaded
  const memory = held();
  const { rss } = process.memoryUsage();
  for (let i = 0; i < 2; i++) await storm();
  await until(
    () => held() - memory < 2e6,
    () => `${held() - memory} bytes are still held`,
  );
  assert.ok(process.memoryUsage().rss - rss < 100e6, 'the process is as large as it was');
  await runtime.close();
});

test('a half greeting, then silence, ends with the time for a handshake', async () => {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's' });
  const { port } = tcpNetwork.parse(runtime.locations[0]!);
  const socket = await open(port);
  socket.write(Buffer.from('FLTL'));
  await closed(socket);
  await runtime.close();
});

test('a wrong secret is said so by connect(), with where the secret is', async () => {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 'one' });
  const other = await Runtime.start({ secret: 'two' });
  await assert.rejects(
    other.connect(runtime.locations[0]!),
    (error: any) => error.code === 'ERR_LINK_WRONG_SECRET' && /\.flotilla\/secret/.test(error.message),
  );
  await other.close();
  await runtime.close();
});
