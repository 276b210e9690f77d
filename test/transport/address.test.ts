import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, parseAddress } from '../../src/transport/index.ts';

test('an IPv6 address needs brackets only where a port follows', () => {
  for (const [text, host] of [
    ['::1', '::1'],
    ['fd00::1', 'fd00::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['::ffff:10.0.0.2', '::ffff:10.0.0.2'],
    ['tcp://fd00::1', 'fd00::1'],
    ['[fd00::1]', 'fd00::1'],
  ] as const) {
    assert.deepEqual(parseAddress(text, 9705), { scheme: 'tcp', host, port: 9705 });
    assert.deepEqual(parseAddress(formatAddress(parseAddress(text, 9705))), parseAddress(text, 9705));
  }
  assert.equal(parseAddress('[fd00::1]:80').port, 80);
  assert.throws(() => parseAddress('fd00::1'), /it has no port. Write tcp:\/\/\[fd00::1\]:PORT/);
  for (const text of ['fd00::1::2', 'a:b:c', '::g', '1:2:3:4:5:6:7:8:9'])
    assert.throws(() => parseAddress(text, 9705), { code: 'ERR_LINK_ADDRESS' });
});
