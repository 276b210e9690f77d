// Tells whether this process may read its terminal: the system stops a process that does so in the background until it is in front again.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether this process belongs to the foreground of its terminal. True where there is no terminal. */
export function inForeground(): boolean {
  if (process.platform === 'win32') return true;
  const [mine, front] = process.platform === 'linux' ? groupsOfProc() : groupsOfPs();
  return mine === front || front === undefined || Number(front) <= 0; // without a terminal of its own nothing stops it
}

// The fields after the name in brackets, which may hold anything, are: state, parent, group, session, terminal, group in the foreground.
function groupsOfProc(): readonly (string | undefined)[] {
  try {
    const [, , group, , , front] = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return [group, front];
  } catch {
    return [];
  }
}

function groupsOfPs(): readonly (string | undefined)[] {
  const { stdout } = spawnSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'utf8' });
  return (stdout ?? '').trim().split(/\s+/);
}
