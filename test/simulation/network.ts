// Networks of 5 to 20 runtimes that find each other by datagram and use everything, under every fault; checked at every step.
import assert from 'node:assert/strict';
import {
  channelName,
  type Located,
  type Name,
  type Runtime,
  service,
  type Task,
  type TaskEnded,
  type TaskRef,
  taskName,
} from '../../src/kernel/index.ts';
import { type Faults, type SimulatedNetwork, type SimulationReport, seededRandom, simulate } from '../../src/testing/index.ts';
import { onStatus } from '../support/peers.ts';

/** One message: who sent it, in which of its lives, and the how-manieth it is to this receiver in that life. */
interface Numbered {
  readonly from: string;
  readonly n: number;
}

interface Published {
  readonly by: string;
  readonly n: number;
}

const news = channelName<Published>('news');
const double = service('double', async (_self: Task<never>, n: number) => n * 2);

/** How much one run does. */
export interface Size {
  readonly rounds: number;
  /** The longest pause between rounds. */
  readonly gapMs: number;
  readonly burst: number;
  readonly minutes: number;
  readonly faults: Faults;
}

/** A run in the suite: about 8,000 deliveries. */
export const SHORT: Size = {
  rounds: 2,
  gapMs: 1_500,
  burst: 94,
  minutes: 30,
  faults: {
    cut: 0.05,
    partition: 0.02,
    oneWay: 0.02,
    pause: 0.015,
    jump: 0.01,
    slow: 0.01,
    crash: 0.006,
    lost: 0.2,
    doubled: 0.1,
    longest: 14_000,
  },
};
/** A long one: ten virtual minutes of it. */
export const LONG: Size = { ...SHORT, rounds: 40, gapMs: 30_000, burst: 8, minutes: 90 };

/** What a run came to. */
export interface NetworkReport extends SimulationReport {
  readonly deliveries: number;
  readonly runtimes: number;
  readonly crashes: number;
}

/** Runs one network. Throws what is wrong, with the seed. */
export async function runNetwork(seed: number, size: Size = SHORT): Promise<NetworkReport> {
  const chance = seededRandom(seed * 17 + 3);
  const count = 5 + Math.floor(16 * ((seed * 0.618) % 1) ** 5); // many small ones, some large
  const totals = { deliveries: 0, lives: 0 };
  const report = await simulate(
    async (network) => {
      const checks = new Checks(seed);
      const names = Array.from({ length: count }, (_, i) => `m${i}`);
      for (const [i, name] of names.entries()) {
        const listens = i < 2 || chance() < 0.8;
        const seeds = i > 0 && chance() < 0.3 ? ['mem://m0:1'] : [];
        await network.machine(name, { discover: true, listen: listens ? `mem://${name}:1` : [], seeds }, (runtime) => {
          totals.lives++;
          inhabit(runtime, name, checks, i === 0);
        });
      }
      await Promise.all(names.map((name) => use(network, name, names, size, seededRandom(seed * 101 + names.indexOf(name)), checks)));
      await settle(network, checks);
      totals.deliveries = checks.deliveries;
    },
    { seed, faults: size.faults, minutes: size.minutes, latencyMs: [0, 1 + (seed % 20)] },
  );
  return { ...report, deliveries: totals.deliveries, runtimes: count, crashes: totals.lives - count };
}

/** What must hold, noted and checked as it happens. */
class Checks {
  deliveries = 0;
  readonly seed: number;
  readonly waits = new Set<string>();
  readonly references = new Map<string, unknown>();
  readonly notices = new Map<string, number>();
  readonly delivered: { readonly stream: string; readonly receiver: string; readonly n: number }[] = [];
  readonly #last = new Map<string, number>();
  readonly #got = new Map<string, Set<number>>();

  constructor(seed: number) {
    this.seed = seed;
  }

  /** Messages of one life of a sender to one life of a receiver come in order, none twice. */
  arrived(stream: string, n: number): void {
    const last = this.#last.get(stream) ?? -1;
    assert.ok(n > last, `${stream}: ${n} came after ${last}`);
    this.#last.set(stream, n);
    this.deliveries++;
    let got = this.#got.get(stream);
    if (!got) {
      got = new Set();
      this.#got.set(stream, got);
    }
    got.add(n);
  }

