// One seeded run: runtimes exchange numbered messages and work while links are cut, blocked and machines lost.
import assert from 'node:assert/strict';
import { checkState, emptyState, freeOf, react, type ScheduleEvent } from '../../src/cluster/index.ts';
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
  const listening: number[] = [];
  const got: Map<number, number[]>[] = [];
  const sinks: TaskRef<Numbered, number>[] = [];
  for (let i = 0; i < count; i++) {
    // Some do not listen: they can only dial, and are reached on the sessions they opened.
    const listens = i === 0 || chance() < 0.7;
    const runtime = await world.start(`m${i}`, { pulse: 2_000, ...(listens ? { listen: `mem://m${i}:1` } : {}) });
    runtimes.push(runtime);
    if (listens) listening.push(i);
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
  const dials: Promise<void>[] = [];
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
      const to = listening[Math.floor(chance() * listening.length)] as number;
      if (to !== from && n % 20 === 5) dials.push(dialled(seed, runtimes[from]!, runtimes[to]!));
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
  await world.wait(Promise.all(dials), 120_000);
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

// Whoever dials an address, in the middle of all, gets to whom it leads; only across a partition nobody answers.
async function dialled(seed: number, from: Runtime, to: Runtime): Promise<void> {
  try {
    assert.equal(await from.connect(to.locations[0] as string), to.id);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    assert.equal(code, 'ERR_LINK_UNREACHABLE', `seed ${seed}: ${from.name} dials ${to.name}: ${message}`);
  }
}

/** A reference to a task of one runtime, in another. */
function reference<M, R>(holder: Runtime, owner: Runtime, task: TaskRef<M, R>): TaskRef<M, R> {
  const wire = owner.kernel.references.replace(task)!.payload;
  return holder.kernel.references.revive(1, wire, undefined) as TaskRef<M, R>;
}

/** Hosts and clients come, go and give back in any order: no place is granted twice, and all that is wanted is granted. */
export function runSchedule(seed: number): Report {
  const chance = seededRandom(seed * 13 + 5);
  let state = emptyState();
  const held = new Map<string, { client: string; epoch: number }>();
  const admitted = new Set<string>();
  const early: string[] = [];
  let steps = 0;
  const id = (text: string) => text as never;
  const apply = (event: ScheduleEvent): void => {
    steps++;
    for (const effect of react(state, event)) {
      if (effect.kind === 'grant') {
        const client = state.clients.get(effect.client)!;
        assert.ok(client.admitted, `seed ${seed}: only who has been admitted is granted anything`);
        for (const slot of effect.slots) {
          const key = `${effect.host.id}/${slot}`;
          assert.ok(!held.has(key), `seed ${seed}: ${key} is granted while held`);
          held.set(key, { client: effect.client, epoch: effect.epoch });
        }
        assert.ok((client.on.get(effect.host.id)?.size ?? 0) <= (client.most.get(effect.host.id) ?? Number.POSITIVE_INFINITY));
      } else if (effect.kind === 'await') early.push(effect.client);
      else if (effect.kind === 'revoke')
        for (const slot of effect.slots) assert.equal(held.get(`${effect.host.id}/${slot}`)?.client, effect.client);
      else if (effect.kind === 'admit') {
        const others = [...state.clients.values()].filter((c) => c.id !== effect.client && c.admitted && c.holds > 0);
        const alone = state.clients.get(effect.client)?.exclusive && !admitted.has(effect.client);
        if (alone && ![...held.values()].some((h) => h.client === effect.client))
          assert.deepEqual(others, [], `seed ${seed}: an exclusive client begins alone`);
        admitted.add(effect.client);
      }
    }
    checkState(state);
  };
  const joinHost = (host: string, workers: number): void =>
    apply({
      kind: 'host-joined',
      id: id(host),
      name: host,
      addresses: [],
      workers,
      open: chance() < 0.9,
      held: [...held].flatMap(([key, { client, epoch }]) =>
        key.startsWith(`${host}/`) && Number(key.split('/')[1]) <= workers
          ? [{ client: id(client), slots: [Number(key.split('/')[1])], epoch }]
          : [],
      ),
    });
  const joinClient = (client: string): void =>
    apply({
      kind: 'client-joined',
      id: id(client),
      name: client,
      wants: chance() < 0.5 ? Number.POSITIVE_INFINITY : 1 + Math.floor(chance() * 5),
      weight: 1 + Math.floor(chance() * 3),
      exclusive: chance() < 0.2,
      picky: chance() < 0.2,
      now: steps,
      since: steps - Math.floor(chance() * 300),
    });
  const sizes = new Map<string, number>();
  for (let i = 0; i < 100; i++) {
    const dice = chance();
    const host = `h${Math.floor(chance() * 5)}`;
    const client = `c${Math.floor(chance() * 4)}`;
    if (dice < 0.25) {
      // A host that comes back as another has lost what it held; one that only lost its scheduler has not.
      if (chance() < 0.5 || !sizes.has(host)) {
        for (const key of [...held.keys()]) if (key.startsWith(`${host}/`)) held.delete(key);
        sizes.set(host, 1 + Math.floor(chance() * 4));
      }
      joinHost(host, sizes.get(host)!);
    } else if (dice < 0.33) {
      for (const key of [...held.keys()]) if (key.startsWith(`${host}/`)) held.delete(key);
      sizes.delete(host);
      apply({ kind: 'host-left', id: id(host) });
    } else if (dice < 0.55) {
      if (!state.clients.has(id(client))) joinClient(client);
    } else if (dice < 0.63) {
      apply({ kind: 'client-left', id: id(client) });
      admitted.delete(client);
      free((entry) => entry.client === client);
    } else if (dice < 0.7) apply({ kind: 'client-takes', id: id(client), host: id(host), most: Math.floor(chance() * 4) });
    else if (dice < 0.72) apply({ kind: 'client-silent', id: id(client), silent: chance() < 0.5 });
    else if (dice < 0.73) apply({ kind: 'ask-again' });
    else if (dice < 0.74) swap(client);
    else if (dice < 0.75) apply({ kind: 'client-asked', id: id(client), since: steps - Math.floor(chance() * 600) });
    else if (dice < 0.76 && early.length > 0) apply({ kind: 'client-due', id: id(early.shift() as string) });
    else if (dice < 0.77) {
      // The scheduler is restarted: it knows nothing but what hosts and clients tell it, in any order.
      const clients = [...state.clients.values()];
      state = emptyState();
      admitted.clear();
      const back = [
        ...[...sizes].map(
          ([name, workers]) =>
            () =>
              joinHost(name, workers),
        ),
        ...clients.map(({ id: who, name, wants, weight, exclusive, picky, since }) => () => {
          apply({ kind: 'client-joined', id: who, name, wants, weight, exclusive, picky, now: steps, since });
        }),
      ];
      while (back.length > 0) back.splice(Math.floor(chance() * back.length), 1)[0]!();
    } else free(() => chance() < 0.2);
  }
  for (const client of early) apply({ kind: 'client-due', id: id(client) });
  for (const client of state.clients.values()) {
    if (!client.admitted || client.silent || client.holds >= client.wants) continue;
    for (const host of state.hosts.values()) {
      const most = client.most.get(host.id) ?? (client.picky ? 0 : Number.POSITIVE_INFINITY);
      const takes = host.open && freeOf(host) > 0 && (client.on.get(host.id)?.size ?? 0) < most;
      assert.ok(!takes, `seed ${seed}: nobody waits while a place that it takes is free`);
    }
  }
  const turn = [...state.clients.values()].find((client) => !client.admitted);
  if (turn && state.strangers.size === 0)
    assert.ok(
      [...state.clients.values()].some((client) => client.admitted),
      `seed ${seed}: somebody's turn is always now`,
    );
  return { seed, delivered: 0, cuts: 0, steps, digest: state.epoch };

  // A client gives any other of its places than one that it was asked for.
  function swap(client: string): void {
    const known = state.clients.get(id(client));
    const mine = [...held].flatMap(([key, entry]) => (entry.client === client ? [key.split('/') as [string, string]] : []));
    const places = mine.map(([host, slot]) => ({ host: id(host), slot: Number(slot) }));
    const isAsked = ({ host, slot }: (typeof places)[number]): boolean => (state.hosts.get(host)?.held.get(slot)?.asked ?? 0) > 0;
    const asked = places.find(isAsked);
    const given = places.find((place) => !isAsked(place));
    if (!known || !asked || !given) return;
    const { leaving } = known;
    apply({ kind: 'client-swaps', id: id(client), asked, given });
    assert.equal(known.leaving, leaving, `seed ${seed}: what is given instead is counted on instead`);
    free((_entry, key) => key === `${given.host}/${given.slot}`);
  }

  function free(which: (entry: { client: string; epoch: number }, key: string) => boolean): void {
    for (const [key, entry] of [...held]) {
      if (!which(entry, key)) continue;
      const [host, slot] = key.split('/');
      held.delete(key);
      apply({ kind: 'freed', host: id(host as string), slots: [Number(slot)], epoch: entry.epoch });
    }
  }
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
