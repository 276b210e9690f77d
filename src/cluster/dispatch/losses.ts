// What becomes of work whose worker is lost, or silent. Pure.
//
// A worker that is lost had one call that ran and others that waited behind it; only the first can be to blame, but where calls run beside each
// other nobody can tell. So whatever was under way becomes a *suspect*: it is tried again with nothing ahead of it and nothing behind it on its
// worker. If that worker is lost, too, it was this work. Each loss that may be its own doing is a strike; with `retries` + 1 of them it has
// struck out. A batch cannot be blamed as one: the map that made it gives its items anew, one by one.
//
// A worker that is silent may be lost, or only cut off. What it has and may be tried again becomes *doubtful*: it is given to another worker as
// well, never to the same, and whichever answers first is right. It stays doubtful until it is done: the silent one may be heard again, and
// goes on with what it has.
import { FlotillaError } from '../../base/index.ts';
import { isBeside } from './order.ts';
import type { Flight, Loss, Member, Work } from './work.ts';

/** What becomes of work that a lost worker had not finished: `again` as it is, `anew` by new orders of whoever gave it, or nothing more. */
export type Verdict = 'settled elsewhere' | 'again' | 'anew' | 'struck out';

/** Decides what becomes of work that was under way on a lost worker, and notes what it has to do with the loss. */
export function judge(flight: Flight, loss: Loss, wasRunning: boolean): Verdict {
  const { work } = flight;
  if (work.state !== flight) return 'settled elsewhere'; // done, or under way on another worker
  if (loss.blameless && work.retries > 0) return 'again';
  work.suspect = true;
  if (work.kind === 'batch') return 'anew';
  if (wasRunning || isBeside(work)) work.strikes++; // DP2
  return work.strikes > work.retries ? 'struck out' : 'again'; // DP3
}

/** What a silent worker has that others may be given as well, last first. DP5 */
export function doubtfulOf({ inFlight }: Member): Work[] {
  const all = [...inFlight].filter((flight) => flight.work.state === flight);
  return all
    .map(({ work }) => work)
    .filter(({ retries, kind }) => retries > 0 && kind !== 'task')
    .reverse();
}

/** The error for work that was lost with its workers as often as it may be. */
export function struckOut(work: { readonly job: { readonly label: string }; readonly strikes: number }, loss: Loss): FlotillaError {
  const printed = loss.lastLines.length > 0 ? ` Its last lines:\n${loss.lastLines.slice(-8).join('\n')}` : '';
  const details = { details: { worker: loss.worker, attempts: work.strikes } };
  if (work.strikes > 1) {
    return new FlotillaError(
      'ERR_CALL_KILLS_WORKERS',
      `'${work.job.label}' was lost with its worker ${work.strikes} times and is not tried again. Last on ${loss.worker}: ${loss.reason}.${printed}`,
      details,
    );
  }
  return new FlotillaError(
    'ERR_WORKER_LOST',
    `'${work.job.label}' was lost with worker ${loss.worker}: ${loss.reason}.${printed}`,
    details,
  );
}
