// A simulated world: one clock, one seed, machines on a memory network that encodes every message.

import { SILENT } from '../base/index.ts';
import { type Environment, Runtime, type RuntimeOptions } from '../kernel/index.ts';
import { MemoryNetwork } from '../transport/index.ts';
import { ManualClock } from './clock.ts';
import { MemoryDatagrams } from './datagrams.ts';
import { MemoryFiles } from './files.ts';
import { MachineClock } from './machine-clock.ts';
import { seededBytes, seededRandom } from './random.ts';

/** Options of {@link World}. */
export interface WorldOptions {
  readonly seed: number;
  /** The delay of each chunk in ms: a number, or bounds. */
  readonly latencyMs?: number | readonly [number, number];
}

/**
 * Machines in one process, on virtual time, with seeded chance.
 *
 * @example
 * ```ts
 * const world = new World({ seed: 1 });
 * const runtime = await world.start('a', { listen: 'mem://a:1' });
 * console.log(runtime.locations.join()); // => mem://a:1
 * await world.close();
 * ```
 */
export class World {
  readonly clock = new ManualClock();
  readonly random: () => number;
  readonly network: MemoryNetwork;
  readonly datagrams: MemoryDatagrams;
  readonly #clocks = new Map<string, MachineClock>();
  readonly #disks = new Map<string, MemoryFiles>();
  readonly #runtimes = new Set<Runtime>();

  constructor({ seed, latencyMs = 0 }: WorldOptions) {
    this.random = seededRandom(seed);
    this.network = new MemoryNetwork({ clock: this.clock, random: this.random, latencyMs });
    this.datagrams = new MemoryDatagrams(this.network);
  }

  /** The environment of one machine. */
  environment(machine: string): Environment {
    return {
      clock: this.#clockOf(machine),
      random: seededBytes(this.random),
      networks: { mem: this.network.at(machine) },
      resolve: async (name) => [name],
      secret: () => Buffer.from('a secret for simulations'),
      datagrams: this.datagrams.at(machine),
      files: this.files(machine),
      variables: {},
      log: SILENT,
      atExit: () => () => {},
      atIdle: () => () => {},
      print() {},
    };
  }

  /** The disk of one machine. */
  files(machine: string): MemoryFiles {
    let files = this.#disks.get(machine);
    if (!files) {
      files = new MemoryFiles(() => this.clock.wall());
      this.#disks.set(machine, files);
    }
    return files;
  }

  /** Pauses a machine, and with it its timers; the world goes on. */
  pause(machine: string): void {
    this.#clockOf(machine).pause();
    this.network.stop(machine, true);
  }

  resume(machine: string): void {
    this.network.stop(machine, false);
    this.#clockOf(machine).resume();
  }

  /** Moves the wall clock of a machine. */
  jump(machine: string, ms: number): void {
    this.#clockOf(machine).skew += ms;
  }

  #clockOf(machine: string): MachineClock {
    let clock = this.#clocks.get(machine);
    if (!clock) {
      clock = new MachineClock(this.clock);
      this.#clocks.set(machine, clock);
    }
    return clock;
  }

  /** Starts a runtime on a machine. */
  async start(machine: string, options: RuntimeOptions = {}): Promise<Runtime> {
    const starting = Runtime.start({ name: machine, ...options }, this.environment(machine));
    await this.clock.settle();
    const runtime = await starting;
    this.#runtimes.add(runtime);
    return runtime;
  }

  /** Takes the power of a runtime's machine away: it says no goodbye, and all its timers are gone. `tell` resets its peers' connections. */
  crash(runtime: Runtime, machine: string, tell: boolean): void {
    this.#runtimes.delete(runtime);
    this.network.crash(machine, tell);
    this.datagrams.crash(machine);
    this.#clocks.get(machine)?.die();
    this.#clocks.delete(machine);
    runtime.hub.abandon();
  }

  /** Waits, in virtual time, for a promise. Rejects if it is not settled after `ms`. */
  async wait<T>(promise: Promise<T>, ms = 60_000): Promise<T> {
    let done = false;
    const watched = promise.finally(() => {
      done = true;
    });
    watched.catch(() => {});
    if (!(await this.clock.advance(ms, () => done))) throw new Error(`nothing came of it within ${ms} ms of virtual time`);
    return watched;
  }

  /** Closes every runtime. */
  async close(): Promise<void> {
    const closing = Promise.all([...this.#runtimes].map((runtime) => runtime.close()));
    this.#runtimes.clear();
    await this.wait(closing);
  }
}
