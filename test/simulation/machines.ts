// A whole cluster on virtual time: scheduler, hosts, workers and clients, each a runtime of its own on a machine of its own.
import assert from 'node:assert/strict';
import { type RuntimeId, SILENT } from '../../src/base/index.ts';
import { Client } from '../../src/cluster/client/client.ts';
import type { ClientOptions } from '../../src/cluster/client/options.ts';
import { Allegiance } from '../../src/cluster/daemons/allegiance.ts';
import { enlist, offer } from '../../src/cluster/daemons/enlist.ts';
import type { ClusterEvent } from '../../src/cluster/events.ts';
import { Scheduler, type SchedulerOptions } from '../../src/cluster/scheduler/scheduler.ts';
import type { Library, Loaded } from '../../src/code/index.ts';
import { type Ground, Host, type HostSettings, WORKER } from '../../src/host/index.ts';
import { Runtime } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';
import { Executor } from '../../src/worker/executor.ts';
import { Gauges } from '../../src/worker/gauges.ts';

/** What goes wrong in a run. */
export const FAULTS = ['half-lost', 'storm', 'one-way', 'scheduler'] as const;
export type Fault = (typeof FAULTS)[number];

const PULSE_MS = 2_000;

/** A client, and what it was told. */
export interface Used {
  readonly client: Client;
  readonly events: ClusterEvent[];
  check(): void;
}

/** A machine with a host. */
export interface Running {
  readonly name: string;
  readonly runtime: Runtime;
  readonly host: Host;
  readonly workers: Set<Runtime>;
  readonly stop: AbortController;
  enlisting: Promise<void>;
}

/** The machines of one seed. */
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

  async startScheduler(options: SchedulerOptions = {}): Promise<void> {
    const { world } = this;
    const runtime = await world.start('s', {
      listen: 'mem://s:1',
      role: 'scheduler',
      pulse: PULSE_MS,
    });
    const scheduler = new Scheduler(runtime, { zombieMs: 300_000, ...options });
    this.#schedulerRuntime = runtime;
    this.scheduler = scheduler;
  }

  /** `options.clients`: so many at a time, as where each has a user of its own. */
  async startHost(workers: number, options: { readonly clients?: number; readonly settings?: HostSettings } = {}): Promise<void> {
    const { world } = this;
    const name = `h${this.#next++}`;
    let host: Host | undefined;
    const runtime = await world.start(name, {
      listen: `mem://${name}:1`,
      role: 'host',
      pulse: PULSE_MS,
    });
    const running: Running = {
      name,
      runtime,
      host: undefined as never,
      workers: new Set(),
      stop: new AbortController(),
      enlisting: Promise.resolve(),
    };
    const allegiance = new Allegiance(runtime, {
      host: name,
      exclusively: 'mem://s:1',
      vacant: () => void (host && offer(runtime, host, allegiance).catch(() => {})),
    });
    host = new Host(
      runtime,
      {
        name,
        workers,
        ground: this.#ground(name, running, options.clients),
        ...options,
        secret: runtime.secret,
        log: SILENT,
        facts: { name, platform: 'simulated', workers, cores: workers, memory: 1, disk: 1, swap: 0 },
      },
      allegiance,
    );
    const made = host;
    (running as { host: Host }).host = made;
    this.hosts.set(name, running);
    running.enlisting = enlist({
      runtime,
      host: made,
      allegiance,
      address: 'mem://s:1',
      log: SILENT,
      signal: running.stop.signal,
      quiet: false,
    }).catch(() => {});
  }

  // Many hosts in one instant, and again later.
  async storm(count: number, chance: () => number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.startHost(1 + Math.floor(chance() * 2))));
  }

  /** Begins to connect a client; time must be moved for it to come to anything. */
  async connect(name: string, options: ClientOptions = {}): Promise<Used> {
    const events: ClusterEvent[] = [];
    const connecting = Client.in(
      {
        scheduler: 'mem://s:1',
        name,
        pulse: PULSE_MS,
        output: 'ignore',
        warn: () => {},
        onStatus: (event) => events.push(event),
        ...options,
      },
      this.world.environment(name),
      this.#library(),
    );
    const client = await connecting;
    return { client, events, check: () => checkEvents(events, `seed ${this.#seed}`) };
  }

  startClient(name: string, options: ClientOptions = {}): Promise<Used> {
    return this.world.wait(this.connect(name, options), 600_000);
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
        else for (let i = 0; i < 3; i++) await this.leave(pick());
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
    for (const name of [...this.hosts.keys()]) await this.leave(name);
    await this.world.close();
    await this.world.clock.advance(30_000);
  }

  /** A host ends as its daemon does. */
  async leave(name: string): Promise<void> {
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

  #ground(machine: string, running: Running, homes = Number.POSITIVE_INFINITY): Ground {
    const { world } = this;
    let pid = 1;
    let taken = 0;
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
          worker = await Runtime.start({ name: config.name, role: 'worker', pulse: PULSE_MS }, environment);
          worker.links.keepers.add(keeps);
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
      enter: () => {
        if (taken >= homes) throw new Error('all users are taken');
        taken++;
        return { folder: '/', account: undefined };
      },
      room: () => '/',
      give() {},
      leave: async () => {
        taken--;
      },
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
    const stopping = new Map<number, { cancel(): void }>();
    const executor = new Executor({
      post: kernel,
      clock,
      gauges,
      place: kernel.place,
      load: async (shipped) => this.#functions.get(shipped.unit) as Loaded,
      turn: () => new Promise((resolve) => clock.after(0, resolve)),
      recalled: () => recalled.splice(0),
      onSettled: (call) => stopping.get(call)?.cancel(),
    });
    const recall = (calls: readonly number[]): readonly number[] =>
      gauges.recall(calls, (them) => {
        recalled = [...recalled, ...them];
      });
    kernel.serve(
      WORKER,
      { recall: (_asked, calls) => recall(calls) },
      {
        message: (_peer, order) => {
          if (order.kind === 'cancel')
            return void stopping.set(
              order.call,
              clock.after(500, () => die('a call did not end in time')),
            );
          executor.interrupt(new Error(order.reason));
          clock.after(500, () => die(order.reason));
        },
      },
    );
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
