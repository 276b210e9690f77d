// Clients that close while a call of theirs can never run, on virtual time: they come back, and say why it was given up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../../src/base/index.ts';
import type { Client } from '../../src/cluster/client/client.ts';
import { Cluster } from './machines.ts';

const CLOSED_MS = 15_000;

async function closesThough(
  t: { diagnostic(text: string): void },
  begin: (client: Client, cluster: Cluster) => Promise<unknown>,
  why: RegExp,
) {
  const cluster = new Cluster(1);
  const { world } = cluster;
  await cluster.startScheduler();
  await cluster.startHost(2);
  const { client } = await cluster.startClient('c');
  assert.equal(
    await world.wait(
      client.run(() => 'before'),
      10_000,
    ),
    'before',
  );
  const call = begin(client, cluster).then(
    () => assert.fail('it cannot have run'),
    (error: Error) => error,
  );
  await world.clock.advance(1_000);
  const started = world.clock.now();
  await world.wait(client.close(), CLOSED_MS + 20_000);
  t.diagnostic(`after ${world.clock.now() - started} ms`);
  const error = await call;
  assert.ok(hasCode(error, 'ERR_CLOSED'), error.message);
  assert.match(error.message, why);
  await cluster.close();
}

test('close() comes back though a call waits for a place that there is not', (t) =>
  closesThough(t, (client) => client.with({ at: 'nowhere' }).run(() => 1), /'nowhere'/));

test('close() comes back though all workers are suspended', (t) =>
  closesThough(
    t,
    (client) => {
      client.suspendHost('h0');
      return client.run(() => 1);
    },
    /suspended/,
  ));

test('close() comes back though a call is under way on a host that has fallen silent', (t) =>
  closesThough(
    t,
    async (client, { world }) => {
      const call = client.with({ retries: 0 }).run(() => new Promise(() => {}));
      await world.clock.advance(1_000);
      world.network.block('c', 'h0');
      world.network.block('h0', 'c');
      await world.clock.advance(30_000);
      return call;
    },
    /closed/,
  ));
