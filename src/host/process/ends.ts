// Says why a worker process ended, in words for people, from what the system tells and what the process printed last.
import { readFileSync } from 'node:fs';
import { FlotillaError } from '../../base/index.ts';

const FULL_HEAP = /Reached heap limit|near heap limit/i;
const NO_MEMORY =
  /Fatal process (OOM|out of memory)|FATAL ERROR: .*(out of memory|Allocation failed)|reserve virtual memory|std::bad_alloc|ERR_WORKER_(INIT_FAILED|OUT_OF_MEMORY)|Cannot allocate memory|ENOMEM/i;
const INSIDES =
  /^\s*\d+: 0x[0-9a-f]{4,} .*\[(flotilla-worker|node\b|\/)|^-+ (Native|JavaScript) stack trace -+$|^<--- (Last few GCs|JS stacktrace) --->$|^\[\d+:0x[0-9a-f]+\] .* ms: /;
const REMEDY = 'Let it use more, have fewer workers (--cpus, or the option workers), or give each call less to hold';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastLines: readonly string[];
  /** How many processes of this control group the system had killed for want of memory when this one started. */
  readonly killsBefore: number;
  /** Whether its address space has a limit (`ulimit -v`). Where that is reached, Node.js may crash before it can say so. */
  readonly limited: boolean;
}

const CRASHES: readonly (NodeJS.Signals | null)[] = ['SIGSEGV', 'SIGBUS', 'SIGTRAP', 'SIGILL', 'SIGABRT'];

/** The reason for which a process ended. */
export function describeExit({ code, signal, lastLines, killsBefore, limited }: Exit): string {
  const text = lastLines.join('\n');
  const crashed = signal !== null || code === 134;
  if (crashed && FULL_HEAP.test(text))
    return 'its heap was full: let it have more (--heap, or the option heap), or give each call less to hold';
  if (NO_MEMORY.test(text) && (crashed || code !== 0))
    return `the system gave it no more memory (see ulimit -v, which counts several times what Node.js uses, and control groups). ${REMEDY}`;
  if (limited && (CRASHES.includes(signal) || code === 134))
    return `it crashed (${signal ?? 'SIGABRT'}), most likely because the system gave it no more memory (see ulimit -v, which counts several times what Node.js uses). ${REMEDY}`;
  if (signal === 'SIGKILL')
    return killsForMemory() > killsBefore
      ? `the system killed it for want of memory in the control group of its host. ${REMEDY}`
      : 'it was killed (SIGKILL): by someone, or by the system for want of memory';
  if (signal === 'SIGABRT' || code === 134) return 'it ran out of memory, or aborted (SIGABRT)';
  if (signal) return `it was ended by ${signal}`;
  return code === 0 ? 'it called process.exit(0)' : `it exited with code ${code}: by process.exit or an uncaught error`;
}

/** Whether a line tells of the insides of Node.js, as a crash prints them. Such lines help nobody, and hide the one that does. */
export function isInsides(line: string): boolean {
  return INSIDES.test(line);
}

/** The lines that are worth telling, of those that a process printed last. */
export function tellingLines(lastLines: readonly string[]): string[] {
  return lastLines.filter((line) => !/^#?\s*$/.test(line));
}

/** How many processes of this control group the system has killed for want of memory; 0 where it does not tell. */
export function killsForMemory(): number {
  for (const path of memoryGroups()) {
    try {
      const kills = /^oom_kill (\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
      if (kills !== undefined) return Number(kills);
    } catch {
      // this system has no such file; it may have the next
    }
  }
  return 0;
}

/** Whether processes that this one starts have a limited address space; false where the system does not tell. */
export function isAddressSpaceLimited(): boolean {
  try {
    return /^Max address space\s+\d/m.test(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return false;
  }
}

function memoryGroups(): string[] {
  try {
    return readFileSync('/proc/self/cgroup', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, kind, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
        if (kind === '') return [`/sys/fs/cgroup${path}/memory.events`, '/sys/fs/cgroup/memory.events'];
        if (kind?.split(',').includes('memory'))
          return [`/sys/fs/cgroup/memory${path}/memory.oom_control`, '/sys/fs/cgroup/memory/memory.oom_control'];
        return [];
      });
  } catch {
    return [];
  }
}

/** Why a process could not be started at all. */
export function describeStart(error: NodeJS.ErrnoException): string {
  const { code } = error;
  if (code === 'EMFILE')
    return 'this process may open no more files: allow it more (ulimit -n 4096), or have fewer workers (--cpus, or the option workers)';
  if (code === 'ENFILE') return 'this system has no more files to open';
  if (code === 'EAGAIN') return 'this user may start no more processes (ulimit -u): allow it more, or have fewer workers';
  if (code === 'ENOMEM') return `the system has no memory for it. ${REMEDY}`;
  return `it could not be started: ${error.message}`;
}

/** The error for a worker that could not be started. */
export function startError(name: string, reason: string, lastLines: readonly string[]): FlotillaError {
  const lines = tellingLines(lastLines);
  const printed = lines.length > 0 ? ` It printed last:\n${lines.join('\n')}` : '';
  return new FlotillaError('ERR_HOST_START', `Worker ${name} did not start: ${reason}.${printed}`);
}
