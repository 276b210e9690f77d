// This machine: how many cores, how much memory, what it is called.
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, hostname, loadavg, totalmem } from 'node:os';

/** What a machine has. Bytes. */
export interface Machine {
  readonly name: string;
  readonly cores: number;
  readonly memory: number;
  readonly freeMemory: number;
  readonly load: number;
}

/** What this machine has, as far as this process may use it. */
export function thisMachine(): Machine {
  return {
    name: hostname().replace(/[^\w.-]/g, '-') || 'host',
    cores: usableCores(),
    memory: totalmem(),
    freeMemory: freemem(),
    load: loadavg()[0] ?? 0,
  };
}

/** The cores that this process may use, control groups included; at least one. */
export function usableCores(): number {
  const cores = availableParallelism();
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ').map(Number);
    if (quota && period) return Math.max(1, Math.min(cores, Math.ceil(quota / period)));
  } catch {
    // no control groups here
  }
  return cores;
}
