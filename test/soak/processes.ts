// What Linux tells of processes: who has the soak's mark, and what each of them holds.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The variable that all processes of one soak have in their environment. */
export const MARK = 'FLOTILLA_SOAK_MARK';
const PAGE_KIB = 4;

/** A process: a number alone may be somebody else's by now. */
export interface Found {
  readonly pid: number;
  readonly born: string;
  readonly title: string;
}

/** What a process holds. */
export interface Held {
  readonly rssKiB: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** The processes that inherited a mark, but for those that have ended and wait to be collected. */
export function withMark(mark: string): Found[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || !isMarked(name, mark)) return [];
    const pid = Number(name);
    const born = bornAt(pid);
    return born === undefined ? [] : [{ pid, born, title: titleOf(pid) }];
  });
}

/** When a process was started, in ticks of the system; undefined when it is gone. */
export function bornAt(pid: number): string | undefined {
  const fields = fieldsOf(pid);
  return fields && fields[0] !== 'Z' ? fields[19] : undefined;
}

/** What a process holds; undefined when it is gone. */
export function heldBy(pid: number): Held | undefined {
  const fields = fieldsOf(pid);
  if (!fields) return undefined;
  try {
    return {
      rssKiB: Number(fields[21]) * PAGE_KIB,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      threads: Number(fields[17]),
    };
  } catch {
    return undefined;
  }
}

/** The ports of IPv4 at which a process listens. */
export function portsOf(pid: number): number[] {
  const inodes = new Set<string>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode) inodes.add(inode);
    } catch {
      // closed meanwhile
    }
  }
  const listening = '0A';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === listening && inodes.has(columns[9] ?? ''))
    .map((columns) => Number.parseInt(columns[1]?.split(':')[1] ?? '', 16));
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function isMarked(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}\0`);
  } catch {
    return false; // gone, or not ours
  }
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

// The fields of /proc/PID/stat behind the name, which may itself have spaces and brackets: state first.
function fieldsOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
