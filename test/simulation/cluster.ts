// One seeded run of a whole cluster on virtual time: scheduler, hosts, workers and clients, each a runtime of its own, under one kind of fault.
import assert from 'node:assert/strict';
import { type RuntimeId, SILENT, sleep } from '../../src/base/index.ts';
import { Client } from '../../src/cluster/client.ts';
import { enlist } from '../../src/cluster/enlist.ts';
import type { ClusterEvent } from '../../src/cluster/events.ts';
import { Scheduler } from '../../src/cluster/scheduler.ts';
import { Executor } from '../../src/cluster/worker/executor.ts';
import { Gauges } from '../../src/cluster/worker/gauges.ts';
import type { Library, Loaded } from '../../src/code/index.ts';
import { type Ground, Host, type WorkerOrder } from '../../src/host/index.ts';
import { PORT, Runtime, type Task } from '../../src/kernel/index.ts';
import { seededRandom, World } from '../../src/testing/index.ts';

/** What goes wrong in a run. */
export const FAULTS = ['half-lost', 'storm', 'one-way', 'scheduler'] as const;
export type Fault = (typeof FAULTS)[number];

export interface ClusterReport {
  readonly seed: number;
  readonly fault: Fault;
  readonly calls: number;
  readonly retried: number;
  readonly faults: number;
  readonly digest: number;
}

const PULSE_MS = 2_000;
const double = (n: number): Promise<number> => new Promise((resolve) => void setTimeoutOf.after(n % 97, () => resolve(n * 2)));
let setTimeoutOf: World['clock'];

/** Everything is settled once and rightly, nobody holds what another has, and nothing is left. */
export async function runCluster(seed: number, fault: Fault): Promise<ClusterReport> {
  const cluster = new Cluster(seed);
  setTimeoutOf = cluster.world.clock;
  const chance = seededRandom(seed * 11 + 5);
  const { world } = cluster;
  const hosts = fault === 'storm' ? 0 : 3 + Math.floor(chance() * 3);
  await cluster.startScheduler();
  for (let i = 0; i < hosts; i++) await cluster.startHost(1 + Math.floor(chance() * 2));
  if (fault === 'storm') void cluster.storm(8 + Math.floor(chance() * 8), chance);
  const clients: Used[] = [];
  const count = 1 + Math.floor(chance() * 2);
  for (let i = 0; i < count; i++) clients.push(await cluster.startClient(`c${i}`, fault === 'half-lost' ? 5_000 : false));
  let done = false;
  const work = Promise.all(clients.map((one, i) => use(one, seed * 10 + i, world))).finally(() => {
    done = true;
  });
  work.catch(() => {});
  let faults = 0;
  for (let round = 0; round < 300 && !done; round++) {
    await world.clock.advance(100 + chance() * 900, () => done);
    if (done || chance() > 0.25 || faults >= 6) continue;
    faults += await cluster.harm(fault, chance);
  }
  world.network.heal();
  const totals = await world.wait(work, 3_600_000).catch((error: Error) => {
    const why = clients.flatMap(({ client }) => [JSON.stringify(client.counters), ...client.explain()]);
    throw new Error([`seed ${seed}: ${error.message}`, ...why].join('\n'), { cause: error });
  });
  for (const one of clients) {
    one.check();
    await world.wait(one.client.close(), 120_000);
    one.check();
    assert.equal(one.events.at(-1)?.kind, 'client-closed', `seed ${seed}`);
  }
  await world.clock.advance(400_000); // whom nobody heard leave is waited for
  for (const { host, name } of cluster.hosts.values()) assert.deepEqual(host.clients, [], `seed ${seed}: ${name} is free`);
  const { status } = cluster.scheduler!;
  assert.deepEqual(status.clients, [], `seed ${seed}: the scheduler knows no client`);
  for (const host of status.hosts) assert.equal(host.granted, 0, `seed ${seed}: nothing of ${host.name} is held`);
  await cluster.close();
  assert.equal(world.network.connections, 0, `seed ${seed}: no connection is left`);
  assert.equal(world.clock.pending, 0, `seed ${seed}: no timer is left`);
  return {
    seed,
    fault,
    calls: totals.reduce((sum, one) => sum + one.calls, 0),
    retried: clients.reduce((sum, { client }) => sum + client.counters.retried, 0),
    faults,
    digest: world.network.trace.digest,
  };
}

