// What a worker process is told, from what its host was told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerConfig } from '../../src/host/config.ts';
import type { HostOptions } from '../../src/host/options.ts';
import { tcpNetwork } from '../../src/transport/index.ts';

const at = { folder: '/f', cwd: '/f/1', location: undefined, pulse: 2_000, networks: { tcp: tcpNetwork } };
const host = {
  name: 'north',
  workers: 2,
  secret: Buffer.alloc(32),
  listen: ['tcp://0.0.0.0:0'],
  ports: [0, 9_707],
} as unknown as HostOptions;
const told = (advertise: string | undefined, number = 1): readonly [readonly string[], string | undefined] => {
  const config = workerConfig({ ...host, ...(advertise === undefined ? {} : { advertise }) }, { name: `north/${number}`, number }, at);
  return [config.listen, config.advertise];
};

test("a worker tells others of the host name that its host tells them, and of a port of its own; of no port that is its host's", () => {
  assert.deepEqual(told(undefined), [['tcp://0.0.0.0:9707'], undefined]);
  assert.deepEqual(told('gate.example.org'), [['tcp://0.0.0.0:9707'], 'gate.example.org']);
  assert.deepEqual(told('fd00::1'), [['tcp://0.0.0.0:9707'], 'fd00::1']);
  // Where one port leads in, it leads to the host, through which its workers are reached.
  assert.deepEqual(told('gate.example.org:8000'), [[], undefined]);
  assert.deepEqual(told('tcp://[fd00::1]:8000'), [[], undefined]);
});

test('the process that sets a host up listens nowhere', () => {
  assert.deepEqual(told('gate.example.org', 0), [[], undefined]);
});

test('what was said of a host for its workers is told them as it is; nothing else is', () => {
  const config = workerConfig(
    { ...host, settings: { encrypt: 'always', secret: 'of the host', cpus: 2 } },
    { name: 'north/1', number: 1 },
    at,
  );
  assert.equal(config.encrypt, 'always');
  assert.ok(!('cpus' in config));
  assert.notEqual(config.secret, 'of the host');
});
