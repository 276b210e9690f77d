// Places that calls name before they are there, on virtual time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from './machines.ts';

test('where others may join, a call for a place that there is not waits for it, warns again and again, and its timeout ends the wait', async () => {
  const cluster = new Cluster(1);
  const { world } = cluster;
  await cluster.startScheduler();
  await cluster.startHost(1);
  const warnings: string[] = [];
  const { client } = await cluster.startClient('c', { warn: (text) => warnings.push(text) });
  await assert.rejects(
    world.wait(
      client.with({ at: 'h1', timeout: 1_000 }).run(() => 1),
      5_000,
    ),
    { code: 'ERR_TIMEOUT' },
  );
  const call = client.with({ at: 'h1' }).run(() => 'there');
  await world.clock.advance(16_000);
  const about = warnings.filter((text) => /a call waits for 'h1', which this client does not have \(it has h0\)/.test(text));
  assert.equal(about.length, 3, warnings.join('\n'));
  await cluster.startHost(1);
  assert.equal(await world.wait(call, 20_000), 'there');
  const { length } = warnings;
  await world.clock.advance(30_000);
  assert.equal(warnings.length, length);
  await world.wait(client.close(), 60_000);
  await cluster.close();
});
