// One soak: a cluster of real processes, clients that work on it, and what happens to them; from its start to the last look for leftovers.
//
//   K1. Whatever ends it, everything it started is ended, and its folder is gone.
//   K2. At the end everybody may finish, undisturbed; what the daemons hold then is what they held at the start.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Actions, plantLeftover } from './actions.ts';
import { Choice } from './choice.ts';
import { Fleet } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { checkLeftovers } from './leftovers.ts';
import { Members } from './members.ts';
import { kept, type Life, progressOf } from './report.ts';
import type { Running } from './running.ts';

/** Faults of the soak's own, to see that it notices. */
export type Plant = 'dropped-line' | 'leftover';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly plants: readonly Plant[];
  readonly progress: (line: string) => void;
}

const PACE_MS = [150, 1_600] as const;
const LOOK_MS = 250;
const SAMPLE_MS = 5_000;
const FINISH_MS = 90_000;
const REST_MS = 2_000;
const MOST_REST_MS = 20_000;

/** One soak. */
export class Soak {
  readonly ledger = new Ledger();
  readonly #options: SoakOptions;
  readonly #fleet: Fleet;
  readonly #members: Members;
  readonly #choice: Choice;
  readonly #lives: Running[] = [];
  #stopped = false;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#choice = new Choice(options.seed);
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-soak-'));
    this.#fleet = new Fleet(folder, `soak-${process.pid}`, this.ledger);
    this.#members = new Members(this.#fleet, this.ledger);
  }

  /** Ends it soon: nothing more is begun, and nobody may finish. */
  stop(): void {
    this.#stopped = true;
  }

  /** What the long-lived processes held. */
  get lives(): readonly Life[] {
    return this.#lives;
  }

  /** Resolves when everything has ended. K1 */
  async run(): Promise<void> {
    const { plants } = this.#options;
    const plant = plants.find((one) => one === 'dropped-line');
    const actions = new Actions(this.#choice, this.#fleet, this.#members, this.ledger, plant);
    const progress = setInterval(() => this.#show(), 1_000);
    let sampling: Promise<void> | undefined;
    const sampler = setInterval(() => (sampling = this.#sample()), SAMPLE_MS);
    try {
      await this.#fleet.start();
      this.#lives.push(...this.#fleet.posts.filter(({ mortal }) => !mortal).map(({ running }) => running));
      await rest();
      await this.#sample();
      this.#lives.push((await actions.steady()).running);
      await this.#act(actions);
      clearInterval(sampler);
      await sampling;
      await actions.settled();
      if (!this.#stopped) await this.#finish(actions);
    } catch (error) {
      this.ledger.claim(`the soak itself failed: ${error instanceof Error ? error.stack : String(error)}`);
    } finally {
      clearInterval(progress);
      clearInterval(sampler);
      await this.#members.end();
      await this.#fleet.end();
      if (plants.includes('leftover')) plantLeftover(this.#fleet);
      await checkLeftovers(this.#fleet, this.ledger, !this.#stopped);
    }
  }

  async #act(actions: Actions): Promise<void> {
    const end = this.ledger.elapsedMs + this.#options.seconds * 1_000;
    let next = 0;
    while (!this.#stopped && this.ledger.elapsedMs < end) {
      this.#members.watch();
      if (this.ledger.elapsedMs >= next) {
        actions.step();
        next = this.ledger.elapsedMs + this.#choice.between(...PACE_MS);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, Math.max(next - this.ledger.elapsedMs, 1))));
    }
  }

  // K2
  async #finish(actions: Actions): Promise<void> {
    this.ledger.note('everybody may finish');
    await this.#members.finish(FINISH_MS);
    await actions.sweep();
    await this.#members.finish(FINISH_MS);
    const there = this.#lives.filter(({ ended }) => !ended);
    for (const last = Date.now() + MOST_REST_MS; ; ) {
      await rest();
      await this.#sample();
      const sentences = kept(there);
      if (sentences.length === 0) return;
      if (Date.now() > last) return sentences.forEach((sentence) => void this.ledger.claim(sentence));
    }
  }

  async #sample(): Promise<void> {
    await Promise.all(this.#lives.map((running) => running.sample(this.ledger.elapsedMs)));
  }

  #show(): void {
    const { seconds, seed, progress } = this.#options;
    progress(progressOf(this.ledger, seconds, seed, this.#members.all.size));
  }
}

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, REST_MS));