async function use({ client }: Used, seed: number, world: World): Promise<{ calls: number }> {
  const chance = seededRandom(seed);
  let calls = 0;
  const patient = client.with({ retries: 1_000 });
  const runs = Array.from({ length: 30 }, async (_, i) => {
    await sleep(world.clock, chance() * 20_000);
    assert.equal(await patient.run(double, i), i * 2);
    calls++;
  });
  const seen: number[] = [];
  const mapped = (async () => {
    for await (const { index, value, error } of patient.map(double, range(80), { unordered: chance() < 0.5 }).outcomes()) {
      assert.equal(error, undefined);
      assert.equal(value, index * 2);
      seen.push(index);
      calls++;
    }
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      range(80),
    );
  })();
  const talks = Array.from({ length: 2 }, async () => {
    await sleep(world.clock, chance() * 10_000);
    const starting = client.with({ io: 4 }).spawn(adder, 100);
    const task = await starting.catch((error: Error & { code?: string }) => {
      if (error.code !== 'ERR_WORKER_LOST') throw error;
      return undefined; // lost while it began: it is not run twice
    });
    calls++;
    if (!task) return;
    let ends = 0;
    void task.ended.then(() => ends++);
    for (let n = 0; n < 5; n++) {
      if (!task.send(n)) await task.room();
      await sleep(world.clock, chance() * 2_000);
    }
    task.close();
    const end = await task.ended;
    if (end.kind === 'returned') assert.equal(end.value, 110);
    else assert.match(end.kind, /^(worker-lost|host-lost|terminated)$/);
    assert.equal(ends, 1);
  });
  await Promise.all([...runs, mapped, ...talks]);
  return { calls };
}

async function adder(self: Task<number>, start: number): Promise<number> {
  let sum = start;
  for await (const n of self) sum += n;
  return sum;
}

interface Used {
  readonly client: Client;
  readonly events: ClusterEvent[];
  check(): void;
}

interface Running {
  readonly name: string;
  readonly runtime: Runtime;
  readonly host: Host;
  readonly workers: Set<Runtime>;
  readonly stop: AbortController;
  enlisting: Promise<void>;
}

