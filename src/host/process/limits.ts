// Keeps a worker, with all that it starts, within its memory and its number of processes: it is measured again and again, and ended beyond.
//
//   LW1. The nearer a worker is to its limit, the sooner it is measured again: sooner than it can fill the memory that is left.
//   LW2. Processes that a worker starts are looked for every while, because that reads all of /proc; known ones are measured each time.
import { readFileSync } from 'node:fs';
import type { Clock, Timer } from '../../base/index.ts';
import type { WorkerLimits } from './contract.ts';
import { inherited, processes } from './marked.ts';

const LOOK_FOR_MS = 500;
const LEAST_MS = 5;
/** No machine fills fresh memory faster than this from one thread. */
const BYTES_PER_MS = 4 << 20;
const PAGE_BYTES = 4096;
const MIB = 1 << 20;

/** Watches one process group, and all processes that inherited its mark, until stopped. Without /proc, nothing is watched. */
export class LimitWatch {
  readonly #group: number;
  readonly #marks: ReadonlySet<string>;
  readonly #limits: WorkerLimits;
  readonly #clock: Clock;
  readonly #exceeded: (why: string) => void;
  #known: readonly string[] = [];
  #lookedFor = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(group: number, mark: string, limits: WorkerLimits, clock: Clock, exceeded: (why: string) => void) {
    this.#group = group;
    this.#marks = new Set([mark]);
    this.#limits = limits;
    this.#clock = clock;
    this.#exceeded = exceeded;
    this.#later(LEAST_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #later(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#look(), { background: true });
  }

  #look(): void {
    const now = this.#clock.now();
    // LW2
    if (now - this.#lookedFor >= LOOK_FOR_MS) {
      this.#known = processes();
      this.#lookedFor = now;
    }
    const { bytes, pids } = usageOf(this.#known, this.#group, this.#marks);
    this.#known = pids;
    const { memory, processes: most } = this.#limits;
    const left = memory ? (memory - bytes) / BYTES_PER_MS : LOOK_FOR_MS;
    this.#later(Math.min(LOOK_FOR_MS, Math.max(LEAST_MS, left))); // LW1
    if (memory && bytes > memory)
      this.#exceeded(`it used ${Math.ceil(bytes / MIB)} MiB of memory with what it started; the host allows ${Math.floor(memory / MIB)}`);
    else if (most && pids.length > most) this.#exceeded(`it was ${pids.length} processes with those it started; the host allows ${most}`);
  }
}

function usageOf(among: readonly string[], group: number, marks: ReadonlySet<string>): { bytes: number; pids: string[] } {
  let bytes = 0;
  const pids: string[] = [];
  for (const pid of among) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || (Number(fields[2]) !== group && !inherited(pid, marks))) continue;
      pids.push(pid);
      bytes += Number(fields[21]) * PAGE_BYTES;
    } catch {
      // it has ended meanwhile
    }
  }
  return { bytes, pids };
}