  /** What was told to be in the mailbox of one who still lives has been read there. */
  checkDelivered(living: ReadonlySet<string>): void {
    for (const { stream, receiver, n } of this.delivered) {
      if (living.has(receiver)) assert.ok(this.#got.get(stream)?.has(n), `${stream}: ${n} was delivered, and is not there`);
    }
  }

  /** A wait that must end. */
  async wait<T>(what: string, promise: Promise<T>): Promise<T | Error> {
    this.waits.add(what);
    try {
      return await promise;
    } catch (error) {
      assert.ok(typeof (error as { code?: unknown }).code === 'string', `${what}: ${String(error)}`);
      return error as Error;
    } finally {
      this.waits.delete(what);
    }
  }
}

// What every runtime has: a sink, a listener to the news, one that hears of peers; the first has the channel and a service.
function inhabit(runtime: Runtime, name: string, checks: Checks, first: boolean): void {
  const life = `${name} ${runtime.id.slice(0, 6)}`;
  runtime.spawn(async (self: Task<Numbered>) => {
    await self.register(`sink ${name}`);
    for await (const { from, n } of self) checks.arrived(`${from} > ${life}`, n);
  });
  const online = new Set<string>();
  onStatus(runtime, (status, peer) => {
    assert.equal(online.has(peer.id), status === 'offline', `${life}: ${peer.name} ${status}, twice in a row`);
    if (status === 'online' && checks.seed % 3 === 0) runtime.hub.parking.keepOpen(peer.id, false); // idle links are closed and opened again
    if (status === 'online') online.add(peer.id);
    else online.delete(peer.id);
  });
  const reader = runtime.spawn(async (self: Task<Published>) => {
    for await (const { by, n } of self) checks.arrived(`news of ${by} > ${life}`, n);
  });
  if (first) {
    const channel = runtime.channel(news);
    void channel.subscribe(reader);
    runtime.serve(double);
  } else {
    void runtime
      .locate(news, { timeout: 20_000 })
      .then((channel) => channel.subscribe(reader, { timeout: 10_000 }))
      .catch(() => {}); // the one who has the news may be down
  }
}

// What one machine does, in as many lives as it is given.
async function use(
  network: SimulatedNetwork,
  name: string,
  names: readonly string[],
  size: Size,
  chance: () => number,
  checks: Checks,
): Promise<void> {
  const sent = new Map<string, number>();
  for (let round = 0; round < size.rounds; round++) {
    await network.sleep(chance() * size.gapMs);
    const runtime = network.runtimeOf(name);
    if (!runtime) continue;
    const life = `${name} ${runtime.id.slice(0, 6)}`;
    const alive = (): boolean => network.runtimeOf(name) === runtime;
    // Whatever a machine waits for ends with the machine, so the program does not wait for it.
    void (async () => {
      const to = names[Math.floor(chance() * names.length)] as string;
      const found = await find(runtime, life, taskName<Numbered>(`sink ${to}`), checks);
      if (found instanceof Error || !alive()) return;
      await talk(found, to, life, sent, size.burst, chance, checks, alive);
      if (!alive()) return;
      const dice = chance();
      if (dice < 0.3) monitor(runtime, found, life, checks);
      else if (dice < 0.6) {
        const ref = await find(runtime, life, double, checks);
        if (ref instanceof Error || !alive()) return;
        const answer = await checks.wait(`${life} calls`, ref.with({ timeout: 6_000 }).call(21));
        if (!(answer instanceof Error)) assert.equal(answer, 42);
      }
      if (chance() < 0.7 && alive()) await publish(runtime, life, sent, size.burst, checks, alive);
    })().catch((error: unknown) => {
      if (alive()) throw error;
    });
  }
}

// A reference, found once and used as long as its runtime is a peer.
async function find<N extends Name>(runtime: Runtime, life: string, name: N, checks: Checks): Promise<Located<N> | Error> {
  const key = `${life} knows ${name.kind} ${name.name}`;
  const known = checks.references.get(key) as (Located<N> & { runtime: Runtime['id'] }) | undefined;
  if (known && (known.runtime === runtime.id || runtime.kernel.peers.has(known.runtime))) return known;
  const found = await checks.wait(`${life} locates ${name.name}`, runtime.locate(name, { timeout: 8_000 }));
  if (!(found instanceof Error)) checks.references.set(key, found);
  return found;
}

async function talk(
  ref: TaskRef<Numbered>,
  to: string,
  life: string,
  sent: Map<string, number>,
  burst: number,
  _chance: () => number,
  checks: Checks,
  alive: () => boolean,
): Promise<void> {
  const stream = `${life} > ${to} ${ref.runtime.slice(0, 6)}`;
  for (let i = 0; i < burst && alive(); i++) {
    const n = (sent.get(stream) ?? -1) + 1;
    sent.set(stream, n);
    if (i % 8 !== 7) {
      ref.send({ from: life, n });
      continue;
    }
    const outcome = await checks.wait(`${life} delivers to ${to}`, ref.deliver({ from: life, n }, { timeout: 15_000 }));
    if (!alive()) return;
    if (outcome === undefined) checks.delivered.push({ stream, receiver: ref.runtime, n });
  }
}

function monitor(runtime: Runtime, watched: TaskRef<Numbered>, life: string, checks: Checks): void {
  const key = `${life} monitors ${watched.id}`;
  if (checks.notices.has(key)) return;
  checks.notices.set(key, 0);
  runtime.with({ daemon: true }).spawn(async (self: Task<TaskEnded>) => {
    await self.monitor(watched);
    await self.monitor(watched);
    for await (const { kind } of self) {
      assert.equal(kind, 'task-ended');
      const times = (checks.notices.get(key) ?? 0) + 1;
      checks.notices.set(key, times);
      assert.equal(times, 1, `${key}: told ${times} times`);
    }
  });
}

async function publish(
  runtime: Runtime,
  life: string,
  sent: Map<string, number>,
  burst: number,
  checks: Checks,
  alive: () => boolean,
): Promise<void> {
  const channel = await find(runtime, life, news, checks);
  if (channel instanceof Error || !alive()) return;
  const stream = `news of ${life} ${channel.runtime}`;
  for (let i = 0; i < burst; i++) {
    const n = (sent.get(stream) ?? -1) + 1;
    sent.set(stream, n);
    channel.send({ by: `${life} ${channel.runtime.slice(0, 6)}`, n });
  }
}

// At the end every wait of those who live has ended.
async function settle(network: SimulatedNetwork, checks: Checks): Promise<void> {
  const living = (): Runtime[] => network.machineNames.flatMap((name) => network.runtimeOf(name) ?? []);
  const open = (): string[] => [...checks.waits].filter((wait) => living().some((runtime) => wait.includes(runtime.id.slice(0, 6))));
  for (let i = 0; i < 600 && (i < 3 || open().length > 0); i++) await network.sleep(1_000);
  assert.deepEqual(open(), [], `seed ${checks.seed}: these waits have not ended`);
  checks.checkDelivered(new Set(living().map((runtime) => runtime.id)));
  for (const runtime of living()) {
    assert.ok(runtime.kernel.requests.size <= network.machineNames.length * 80, `${runtime.kernel.requests.size} requests are open`);
  }
}