/** A simulated cluster; `close` it when done. */
export class Cluster {
  readonly world: World;
  readonly hosts = new Map<string, Running>();
  scheduler: Scheduler | undefined;
  readonly #functions = new Map<string, Loaded>();
  readonly #seed: number;
  #schedulerRuntime: Runtime | undefined;
  #next = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.world = new World({ seed, latencyMs: [0, 1 + (seed % 20)] });
  }

  async startScheduler(): Promise<void> {
    const { world } = this;
    const runtime = await world.start('s', {
      listen: 'mem://s:1',
      role: 'scheduler',
      pulse: PULSE_MS,
      keeps: (peer, quiet) => this.scheduler?.keeps(peer, quiet) ?? false,
    });
    const scheduler = new Scheduler(runtime, { zombieMs: 300_000 });
    this.#schedulerRuntime = runtime;
    this.scheduler = scheduler;
    runtime.kernel.onEnded = (peer) => scheduler.peerEnded(peer);
    runtime.kernel.onOffline = (peer, offline) => scheduler.peerOffline(peer, offline);
  }

  async startHost(workers: number): Promise<void> {
    const { world } = this;
    const name = `h${this.#next++}`;
    let host: Host | undefined;
    const runtime = await world.start(name, {
      listen: `mem://${name}:1`,
      role: 'host',
      pulse: PULSE_MS,
      keeps: (peer, quiet) => host?.keeps(peer, quiet) ?? false,
    });
    const running: Running = {
      name,
      runtime,
      host: undefined as never,
      workers: new Set(),
      stop: new AbortController(),
      enlisting: Promise.resolve(),
    };
    host = new Host(
      runtime,
      {
        name,
        workers,
        ground: this.#ground(name, running),
        secret: runtime.secret,
        log: SILENT,
        facts: { name, platform: 'simulated', workers, cores: workers, memory: 1 },
      },
      {
        freed: (_client, slots, epoch) => {
          if (host?.scheduler)
            void runtime.kernel.ask(host.scheduler, PORT.SCHEDULER, 'freed', [slots, epoch], { timeout: 10_000 }).catch(() => {});
        },
        left() {},
      },
    );
    const made = host;
    (running as { host: Host }).host = made;
    made.exclusively = 'mem://s:1';
    this.hosts.set(name, running);
    runtime.kernel.onEnded = (peer) => {
      made.peerEnded(peer);
      if (peer === made.scheduler) made.disown();
    };
    runtime.kernel.onOffline = (peer, offline) => made.peerOffline(peer, offline);
    running.enlisting = enlist(runtime, made, 'mem://s:1', SILENT, running.stop.signal, false).catch(() => {});
  }

  // Many hosts in one instant, and again later.
  async storm(count: number, chance: () => number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.startHost(1 + Math.floor(chance() * 2))));
  }

  async startClient(name: string, abandonZombieHosts: number | boolean, warn: (text: string) => void = () => {}): Promise<Used> {
    const events: ClusterEvent[] = [];
    const connecting = Client.in(
      {
        scheduler: 'mem://s:1',
        name,
        pulse: PULSE_MS,
        abandonZombieHosts,
        output: 'ignore',
        warn,
        onStatus: (event) => events.push(event),
      },
      this.world.environment(name),
      this.#library(),
    );
    const client = await this.world.wait(connecting, 600_000);
    return { client, events, check: () => checkEvents(events, `seed ${this.#seed}`) };
  }

  /** One fault; how many it was. */
  async harm(fault: Fault, chance: () => number): Promise<number> {
    const { world } = this;
    const names = [...this.hosts.keys()];
    const pick = (): string => names[Math.floor(chance() * names.length)] as string;
    switch (fault) {
      case 'half-lost': {
        for (const name of names.slice(0, Math.ceil(names.length / 2))) this.#power(name, chance() < 0.5);
        for (let i = 0; i < Math.ceil(names.length / 2); i++) await this.startHost(1 + Math.floor(chance() * 2));
        return 1;
      }
      case 'storm':
        if (chance() < 0.5 || names.length < 4) await this.storm(4, chance);
        else for (let i = 0; i < 3; i++) await this.#leave(pick());
        return 1;
      case 'one-way': {
        const all = ['s', 'c0', ...names];
        const from = all[Math.floor(chance() * all.length)] as string;
        const to = all[Math.floor(chance() * all.length)] as string;
        if (from === to) return 0;
        world.network.block(from, to);
        await world.clock.advance(chance() * 40_000);
        world.network.heal();
        return 1;
      }
      case 'scheduler': {
        const before = this.#schedulerRuntime as Runtime;
        if (chance() < 0.5) world.crash(before, 's', chance() < 0.5);
        else {
          const closing = before.close();
          await world.wait(closing, 60_000);
        }
        await world.clock.advance(chance() * 15_000);
        await this.startScheduler();
        return 1;
      }
    }
  }

  async close(): Promise<void> {
    for (const name of [...this.hosts.keys()]) await this.#leave(name);
    await this.world.close();
    await this.world.clock.advance(30_000);
  }

  // A host ends as its daemon does.
  async #leave(name: string): Promise<void> {
    const running = this.hosts.get(name);
    if (!running) return;
    this.hosts.delete(name);
    running.stop.abort(new Error('the host closes'));
    await this.world.wait(running.enlisting, 60_000);
    await this.world.wait(running.host.close(), 60_000);
    await this.world.wait(running.runtime.close(), 60_000);
  }

  // A machine loses its power.
  #power(name: string, tell: boolean): void {
    const running = this.hosts.get(name) as Running;
    this.hosts.delete(name);
    running.stop.abort(new Error('lost'));
    for (const worker of running.workers) worker.hub.abandon();
    this.world.crash(running.runtime, name, tell);
  }

  #ground(machine: string, running: Running): Ground {
    const { world } = this;
    let pid = 1;
    return {
      launch: (config, _home, handler) => {
        const [near, far] = world.network.pair(machine, `worker ${config.name}`);
        let worker: Runtime | undefined;
        let dead = false;
        let gone: () => void = () => {};
        const ended = new Promise<void>((resolve) => {
          gone = resolve;
        });
        const die = (reason: string): void => {
          if (dead) return;
          dead = true;
          if (worker) running.workers.delete(worker);
          worker?.hub.abandon();
          near.destroy();
          far.destroy();
          handler.ended(reason, []);
          gone();
        };
        const start = async (): Promise<void> => {
          const keeps = (peer: RuntimeId): boolean => worker?.kernel.peers.get(peer)?.role === 'client';
          const environment = world.environment(machine);
          worker = await Runtime.start({ name: config.name, role: 'worker', pulse: PULSE_MS, keeps }, environment);
          if (dead) return worker.hub.abandon();
          running.workers.add(worker);
          this.#work(worker, die);
          await worker.hub.adopt(far, 'dialer');
        };
        start().catch((error: Error) => die(error.message));
        return {
          pid: pid++,
          conn: near,
          kill(reason) {
            die(reason);
            return ended;
          },
        };
      },
      enter: () => ({ folder: '/', account: undefined }),
      room: () => '/',
      give() {},
      leave: () => Promise.resolve(),
      store: { put: () => Promise.resolve(), provide: () => Promise.resolve([]), install: () => Promise.resolve() },
      availability: () => ({ cpu: 100, memory: 1, disk: 1, swap: 0, load: 0 }),
      close: () => Promise.resolve(),
    };
  }

  #work(worker: Runtime, die: (reason: string) => void): void {
    const { kernel } = worker;
    const { clock } = worker.environment;
    const gauges = new Gauges();
    let recalled: number[] = [];
    const executor = new Executor({
      kernel,
      clock,
      gauges,
      place: kernel.place,
      load: async (shipped) => this.#functions.get(shipped.unit) as Loaded,
      turn: () => new Promise((resolve) => clock.after(0, resolve)),
      recalled: () => recalled.splice(0),
    });
    const orders = kernel.methods({
      recall: (_asked, calls: number[]) =>
        gauges.recall(calls, (them) => {
          recalled = [...recalled, ...them];
        }),
    });
    kernel.serve(PORT.WORKER, {
      ...orders,
      message: (_peer, value) => {
        const order = value as WorkerOrder;
        if (order.kind !== 'interrupt') return;
        executor.interrupt(new Error(order.reason));
        clock.after(500, () => die(order.reason));
      },
    });
  }

  // Functions are known to all: nothing is shipped.
  #library(): Library {
    const units = new Map<unknown, string>();
    return {
      ship: (fn: Loaded) => {
        let unit = units.get(fn);
        if (!unit) {
          unit = `u${this.#functions.size}`;
          units.set(fn, unit);
          this.#functions.set(unit, fn);
        }
        return Promise.resolve({ label: fn.name, unit, name: fn.name, path: [] });
      },
      firstAt: (fn: Loaded) => fn,
      evaluated: () => [],
      closure: () => [],
      mapStack: (text: string) => text,
    } as unknown as Library;
  }
}

