// Whether this process may read its terminal: one that does so in the background is stopped by the system until it is brought to the front.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether this process belongs to the foreground of its terminal. True where there is no such thing. */
export function inForeground(): boolean {
  if (process.platform === 'win32') return true;
  const [mine, front] = process.platform === 'linux' ? groupsOfProc() : groupsOfPs();
  return mine === front || front === undefined || Number(front) <= 0; // without a terminal of its own nothing stops it
}

// After the name in brackets, which may hold anything: state, parent, group, session, terminal, group in the foreground.
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
