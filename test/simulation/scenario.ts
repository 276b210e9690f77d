// One seeded run: runtimes exchange numbered messages and work while links are cut, blocked and machines lost.
import assert from 'node:assert/strict';
import { checkState, emptyState, react, type ScheduleEvent } from '../../src/cluster/index.ts';
import type { Runtime, Task, TaskEnd, TaskRef } from '../../src/kernel/index.ts';
import { seededRandom, World } from '../../src/testing/index.ts';

export interface Report {
  readonly seed: number;
  readonly delivered: number;
  readonly cuts: number;
  readonly steps: number;
  readonly digest: number;
}

interface Numbered {
  readonly from: number;
  readonly n: number;
  readonly pad: Uint8Array;
}

const MESSAGES = 60;

/** Two to four runtimes, all sending to all through cuts: exactly once and in order between the living; each monitor once. */
export async function runSession(seed: number): Promise<Report> {
  const world = new World({ seed, latencyMs: [0, 1 + (seed % 40)] });
  const chance = seededRandom(seed * 7 + 1);
  const count = 2 + Math.floor(chance() * 3);
  const runtimes: Runtime[] = [];
  const got: Map<number, number[]>[] = [];
  const sinks: TaskRef<Numbered, number>[] = [];
  for (let i = 0; i < count; i++) {
    // Some do not listen: they can only dial, and are reached on the sessions they opened.
    const listens = i === 0 || chance() < 0.7;
    const runtime = await world.start(`m${i}`, { pulse: 2_000, ...(listens ? { listen: `mem://m${i}:1` } : {}) });
    runtimes.push(runtime);
    const seen = new Map<number, number[]>();
    got.push(seen);
    sinks.push(
      runtime.spawn(async (self: Task<Numbered>) => {
        let taken = 0;
        for await (const { from, n } of self) {
          seen.set(from, [...(seen.get(from) ?? []), n]);
          taken++;
        }
        return taken;
      }),
    );
  }
  for (let i = 1; i < count; i++) await world.wait(runtimes[i]!.connect('mem://m0:1'));
  const hub = runtimes[0] as Runtime;
  // References travel through m0, so that others reach each other directly or through it.
  const shared: TaskRef<Numbered, number>[][] = runtimes.map(() => []);
  for (let i = 0; i < count; i++) {
    const asker = hub.spawn(async (self: Task<TaskRef<Numbered, number>>) => {
      const ref = await self.receive();
      return ref;
    });
    const remote = reference(runtimes[i]!, hub, asker);
    remote.send(sinks[i]!);
    const seen = await world.wait(asker.result);
    for (let j = 0; j < count; j++) {
      if (j === i) continue;
      const back = runtimes[j]!.spawn(async (self: Task<TaskRef<Numbered, number>>) => self.receive());
      reference(hub, runtimes[j]!, back).send(seen);
      shared[j]![i] = await world.wait(back.result);
    }
  }
  let cuts = 0;
  const progress = new Array<number>(count).fill(0);
  const sending = runtimes.map(async (_, from) => {
    for (let n = 0; n < MESSAGES; n++) {
      for (let to = 0; to < count; to++) {
        if (to === from) continue;
        const ref = shared[from]![to]!;
        const pad = new Uint8Array(chance() < 0.02 ? 300_000 : Math.floor(chance() * 200));
        if (n % 10 === 9) await ref.deliver({ from, n, pad });
        else if (!ref.send({ from, n, pad })) await ref.room();
      }
      progress[from] = n;
      await new Promise<void>((resolve) => world.clock.after(chance() * 50, resolve));
    }
  });
  const all = Promise.all(sending);
  let done = false;
  all.then(
    () => {
      done = true;
    },
    () => {
      done = true;
    },
  );
  for (let round = 0; round < 400 && !done; round++) {
    await world.clock.advance(20 + chance() * 100, () => done);
    const dice = chance();
    if (dice < 0.05) cuts += world.network.cut();
    else if (dice < 0.12) cuts += world.network.cut(`m${Math.floor(chance() * count)}`);
    else if (dice < 0.15) {
      // A partition shorter than the silence limit must go unnoticed.
      const a = `m${Math.floor(chance() * count)}`;
      const b = `m${Math.floor(chance() * count)}`;
      if (a === b) continue;
      if (chance() < 0.5) world.network.partition(a, b);
      else world.network.block(a, b);
      await world.clock.advance(chance() * 3_000);
      world.network.heal();
    }
  }
  await world.wait(all, 120_000);
  for (const sink of sinks) sink.close();
  for (let to = 0; to < count; to++) {
    const taken = await world.wait(sinks[to]!.result);
    for (let from = 0; from < count; from++) {
      if (from !== to) assert.deepEqual(got[to]!.get(from), range(MESSAGES), `seed ${seed}: m${from} to m${to}`);
    }
    assert.equal(taken, MESSAGES * (count - 1), `seed ${seed}: every message once`);
  }
  const ends = await watchLoss(world, runtimes, count, chance);
  for (const end of ends) assert.equal(end.length, 1, `seed ${seed}: each monitor fires exactly once`);
  await world.close();
  await world.clock.advance(30_000);
  assert.equal(world.network.connections, 0, `seed ${seed}: no connection is left`);
  assert.equal(world.clock.pending, 0, `seed ${seed}: no timer is left`);
  return { seed, delivered: MESSAGES * count * (count - 1), cuts, steps: world.clock.steps, digest: world.network.trace.digest };
}

