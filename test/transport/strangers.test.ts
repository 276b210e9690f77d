// Whoever does not know the secret costs little, learns nothing, and is gone soon.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Runtime } from '../../src/kernel/index.ts';
import { leakGate, seededBytes, seededRandom } from '../../src/testing/index.ts';
import { parseAddress } from '../../src/transport/index.ts';

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

test('garbage, half greetings and huge lengths are refused, and the runtime goes on', async () => {
  const gate = leakGate();
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's' });
  const { port } = parseAddress(runtime.locations[0]!);
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
  const { port } = parseAddress(runtime.locations[0]!);
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

test('a half greeting, then silence, ends with the time for a handshake', async () => {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret: 's' });
  const { port } = parseAddress(runtime.locations[0]!);
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
