// Keeps a worker, with all that it starts, within memory and number of processes: measured every while, ended beyond.
import { readFileSync } from 'node:fs';
import type { Limits } from './contract.ts';
import { inherited, processes } from './marked.ts';

const EVERY_MS = 500;
const PAGE_BYTES = 4096;
const MIB = 1 << 20;

/** Watches one process group, and all who inherited its mark, until stopped. Where the system does not tell (no /proc), nothing is watched. */
export class LimitWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(group: number, mark: string, limits: Limits, exceeded: (why: string) => void) {
    const marks = new Set([mark]);
    this.#timer = setInterval(() => {
      const used = usageOf(group, marks);
      const { memory, processes } = limits;
      if (memory && used.bytes > memory)
        exceeded(`it used ${Math.ceil(used.bytes / MIB)} MiB of memory with what it started; the host allows ${Math.floor(memory / MIB)}`);
      else if (processes && used.processes > processes)
        exceeded(`it was ${used.processes} processes with those it started; the host allows ${processes}`);
    }, EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function usageOf(group: number, marks: ReadonlySet<string>): { bytes: number; processes: number } {
  let bytes = 0;
  let count = 0;
  for (const pid of processes()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || (Number(fields[2]) !== group && !inherited(pid, marks))) continue;
      count++;
      bytes += Number(fields[21]) * PAGE_BYTES;
    } catch {
      // it has ended meanwhile
    }
  }
  return { bytes, processes: count };
}