// The last machine vanishes, with or without a word: whoever watches a task there hears of it once.
async function watchLoss(world: World, runtimes: Runtime[], count: number, chance: () => number): Promise<TaskEnd[][]> {
  const doomed = runtimes[count - 1] as Runtime;
  const forever = doomed.spawn(async (self: Task<never>) => self.receive());
  const ends: TaskEnd[][] = [];
  for (let i = 0; i < count - 1; i++) {
    const heard: TaskEnd[] = [];
    ends.push(heard);
    void reference(runtimes[i]!, doomed, forever).ended.then((end) => heard.push(end));
  }
  await world.clock.advance(5_000);
  world.crash(doomed, `m${count - 1}`, chance() < 0.5);
  await world.clock.advance(60_000);
  for (const heard of ends) for (const end of heard) assert.equal(end.kind, 'host-lost');
  return ends;
}

/** A reference to a task of one runtime, in another. */
function reference<M, R>(holder: Runtime, owner: Runtime, task: TaskRef<M, R>): TaskRef<M, R> {
  const wire = owner.kernel.references.replace(task)!.payload;
  return holder.kernel.references.revive(1, wire, undefined) as TaskRef<M, R>;
}

/** Hosts and clients come, go and give back in any order: no place is granted twice, and all that is wanted is granted. */
export function runSchedule(seed: number): Report {
  const chance = seededRandom(seed * 13 + 5);
  const state = emptyState();
  const held = new Map<string, { client: string; epoch: number }>();
  let steps = 0;
  const id = (text: string) => text as never;
  const apply = (event: ScheduleEvent): void => {
    steps++;
    for (const effect of react(state, event)) {
      if (effect.kind === 'grant') {
        for (const slot of effect.slots) {
          const key = `${effect.host.id}/${slot}`;
          assert.ok(!held.has(key), `seed ${seed}: ${key} is granted while held`);
          held.set(key, { client: effect.client, epoch: effect.epoch });
        }
      } else if (effect.kind === 'revoke')
        for (const slot of effect.slots) assert.equal(held.get(`${effect.host.id}/${slot}`)?.client, effect.client);
    }
    checkState(state);
  };
  for (let i = 0; i < 80; i++) {
    const dice = chance();
    const host = `h${Math.floor(chance() * 5)}`;
    const client = `c${Math.floor(chance() * 4)}`;
    if (dice < 0.25) {
      for (const key of [...held.keys()]) if (key.startsWith(`${host}/`)) held.delete(key);
      apply({ kind: 'host-joined', id: id(host), name: host, addresses: [], workers: 1 + Math.floor(chance() * 4), held: [] });
    } else if (dice < 0.35) {
      for (const key of [...held.keys()]) if (key.startsWith(`${host}/`)) held.delete(key);
      apply({ kind: 'host-left', id: id(host) });
    } else if (dice < 0.6) {
      if (!state.clients.has(id(client)))
        apply({
          kind: 'client-joined',
          id: id(client),
          name: client,
          wants: chance() < 0.5 ? Number.POSITIVE_INFINITY : 1 + Math.floor(chance() * 5),
          weight: 1 + Math.floor(chance() * 3),
        });
    } else if (dice < 0.7) {
      apply({ kind: 'client-left', id: id(client) });
      free((entry) => entry.client === client);
    } else free(() => chance() < 0.2);
  }
  const wants = [...state.clients.values()].some((c) => c.holds < c.wants);
  assert.ok(!wants || state.free === 0, `seed ${seed}: nobody waits while a place is free`);
  return { seed, delivered: 0, cuts: 0, steps, digest: state.epoch };

  function free(which: (entry: { client: string; epoch: number }) => boolean): void {
    for (const [key, entry] of [...held]) {
      if (!which(entry)) continue;
      const [host, slot] = key.split('/');
      held.delete(key);
      apply({ kind: 'freed', host: id(host as string), slots: [Number(slot)], epoch: entry.epoch });
    }
  }
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
