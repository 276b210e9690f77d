// One seeded run of clients that want the cluster alone, 30 ms apart, over links that are slow, or break while they connect.
import assert from 'node:assert/strict';
import { sleep } from '../../src/base/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { Cluster } from './machines.ts';

export interface TurnsReport {
  readonly seed: number;
  readonly turns: readonly string[];
  readonly digest: number;
}

const APART_MS = 30;

/** The order in which clients have their turn is that in which they asked; each has the cluster alone. */
export async function runTurns(seed: number): Promise<TurnsReport> {
  const chance = seededRandom(seed * 19 + 7);
  const cluster = new Cluster(seed);
  const { world } = cluster;
  const busy = chance() < 0.5;
  const rule = chance() < 0.5;
  await cluster.startScheduler({ exclusive: rule });
  for (let hosts = 1 + Math.floor(chance() * 2); hosts > 0; hosts--) await cluster.startHost(1 + Math.floor(chance() * 2));
  await world.clock.advance(2_000);
  const turns: string[] = [];
  const names = ['a', 'b', 'c'].slice(0, 2 + Math.floor(chance() * 2));
  const first = busy ? await cluster.startClient('first') : undefined;
  let inside = 0;
  const visits = names.map(async (name, i) => {
    await sleep(world.clock, i * APART_MS);
    const { client } = await cluster.connect(name, {
      exclusive: !rule,
      onStatus: ({ kind }) => kind === 'client-scheduled' && turns.push(name),
    });
    assert.equal(++inside, 1, `seed ${seed}: ${name} is alone`);
    await sleep(world.clock, chance() * 2_000);
    inside--;
    await client.close();
  });
  const all = Promise.all(visits);
  all.catch(() => {});
  if (chance() < 0.5) {
    await world.clock.advance(chance() * APART_MS * 3);
    world.network.cut(names[Math.floor(chance() * names.length)] as string);
  }
  if (first) {
    await world.clock.advance(chance() * 8_000);
    assert.deepEqual(turns, [], `seed ${seed}: nobody comes in before the first has left`);
    await world.wait(first.client.close());
  }
  await world.wait(all);
  assert.deepEqual(turns, names, `seed ${seed}: turns come in the order in which they were asked for`);
  await cluster.close();
  assert.equal(world.network.connections, 0, `seed ${seed}: no connection is left`);
  assert.equal(world.clock.pending, 0, `seed ${seed}: no timer is left`);
  return { seed, turns, digest: world.network.trace.digest };
}
