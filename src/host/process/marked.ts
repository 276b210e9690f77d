// What workers start outside of their process groups, detached: found by the mark that all descendants inherit.
//
//   MK1. Only where the system tells what processes inherited (Linux); elsewhere nothing is found.
//   MK2. Who starts meanwhile is found by looking again, until nobody is there.
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../base/index.ts';
import { hasOwnProc } from './identity.ts';
import { type Account, asLent } from './users.ts';

/** The variable of a worker's environment that names it. */
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

/** Kills all who inherited one of these marks, but for those who were given it. MK2 */
export function killMarked(marks: ReadonlySet<string>, but: ReadonlySet<number>): void {
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

/** The processes of this system, as far as they have the same numbers here. MK1 */
export function processes(): string[] {
  if (!hasOwnProc()) return [];
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Ends what workers have left; those that end in one turn share a look at the processes. */
export class Sweeper {
  readonly #clock: Clock;
  #waiting: { readonly account: Account | undefined; readonly marked: Map<string, number>; readonly done: Promise<void> }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when nobody who inherited the mark of a process that has been killed is left. */
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
