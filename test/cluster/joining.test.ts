// How long a client tries to come to its scheduler.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { Client } from '../../src/index.ts';

test('a scheduler that does not answer is waited for as long as the timeout says, and no longer', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const scheduler = `tcp://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const started = performance.now();
  await assert.rejects(Client.connect({ scheduler, secret: 'a secret of this test alone', timeout: 2_200 }), {
    code: 'ERR_CLUSTER_NO_SCHEDULER',
  });
  const took = performance.now() - started;
  assert.ok(took >= 2_100 && took < 6_000, `${took} ms`); // ten seconds are waited where nothing is said
});