// Q: each host and worker is discovered before it is initialized, ends once, and comes back only after its end.
function checkEvents(events: readonly ClusterEvent[], what: string): void {
  const hosts = new Map<string, string>();
  const workers = new Map<string, string>();
  const ended = new Map<number, number>();
  const ends = ['host-closed', 'host-lost', 'host-failed', 'worker-closed', 'worker-lost'];
  for (const [i, event] of events.entries()) {
    const [of, key] = 'worker' in event ? [workers, event.worker] : 'host' in event ? [hosts, event.host] : [undefined, ''];
    if (event.kind === 'client-closed') {
      assert.equal(i, events.length - 1, `${what}: nothing is told after the end`);
      assert.deepEqual([...hosts, ...workers], [], `${what}: all has ended by then`);
    } else if (event.kind === 'task-ended') {
      assert.ok(!ended.has(event.id), `${what}: a task ends once`);
      ended.set(event.id, i);
    } else if (of && (event.kind === 'host-discovered' || event.kind === 'worker-discovered')) {
      assert.ok(!of.has(key), `${what}: ${event.kind} of ${key} at ${i}, which is there already`);
      if (of === workers) assert.equal(hosts.get((event as { host: string }).host), 'initialized', `${what}: its host before ${key}`);
      of.set(key, 'discovered');
    } else if (of && (event.kind === 'host-initialized' || event.kind === 'worker-initialized')) {
      assert.equal(of.get(key), 'discovered', `${what}: ${event.kind} of ${key} at ${i}`);
      of.set(key, 'initialized');
    } else if (of && ends.includes(event.kind)) {
      // A host that cannot even be asked has not been discovered.
      assert.ok(of.delete(key) || event.kind === 'host-failed', `${what}: ${event.kind} of ${key} at ${i}, which is not there`);
      if (of === hosts)
        assert.ok(![...workers.keys()].some((name) => name.startsWith(`${key}/`)), `${what}: the workers of ${key} before it`);
    }
  }
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
