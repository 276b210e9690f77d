// Finds the processes that workers start detached, outside of their process groups, by the mark that all descendants inherit.
//
// A process leaves its group when it is detached, and its parent may be gone. Its environment it keeps, so a variable there tells the
// leftovers of a worker from strangers.
//
//   MK1. Processes are found only where the system tells what they inherited (Linux); elsewhere none is.
//   MK2. A process that starts during a look is found by looking again, until none is left.
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../base/index.ts';
import { hasOwnProc } from './identity.ts';
import { type Account, asLent } from './users.ts';

/** The environment variable that holds the mark of a worker. */
export const MARK = 'FLOTILLA_WORKER';
const MOST_LOOKS = 5;

/** Whether a process inherited a mark. */
export function inherited(pid: string | number, marks: ReadonlySet<string>): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    const at = environment.indexOf(`${MARK}=`);
    if (at < 0) return false;
    const end = environment.indexOf('\0', at);
    return marks.has(environment.slice(at + MARK.length + 1, end < 0 ? undefined : end));
  } catch {
    return false; // it is gone, or not ours
  }
}

/** Kills all processes that inherited one of these marks, except those in `but`: the workers that were given it. MK2 */
export function killMarked(marks: ReadonlySet<string>, but: ReadonlySet<number>): void {
  // A child that is just being started is not seen yet, so there is another look. Looks are limited, or a program that starts children
  // faster than they are killed would hold this process for ever.
  for (let look = 0; look < MOST_LOOKS; look++) {
    let killed = 0;
    for (const pid of processes()) {
      if (but.has(Number(pid)) || !inherited(pid, marks)) continue;
      try {
        process.kill(Number(pid), 'SIGKILL');
        killed++;
      } catch {
        // it is gone already
      }
    }
    if (killed === 0) return;
  }
}

/** The numbers of all processes of this system; none where /proc does not tell of them. MK1 */
export function processes(): string[] {
  if (!hasOwnProc()) return [];
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Ends the processes that workers have left. Workers that end in one turn share a look, because each look reads all of /proc. */
export class Sweeper {
  readonly #clock: Clock;
  #waiting: { readonly account: Account | undefined; readonly marked: Map<string, number>; readonly done: Promise<void> }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Kills all that inherited the mark of a worker that has been killed. Resolves when that is done. */
  sweep(mark: string, pid: number, account: Account | undefined): Promise<void> {
    const shared = this.#waiting.find((one) => one.account === account);
    if (shared) {
      shared.marked.set(mark, pid);
      return shared.done;
    }
    const marked = new Map([[mark, pid]]);
    const done = new Promise<void>((resolve) => {
      this.#clock.turn(() => {
        this.#waiting = this.#waiting.filter((one) => one.marked !== marked);
        asLent(account, () => killMarked(new Set(marked.keys()), new Set(marked.values())));
        resolve();
      });
    });
    this.#waiting.push({ account, marked, done });
    return done;
  }
}
