// Tells which process a number means. The number alone does not: it is given again, and means another process in another namespace or
// on another machine.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from '../../base/index.ts';

/** A process that can be told from any other: by its number, when it was started, and on which system that was. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started, as the system writes it; empty where the system does not tell. */
  readonly start: string;
  /** This boot of this machine, and the namespace in which the number holds. */
  readonly system: string;
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid), system: systemHere() };
}

/** Whether a process lives or is gone; unknown if it belongs to another system. */
export function fateOf({ pid, start, system }: ProcessIdentity): 'lives' | 'gone' | 'unknown' {
  if (system !== systemHere()) return 'unknown';
  if (!isAlive(pid)) return 'gone';
  const now = startOf(pid);
  return start === '' || now === '' || start === now ? 'lives' : 'gone';
}

/** Whether a process carries a title that we have given it; undefined where the system does not say. */
export function isTitled(pid: number, title: string): boolean | undefined {
  if (!hasOwnProc()) return undefined;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(title);
  } catch {
    return undefined;
  }
}

/** Whether /proc tells of the processes that have their numbers here. A /proc of another namespace would name strangers. */
export function hasOwnProc(): boolean {
  try {
    return Number.parseInt(readFileSync('/proc/self/stat', 'latin1'), 10) === process.pid;
  } catch {
    return false;
  }
}

function systemHere(): string {
  let text = hostname();
  try {
    text = `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // no Linux: there are no such namespaces
  }
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function startOf(pid: number): string {
  if (hasOwnProc()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? 'ended' : (fields[19] ?? ''); // a process whose parent has not noticed its end is gone
    } catch {
      return '';
    }
  }
  if (process.platform === 'linux' || process.platform === 'win32') return '';
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C', TZ: 'UTC' } });
  return (stdout ?? '').replace(/\W+/g, '');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
