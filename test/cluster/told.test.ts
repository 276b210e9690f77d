// What the words of an operator come to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listensAt, quotasOf } from '../../src/cluster/daemons/told.ts';
import { formatAddress, tcpNetwork, unixNetwork } from '../../src/transport/index.ts';

const networks = { tcp: tcpNetwork, unix: unixNetwork };
const told = (options: Parameters<typeof listensAt>[0], defaultPort: number) =>
  listensAt(options, networks, defaultPort).map((address) => formatAddress(networks, address));

test('a daemon listens where it was told, at its port where the address has none; else everywhere', () => {
  assert.deepEqual(told({}, 9706), ['tcp://0.0.0.0:9706']);
  assert.deepEqual(told({ port: 1234 }, 9706), ['tcp://0.0.0.0:1234']);
  assert.deepEqual(told({ ports: [9802, 9801] }, 9706), ['tcp://0.0.0.0:9801']);
  assert.deepEqual(told({ listen: ['10.0.0.1', 'a:1', 'tcp://b', 'fd00::1', '[fd00::1]:7'], port: 5 }, 9706), [
    'tcp://10.0.0.1:5',
    'tcp://a:1',
    'tcp://b:5',
    'tcp://[fd00::1]:5',
    'tcp://[fd00::1]:7',
  ]);
  assert.deepEqual(told({ listen: ['unix:///run/host.sock'], port: 5 }, 9706), ['unix:///run/host.sock']);
});

test('a quota is a name and a number', () => {
  assert.deepEqual(
    [...quotasOf(['batch=4', '*=1', 'a=b=2'])],
    [
      ['batch', 4],
      ['*', 1],
      ['a=b', 2],
    ],
  );
  for (const wrong of ['batch', 'batch=', '=4', 'batch=-1']) assert.throws(() => quotasOf([wrong]), /--quota must be NAME=N/);
});
