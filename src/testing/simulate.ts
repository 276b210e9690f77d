// Programs of several machines, run on virtual time under faults that a seed decides.
//
//   SI1. One seed gives one course of events, within one major version of Node.
//   SI2. A run ends: with the program, with its failure, or at the limit of virtual time; then everything is closed, and a resource
//       that is left open is a failure, too.
import type { Runtime, RuntimeOptions } from '../kernel/index.ts';
import { seededRandom } from './random.ts';
import { World } from './world.ts';

/** How often each fault happens, for each step of about 50 ms of virtual time; numbers in [0, 1]. */
export interface Faults {
  /** Connections break: all, or those of one machine. */
  readonly cut?: number;
  /** Two machines cannot reach each other for a while. */
  readonly partition?: number;
  /** For a while nothing passes from one machine to another, but all passes the other way. */
  readonly oneWay?: number;
  /** A machine stops for a while, and goes on. */
  readonly pause?: number;
  /** The wall clock of a machine jumps by up to a minute. */
  readonly jump?: number;
  /** A machine loses power; one made by `machine()` starts again a little later, at the same address. */
  readonly crash?: number;
  /** Everything is slow for a while. */
  readonly slow?: number;
  /** Datagrams are lost, or arrive twice. */
  readonly lost?: number;
  readonly doubled?: number;
  /** How long partitions and pauses last at most, in ms; 3000 by default, too short for a session to end. */
  readonly longest?: number;
}

/** Options of {@link simulate}. */
export interface SimulateOptions {
  readonly seed: number;
  readonly faults?: Faults;
  /** The delay of each chunk in ms: a number, or bounds; 0 to 10 by default. */
  readonly latencyMs?: number | readonly [number, number];
  /** Virtual minutes after which the program must have ended; 30 by default. Faults stop at two thirds of it. */
  readonly minutes?: number;
}

/** The report of a simulated run. Equal seeds give equal reports. */
export interface SimulationReport {
  readonly seed: number;
  /** The number of faults that happened. */
  readonly faults: number;
  /** The virtual milliseconds that the run took. */
  readonly ms: number;
  readonly steps: number;
  /** A digest of every byte that crossed the network, in order. */
  readonly digest: number;
}

interface Machine {
  readonly name: string;
  readonly options: RuntimeOptions;
  readonly setUp: (runtime: Runtime) => unknown;
  runtime: Runtime | undefined;
}

/** A world in which machines are described, so that they can be started again. */
export class SimulatedNetwork extends World {
  readonly #machines = new Map<string, Machine>();
  readonly #starting = new Set<Promise<Runtime>>();

  get machineNames(): readonly string[] {
    return [...this.#machines.keys()];
  }

  /** Starts a machine, and whenever it has crashed, starts it again. `setUp` gets its runtime each time, before anybody else can reach it. */
  async machine(name: string, options: RuntimeOptions, setUp: (runtime: Runtime) => unknown = () => {}): Promise<Runtime> {
    const machine: Machine = { name, options, setUp, runtime: undefined };
    this.#machines.set(name, machine);
    return this.#start(machine);
  }

  /** The runtime of a machine, unless it is down. */
  runtimeOf(name: string): Runtime | undefined {
    return this.#machines.get(name)?.runtime;
  }

  /** Waits in virtual time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** Takes the power of a machine away. */
  powerOff(name: string, tell: boolean): boolean {
    const machine = this.#machines.get(name);
    if (!machine?.runtime) return false;
    this.crash(machine.runtime, name, tell);
    machine.runtime = undefined;
    return true;
  }

  async powerOn(name: string): Promise<void> {
    const machine = this.#machines.get(name);
    if (machine && !machine.runtime) await this.#start(machine);
  }

  /** Resolves when no machine is starting. */
  async started(): Promise<void> {
    while (this.#starting.size > 0) await Promise.all(this.#starting);
  }

  #start(machine: Machine): Promise<Runtime> {
    const starting = this.#begin(machine).finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
    return starting;
  }

  async #begin(machine: Machine): Promise<Runtime> {
    const runtime = await this.start(machine.name, machine.options);
    machine.runtime = runtime;
    await machine.setUp(runtime);
    return runtime;
  }
}

const MINUTE_MS = 60_000;
const STEP_MS = 50;
const JUMP_MS = 60_000;
const DOWN_MS = 4_000;
const CLOSING_MS = 60_000;
const QUIET: Faults = { cut: 0.03, partition: 0.015, oneWay: 0.015, pause: 0.01, jump: 0.01, slow: 0.01, lost: 0.2, doubled: 0.1 };

/**
 * Runs a program of several machines on virtual time, under faults that the seed decides. Resolves with a report; rejects with the
 * error of the program, and the seed by which it can be run again.
 *
 * @example
 * ```ts
 * const report = await simulate(
 *   async (network) => {
 *     const a = await network.machine('a', { listen: 'mem://a:1' });
 *     const b = await network.machine('b', { seeds: ['mem://a:1'] });
 *     b.spawn(async (self: Task<number>) => {
 *       await self.register('counter');
 *       for await (const n of self) if (n === 99) return;
 *     });
 *     const counter = await a.locate(taskName<number>('counter'));
 *     for (let n = 0; n < 100; n++) counter.send(n);
 *     await counter.result;
 *   },
 *   { seed: 1 },
 * );
 * console.log(report.seed); // => 1
 * ```
 */
