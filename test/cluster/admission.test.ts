// What is said to a scheduler, by whoever has the secret, is checked before it counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../../src/cluster/scheduler/scheduler.ts';
import { PORT } from '../../src/kernel/index.ts';
import { machines } from '../support/worlds.ts';

const facts = { name: 'h', platform: '', workers: 2, cores: 2, memory: 1 };
const offer = { facts, addresses: [], open: true, held: [] };
const wish = { name: 'c', workers: undefined, weight: 1, exclusive: false, picky: false, hold: false, limits: [], waited: 0 };

test('a wish or an offer that nobody could mean is refused, and the scheduler goes on for all others', async () => {
  const { world, runtimes } = await machines(3);
  const [s, bad, good] = runtimes as [(typeof runtimes)[0], (typeof runtimes)[0], (typeof runtimes)[0]];
  const scheduler = new Scheduler(s);
  const ask = (from: typeof s, method: string, ...args: unknown[]): Promise<unknown> =>
    world.wait(from.kernel.ask(s.id, PORT.SCHEDULER, method, args, { timeout: 5_000 }));
  for (const workers of [1e9, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2'])
    await assert.rejects(
      ask(bad, 'offer', { ...offer, facts: { ...facts, workers } }),
      /The scheduler does not take the workers of host 'h'.*1 to 4096/,
    );
  for (const change of [
    { held: [{ client: 'c', slots: [1], epoch: Number.NaN }] },
    { held: [{ client: 'c', slots: [1], epoch: Number.MAX_VALUE }] },
    { held: {} },
    { addresses: 'x' },
    { facts: undefined },
  ])
    await assert.rejects(ask(bad, 'offer', { ...offer, ...change }), { code: 'ERR_OPTION_INVALID' });
  for (const change of [
    { weight: 0 },
    { weight: Number.NaN },
    { weight: Number.POSITIVE_INFINITY },
    { workers: -1 },
    { workers: 0.5 },
    { name: 'x'.repeat(10_000) },
    { name: 'a\nb' },
    { name: '\u001b[31m' },
    { limits: [{ host: 'h', most: Number.NaN, shut: [] }] },
    { limits: 7 },
    { waited: -1 },
    { waited: Number.NaN },
    { waited: Number.POSITIVE_INFINITY },
  ])
    await assert.rejects(ask(bad, 'wish', { ...wish, ...change }), { code: 'ERR_OPTION_INVALID' });
  await assert.rejects(ask(bad, 'limit', { host: 'h', most: 1, shut: [1e12] }), { code: 'ERR_OPTION_INVALID' });
  bad.kernel.message(s.id, PORT.SCHEDULER, { kind: 'report', slots: 7, availability: {} });
  bad.kernel.message(s.id, PORT.SCHEDULER, { kind: 'report', slots: [{}], availability: {} });
  bad.kernel.message(s.id, PORT.SCHEDULER, null);
  await ask(bad, 'wish', wish);
  await ask(good, 'offer', offer);
  await world.clock.advance(1_000);
  const [host] = scheduler.status.hosts;
  assert.equal(scheduler.status.hosts.length, 1);
  assert.equal(host?.workers, 2);
  assert.equal(scheduler.status.clients.length, 1);
  await world.close();
});
