// What is said to a scheduler, by whoever has the secret, is checked before it counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCHEDULER } from '../../src/cluster/protocol.ts';
import { Scheduler } from '../../src/cluster/scheduler/scheduler.ts';
import { machines } from '../support/worlds.ts';

const facts = { name: 'h', platform: '', workers: 2, cores: 2, memory: 1, disk: 1, swap: 0 };
const offer = { facts, addresses: [], open: true, held: [] };
const wish = { name: 'c', workers: undefined, weight: 1, exclusive: false, picky: false, hold: false, limits: [], waited: 0 };

test('a wish or an offer that nobody could mean is refused, and the scheduler goes on for all others', async () => {
  const { world, runtimes } = await machines(3);
  const [s, bad, good] = runtimes as [(typeof runtimes)[0], (typeof runtimes)[0], (typeof runtimes)[0]];
  const scheduler = new Scheduler(s);
  const ask = (from: typeof s, method: string, ...args: unknown[]): Promise<unknown> =>
    world.wait(from.kernel.requests.ask(s.id, SCHEDULER.number, method, args, { timeout: 5_000 }));
  // So seldom that it may stay.
  const refused = async (method: string, argument: unknown, message: RegExp): Promise<void> => {
    await assert.rejects(ask(bad, method, argument), { code: 'ERR_REQUEST_INVALID', message });
    await world.clock.advance(10_000);
  };
  for (const workers of [1e9, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2'])
    await refused(
      'offer',
      { ...offer, facts: { ...facts, workers } },
      /The door 'scheduler' does not take this: argument 1 of 'offer' must be an object whose 'facts' is an object whose 'workers' is a whole number, from 1 to 4096/,
    );
  for (const [change, why] of [
    [{ held: [{ client: 'c', slots: [1], epoch: Number.NaN }] }, /'epoch' is a whole number/],
    [{ held: [{ client: 'c', slots: [1], epoch: Number.MAX_VALUE }] }, /'epoch' is a whole number/],
    [{ held: {} }, /'held' is an array/],
    [{ addresses: 'x' }, /'addresses' is an array/],
    [{ facts: undefined }, /'facts' is an object/],
  ] as const)
    await refused('offer', { ...offer, ...change }, why);
  for (const [change, why] of [
    [{ workers: 1e9, weight: -1 }, /'workers' is a whole number, from 1 to 10000/],
    [{ weight: 0 }, /'weight' is a number, from 0.001 to 1000000/],
    [{ weight: Number.NaN }, /'weight'/],
    [{ weight: Number.POSITIVE_INFINITY }, /'weight'/],
    [{ workers: -1 }, /'workers'/],
    [{ workers: 0.5 }, /'workers'/],
    [{ name: 'x'.repeat(10_000) }, /'name' is a text of at most 256 letters/],
    [{ name: 'a\nb' }, /'name'/],
    [{ name: '\u001b[31m' }, /'name'/],
    [{ limits: [{ host: 'h', most: Number.NaN, shut: [] }] }, /'limits' is an array, each element an object whose 'most'/],
    [{ limits: 7 }, /'limits'/],
    [{ waited: -1 }, /'waited'/],
    [{ waited: Number.NaN }, /'waited'/],
    [{ waited: Number.POSITIVE_INFINITY }, /'waited'/],
  ] as const)
    await refused('wish', { ...wish, ...change }, why);
  await refused('limit', { host: 'h', most: 1, shut: [1e12] }, /'shut'/);
  for (const notice of [{ kind: 'report', slots: 7, availability: {} }, { kind: 'report', slots: [{}], availability: {} }, null])
    bad.kernel.message(s.id, SCHEDULER, notice as never);
  await ask(bad, 'wish', wish);
  await ask(good, 'offer', offer);
  await world.clock.advance(1_000);
  const [host] = scheduler.status.hosts;
  assert.equal(scheduler.status.hosts.length, 1);
  assert.equal(host?.workers, 2);
  assert.equal(scheduler.status.clients.length, 1);
  await world.close();
});