export async function simulate(
  program: (network: SimulatedNetwork) => Promise<unknown>,
  options: SimulateOptions,
): Promise<SimulationReport> {
  const { seed, faults = QUIET, minutes = 30, latencyMs = [0, 10] } = options;
  const network = new SimulatedNetwork({ seed, latencyMs });
  network.datagrams.lost = faults.lost ?? 0;
  network.datagrams.doubled = faults.doubled ?? 0;
  const injector = new Injector(network, faults, seed); // SI1
  // Every run begins in a turn of its own, so that stacks, which travel with errors, are the same.
  await new Promise((resolve) => setImmediate(resolve));
  try {
    const running = program(network);
    const outcome: { done: boolean } = { done: false };
    const settled = running.then(
      () => {
        outcome.done = true;
      },
      () => {
        outcome.done = true;
      },
    );
    const limit = minutes * MINUTE_MS;
    while (!outcome.done && network.clock.now() < (limit * 2) / 3) {
      await network.clock.advance(injector.pauseMs(), () => outcome.done);
      if (!outcome.done) injector.step();
    }
    await injector.stop();
    if (!outcome.done && !(await network.clock.advance(limit - network.clock.now(), () => outcome.done))) {
      throw new Error(`the program did not end within ${minutes} minutes of virtual time`);
    }
    await settled;
    await running;
    const ms = network.clock.now();
    await network.close();
    await network.clock.advance(CLOSING_MS);
    const left = [
      `${network.network.connections} connections`,
      `${network.clock.pending} timers`,
      `${network.datagrams.open} sockets for datagrams`,
    ].filter((text) => !text.startsWith('0 '));
    if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`); // SI2
    return { seed, faults: injector.count, ms, steps: network.clock.steps, digest: network.network.trace.digest };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed} (Node ${process.versions.node}): ${why}`, { cause: error });
  }
}

/** Decides, by its own chance, which fault happens next. */
class Injector {
  count = 0;
  readonly #network: SimulatedNetwork;
  readonly #faults: Faults;
  readonly #chance: () => number;
  readonly #latency: readonly [number, number];
  readonly #open = new Map<() => void | Promise<void>, number>();

  constructor(network: SimulatedNetwork, faults: Faults, seed: number) {
    this.#network = network;
    this.#faults = faults;
    this.#chance = seededRandom(seed * 31 + 7);
    this.#latency = network.network.latencyMs;
  }

  pauseMs(): number {
    return STEP_MS * 2 * this.#chance();
  }

  step(): void {
    const now = this.#network.clock.now();
    for (const [undo, at] of [...this.#open]) {
      if (at > now) continue;
      this.#open.delete(undo);
      void undo();
    }
    const { cut = 0, partition = 0, oneWay = 0, pause = 0, jump = 0, crash = 0, slow = 0, longest = 3_000 } = this.#faults;
    const names = this.#network.machineNames;
    if (names.length === 0) return;
    const any = (): string => names[Math.floor(this.#chance() * names.length)] as string;
    let dice = this.#chance();
    const falls = (rate: number): boolean => {
      const hit = dice >= 0 && dice < rate;
      dice -= rate;
      if (hit) this.count++;
      return hit;
    };
    const { network, clock } = this.#network;
    const latency = this.#latency;
    const forAWhile = (undo: () => void | Promise<void>, most = longest): void =>
      void this.#open.set(undo, clock.now() + this.#chance() * most);
    if (falls(cut)) network.cut(this.#chance() < 0.3 ? undefined : any());
    else if (falls(partition) || falls(oneWay)) {
      const both = this.#chance() < partition / (partition + oneWay);
      const a = any();
      const b = any();
      if (a === b) return;
      const healA = network.blockFor(a, b);
      const healB = both ? network.blockFor(b, a) : () => {};
      forAWhile(() => {
        healA();
        healB();
      });
    } else if (falls(pause)) {
      const name = any();
      this.#network.pause(name);
      forAWhile(() => this.#network.resume(name));
    } else if (falls(jump)) this.#network.jump(any(), (this.#chance() - 0.5) * 2 * JUMP_MS);
    else if (falls(slow)) {
      network.latencyMs = [latency[0], latency[1] * 20];
      forAWhile(() => {
        network.latencyMs = latency;
      });
    } else if (falls(crash)) {
      const name = any();
      if (this.#network.powerOff(name, this.#chance() < 0.5)) forAWhile(() => this.#network.powerOn(name), DOWN_MS);
    }
  }

  /** Undoes all faults that are open. */
  async stop(): Promise<void> {
    const open = [...this.#open.keys()];
    this.#open.clear();
    for (const undo of open) await undo();
    await this.#network.started();
    this.#network.datagrams.lost = 0;
    this.#network.datagrams.doubled = 0;
  }
}
