// Runtimes that look for others on the real network of this machine.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { Runtime, type RuntimeOptions } from '../../src/kernel/index.ts';

// The loopback device passes no multicast on.
const ipv6 = Object.values(networkInterfaces()).some((found) => found?.some((one) => one.family === 'IPv6' && !one.internal));
const port = (): number => 20_000 + Math.floor(Math.random() * 20_000);

async function begin(name: string, udpPort: number, options: RuntimeOptions): Promise<Runtime> {
  return Runtime.start({ name, discover: true, udpPort, secret: 'a secret for runtimes nearby', logLevel: 'silent', ...options });
}

test('whoever announces by multicast and whoever does so by broadcast do not meet on one machine either; peer() reaches both', async () => {
  const udpPort = port();
  const listen = 'tcp://127.0.0.1:0';
  const cast = await Promise.all(['b1', 'b2'].map((name) => begin(name, udpPort, { listen })));
  const multi = await Promise.all(['m1', 'm2'].map((name) => begin(name, udpPort, { listen, multicast: true })));
  await cast[0]!.locatePeer('b2', { timeout: 10_000 });
  await multi[0]!.locatePeer('m2', { timeout: 10_000 });
  for (const one of [...cast, ...multi]) one.discoverPeers();
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // whoever hears a hello dials within a second
  assert.deepEqual(
    cast[0]!.peers().map((peer) => peer.name),
    ['b2'],
  );
  assert.deepEqual(
    multi[0]!.peers().map((peer) => peer.name),
    ['m2'],
  );
  const asker = await Runtime.start({ secret: 'a secret for runtimes nearby', logLevel: 'silent' });
  const found = await asker.peer('127.0.0.1', { udpPort, timeout: 10_000 });
  assert.deepEqual(found.map((peer) => peer.name).sort(), ['b1', 'b2', 'm1', 'm2']);
  await Promise.all([...cast, ...multi, asker].map((one) => one.close()));
});

test('peer() of a bare IPv6 address reaches all runtimes of that machine, of one family or both', { skip: !ipv6 }, async () => {
  const udpPort = port();
  const both = await begin('both', udpPort, { listen: ['tcp://[::1]:0'] });
  const six = await begin('six', udpPort, { listen: 'tcp://[::1]:0', family: 6 });
  const asker = await Runtime.start({ secret: 'a secret for runtimes nearby', logLevel: 'silent' });
  const found = await asker.peer('::1', { udpPort, timeout: 10_000 });
  assert.deepEqual(found.map((peer) => peer.name).sort(), ['both', 'six']);
  await Promise.all([both, six, asker].map((one) => one.close()));
});

test("'family' refuses to listen at an address of the other", async () => {
  const why = (family: 4 | 6, other: number) => ({
    code: 'ERR_OPTION_INVALID',
    message: new RegExp(`'family' is ${family}, and .* is an IPv${other} address`),
  });
  await assert.rejects(Runtime.start({ secret: 's', family: 6, listen: 'tcp://127.0.0.1:0' }), why(6, 4));
  await assert.rejects(Runtime.start({ secret: 's', family: 6, listen: ['tcp://[::1]:0', '0.0.0.0'] }), why(6, 4));
  await assert.rejects(Runtime.start({ secret: 's', family: 4, listen: 'tcp://[::1]:0' }), why(4, 6));
});
