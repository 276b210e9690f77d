// Keeps a worker, with all that it starts, within memory and number of processes: measured every while, ended beyond.
import { readdirSync, readFileSync } from 'node:fs';
import type { Limits } from './child.ts';

const EVERY_MS = 500;
const PAGE_BYTES = 4096;
const MIB = 1 << 20;

/** Watches one process group until stopped. Where the system does not tell (no /proc), nothing is watched. */
export class LimitWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(group: number, limits: Limits, exceeded: (why: string) => void) {
    this.#timer = setInterval(() => {
      const used = usageOf(group);
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

function usageOf(group: number): { bytes: number; processes: number } {
  let bytes = 0;
  let processes = 0;
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[2]) !== group || fields[0] === 'Z') continue;
      processes++;
      bytes += Number(fields[21]) * PAGE_BYTES;
    } catch {
      // it has ended meanwhile
    }
  }
  return { bytes, processes };
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
