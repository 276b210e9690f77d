// One seeded run of clients that share a cluster: they come in one instant, beside long tasks, or fall silent to one other only.
//
//   Nobody waits while a place of somebody above its share is idle, but for a bounded time; nobody but the two hears of a silence between two.
import assert from 'node:assert/strict';
import type { ClusterEvent } from '../../src/cluster/events.ts';
import type { Task, TaskRef } from '../../src/kernel/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { Cluster, type Used } from './machines.ts';

/** How clients meet. */
export const MEETINGS = ['in one instant', 'beside long work', 'a silence of two'] as const;
export type Meeting = (typeof MEETINGS)[number];

export interface SharingReport {
  readonly seed: number;
  readonly meeting: Meeting;
  readonly clients: number;
  readonly places: number;
  readonly digest: number;
}

/** Time in which a client that comes has what is idle, and shares are right. */
const BOUND_MS = 5_000;

/** Clients come, share, fall silent and leave; everybody has its part within a bound, and nothing is left. */
export async function runSharing(seed: number, meeting: Meeting): Promise<SharingReport> {
  const run = new Sharing(seed);
  const places = await run.begin();
  switch (meeting) {
    case 'in one instant':
      await run.together();
      break;
    case 'beside long work':
      await run.besideWork();
      break;
    case 'a silence of two':
      await run.silence();
      break;
  }
  const clients = run.came;
  await run.end();
  return { seed, meeting, clients, places, digest: run.cluster.world.network.trace.digest };
}

