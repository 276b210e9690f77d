// This machine: its name, cores, memory and disk, and how much of them is free.
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, hostname, loadavg, machine, release, tmpdir, totalmem, type } from 'node:os';
import { dirname } from 'node:path';
import type { Availability, HostFacts } from './protocol.ts';

/** A machine's name and size; memory in bytes. */
export interface Machine {
  readonly name: string;
  readonly cores: number;
  readonly memory: number;
}

/** This machine, as far as this process may use it. */
export function thisMachine(): Machine {
  return { name: hostname().replace(/[^\w.-]/g, '-') || 'host', cores: usableCores(), memory: usableMemory().total };
}

/** The facts that a host of this machine tells of itself. */
export function factsOf(name: string, workers: number, folder = tmpdir()): HostFacts {
  const { cores, memory } = thisMachine();
  return { name, platform: thisPlatform(), workers, cores, memory, disk: diskOf(folder).total, swap: swapOf('SwapTotal') };
}

/** `type-release-machine-node-version`, in lower case but for the version. */
export function thisPlatform(): string {
  return `${type().toLowerCase()}-${release()}-${machine()}-node-${process.version}`;
}

/** The cores that this process may use, control groups included; at least one. */
export function usableCores(): number {
  const cores = availableParallelism();
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').trim().split(' ').map(Number);
  return quota && period ? Math.max(1, Math.min(cores, Math.ceil(quota / period))) : cores;
}

/** Bytes that this process may use, and those still free: of the machine, or of its control group if that has fewer. */
function usableMemory(): { total: number; free: number } {
  const total = totalmem();
  const limit = Number(read('/sys/fs/cgroup/memory.max'));
  if (!(limit > 0 && limit < total)) return { total, free: freemem() };
  const used = Number(read('/sys/fs/cgroup/memory.current')) || 0;
  return { total: limit, free: Math.max(0, Math.min(limit - used, freemem())) };
}

/** Measures how much is free. The share of idle processors is that of the time since the last measurement. */
export class Meter {
  readonly #folder: string;
  #last = processorTimes();

  constructor(folder: string) {
    this.#folder = folder;
  }

  take(): Availability {
    const now = processorTimes();
    const all = now.all - this.#last.all;
    const cpu = all > 0 ? Math.round(((now.idle - this.#last.idle) / all) * 1000) / 10 : 100;
    this.#last = now;
    return { cpu, memory: usableMemory().free, disk: diskOf(this.#folder).free, swap: swapOf('SwapFree'), load: loadavg()[0] ?? 0 };
  }
}

function processorTimes(): { idle: number; all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.sys + times.nice + times.irq;
  }
  return { idle, all };
}

// The bytes of the disk that holds a folder. A folder that is not there yet counts as the one above it, where it will be made.
function diskOf(folder: string): { free: number; total: number } {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch {
    const above = dirname(folder);
    return above === folder ? { free: 0, total: 0 } : diskOf(above);
  }
}

function swapOf(line: 'SwapFree' | 'SwapTotal'): number {
  const kib = new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(read('/proc/meminfo') ?? '')?.[1];
  return kib === undefined ? 0 : Number(kib) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // this system does not tell
  }
}
