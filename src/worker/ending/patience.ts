// Patience with user code: time counts as far as this process has had it.
//
//   PN1. Looks are counted, not time: a process that was stopped, or that a busy machine gives no turn, has not had the time that passed.
import type { Clock } from '../../base/index.ts';

const LOOK_MS = 50;

/** Calls back when so many milliseconds have passed in which this process could run. PN1 */
export function afterTimeHad(clock: Clock, ms: number, then: () => void): { cancel(): void } {
  let left = Math.ceil(ms / LOOK_MS);
  const look = (): void => {
    left--;
    if (left <= 0) then();
    else timer = clock.after(Math.min(ms, LOOK_MS), look);
  };
  let timer = clock.after(Math.min(ms, LOOK_MS), look);
  return { cancel: () => timer.cancel() };
}