class Sharing {
  readonly cluster: Cluster;
  came = 0;
  readonly #seed: number;
  readonly #chance: () => number;
  readonly #here = new Map<string, Used>();
  #places = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.cluster = new Cluster(seed);
    this.#chance = seededRandom(seed * 17 + 3);
  }

  async begin(): Promise<number> {
    await this.cluster.startScheduler({ quotas: new Map([['quota', 1]]) });
    for (let hosts = 2 + this.#below(3); hosts > 0; hosts--) {
      const workers = 1 + this.#below(3);
      this.#places += workers;
      await this.cluster.startHost(workers);
    }
    await this.cluster.world.clock.advance(2_000);
    assert.equal(
      this.cluster.scheduler?.status.hosts.reduce((sum, host) => sum + host.workers, 0),
      this.#places,
    );
    return this.#places;
  }

  // Some at once, or a few milliseconds apart; later some more; then some leave.
  async together(): Promise<void> {
    const names = [...['a', 'b', 'c', 'quota'].slice(0, Math.max(2, Math.min(this.#places, 2 + this.#below(3))))];
    await this.#join(names, this.#below(2) * 40);
    await this.#shared('they came at once');
    const leaving = names[this.#below(names.length)] as string;
    await this.#leave(leaving);
    await this.#shared('one left');
    await this.#join(['late', leaving].slice(0, this.#places - names.length + 1), 0);
    await this.#shared('two more came');
  }

  // A client that has everything works at length on some places; others come, and have the rest.
  async besideWork(): Promise<void> {
    await this.#join(['a'], 0);
    await this.cluster.world.clock.advance(BOUND_MS);
    const { client } = this.#used('a');
    const tasks: TaskRef<number, number>[] = [];
    for (let i = 1 + this.#below(this.#places - 1); i > 0; i--) tasks.push(await this.cluster.world.wait(client.spawn(adder)));
    const newcomers = ['b', 'c'].slice(0, Math.min(this.#places - tasks.length, 1 + this.#below(2)));
    await this.#join(newcomers, 0);
    await this.#shared('they came beside tasks');
    let calls = 0;
    const { clock } = this.cluster.world;
    const long = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
    for (let i = 0; i < this.#places * 4; i++) void client.run(long, 2_000 + this.#below(8_000)).then(() => calls++);
    for (const task of tasks) task.close();
    for (const task of tasks) assert.equal((await this.cluster.world.wait(task.ended)).kind, 'returned', this.#at('tasks are let end'));
    await clock.advance(10_000);
    await this.#shared('tasks ended, calls of seconds go on');
    for (const name of newcomers) await this.#leave(name);
    await clock.advance(this.#places * 40_000);
    assert.equal(calls, this.#places * 4, this.#at('every call is done'));
    assert.deepEqual(lost(this.#used('a').events), [], this.#at('places are given back by who has them, not taken'));
  }

  // Two hear nothing of each other for a while: what runs goes on, and whoever comes meanwhile has its part.
  async silence(): Promise<void> {
    const { world, hosts } = this.cluster;
    await this.#join(['a', 'b'], 1_000);
    await this.#shared('two came');
    const tasks: TaskRef<number, number>[] = [];
    for (const name of ['a', 'b']) {
      const { client } = this.#used(name);
      tasks.push(await world.wait(client.with({ io: 4 }).spawn(adder)));
    }
    for (let round = 0; round < 3; round++) {
      const [one, other] = this.#below(3) > 0 ? ['a', 's'] : ['s', [...hosts.keys()][this.#below(hosts.size)] as string];
      for (const [from, to] of this.#below(2) > 0
        ? [[one, other]]
        : [
            [one, other],
            [other, one],
          ])
        world.network.block(from as string, to as string);
      if (this.#below(2) > 0) world.network.cut(one); // of a connection that is cut, too, only silence tells
      await world.clock.advance(this.#below(2) > 0 ? 3_000 : this.#below(60_000));
      world.network.heal();
      for (const task of tasks) task.send(1);
      await world.clock.advance(20_000);
      await this.#shared(`round ${round}`);
    }
    for (const task of tasks) task.close();
    for (const task of tasks) {
      const end = await world.wait(task.ended);
      assert.deepEqual(end, { kind: 'returned', value: 3 }, this.#at('its task went on'));
    }
    for (const { events } of this.#here.values()) assert.deepEqual(lost(events), [], this.#at('nothing was lost'));
  }

  async end(): Promise<void> {
    const { world } = this.cluster;
    for (const name of [...this.#here.keys()]) await this.#leave(name);
    await world.clock.advance(30_000);
    assert.deepEqual(this.cluster.scheduler?.status.clients, [], this.#at('the scheduler knows no client'));
    for (const host of this.cluster.scheduler?.status.hosts ?? []) assert.equal(host.granted, 0, this.#at('nothing is held'));
    await this.cluster.close();
    assert.equal(world.network.connections, 0, this.#at('no connection is left'));
    assert.equal(world.clock.pending, 0, this.#at('no timer is left'));
  }

  async #join(names: readonly string[], apartMs: number): Promise<void> {
    const { clock } = this.cluster.world;
    const joining = names.map(async (name) => {
      const delay = this.#chance() * apartMs;
      if (delay > 0) await new Promise<void>((resolve) => clock.after(delay, resolve));
      const options = { pulse: this.#below(2) > 0 ? 2_000 : 500, weight: 1 + this.#below(3) };
      this.#here.set(name, await this.cluster.connect(name, options));
    });
    this.came += names.length;
    await this.cluster.world.wait(Promise.all(joining), apartMs + BOUND_MS).catch((error: Error) => {
      const without = names.filter((name) => !this.#here.has(name));
      throw new Error(`${this.#at(`${without.join(', ')} waited while places were idle`)}\n${this.#state()}`, { cause: error });
    });
  }

  async #leave(name: string): Promise<void> {
    const used = this.#used(name);
    this.#here.delete(name);
    await this.cluster.world.wait(used.client.close(), 120_000);
    used.check();
  }

  // What the scheduler, the hosts and the clients say is one; nobody is below its share while who is above it has an idle place.
  async #shared(when: string): Promise<void> {
    await this.cluster.world.clock.advance(BOUND_MS);
    const { clients, hosts } = this.cluster.scheduler!.status;
    const what = (text: string): string => `${this.#at(`${when}: ${text}`)}\n${this.#state()}`;
    assert.equal(hosts.length, this.cluster.hosts.size, what('every host is there'));
    const wanting = clients.filter((one) => one.workers < (one.wants ?? Number.POSITIVE_INFINITY));
    for (const host of hosts) if (wanting.length > 0) assert.equal(host.granted, host.workers, what(`no place of ${host.name} is free`));
    for (const { name, workers } of clients) {
      const { client } = this.#used(name);
      const mine = client.hosts().reduce((sum, host) => sum + host.ready, 0);
      assert.equal(mine, workers, what(`${name} has what the scheduler says`));
      const there = [...this.cluster.hosts.values()]
        .flatMap(({ host }) => host.offer.held)
        .filter((held) => held.client === client.runtime.id);
      assert.equal(there.length, workers, what(`hosts hold for ${name} what the scheduler says`));
    }
    for (const from of clients) {
      const idle = this.#used(from.name)
        .client.workers()
        .filter(({ state, tasks, running }) => state === 'ready' && tasks + running === 0);
      for (const needy of wanting) {
        if (needy === from || idle.length === 0) continue;
        assert.ok(needy.workers > 0 || from.workers < 2, what(`${needy.name} has nothing while ${from.name} has more than one`));
        assert.ok(
          (from.workers - 1) / from.weight < (needy.workers + 1) / needy.weight,
          what(`${needy.name} waits for what is idle at ${from.name}`),
        );
      }
    }
  }

  #used(name: string): Used {
    const used = this.#here.get(name);
    assert.ok(used, this.#at(`${name} is here`));
    return used;
  }

  #state(): string {
    const { clients = [], hosts = [] } = this.cluster.scheduler?.status ?? {};
    const own = [...this.#here].map(
      ([name, { client }]) =>
        `${name}: ${client
          .workers()
          .map((one) => `${one.name} ${one.state} ${one.running}+${one.tasks}`)
          .join(', ')}`,
    );
    return [
      ...hosts.map(({ name, workers, granted }) => `host ${name}: ${granted} of ${workers} are held`),
      ...clients.map(({ name, workers, weight }) => `client ${name}: holds ${workers}, weighs ${weight}`),
      ...own,
    ].join('\n');
  }

  #below(n: number): number {
    return Math.floor(this.#chance() * n);
  }

  #at(text: string): string {
    return `seed ${this.#seed}: ${text}`;
  }
}

function lost(events: readonly ClusterEvent[]): readonly string[] {
  return events.flatMap((event) => (/-lost$/.test(event.kind) ? [JSON.stringify(event)] : []));
}

async function adder(self: Task<number>): Promise<number> {
  let sum = 0;
  for await (const n of self) sum += n;
  return sum;
}
