// Decides what becomes of work whose worker is lost, or silent. Pure.
//
// A lost worker had one call that ran and others that waited behind it. Only the first can be to blame, but if calls run beside each other
// nobody can tell which. So all work under way becomes a *suspect*: it is tried again with nothing ahead of it and nothing behind it on its
// worker. If that worker is lost, too, it was this work. Each loss that may be its own doing is a strike; with `retries` + 1 of them it has
// struck out. A batch cannot be blamed as one: the map that made it gives its items anew, one by one.
//
// A worker that is silent may be lost, or only cut off. Its work that may be tried again becomes *doubtful*: it is given to another worker
// as well, never to the same, and the first answer counts. It stays doubtful until it is done: the silent worker may be heard again, and
// goes on with its work.
import { FlotillaError } from '../../base/index.ts';
import { isBeside } from './order.ts';
import type { Flight, Loss, Member, Work } from './work.ts';

/** The fate of work that a lost worker had not finished: it is tried `again` as it is, `anew` by new orders of its map, or not at all. */
export type Verdict = 'settled elsewhere' | 'again' | 'anew' | 'struck out';

/** Decides the fate of work that was under way on a lost worker, and notes whether it is suspected of the loss. */
export function judge(flight: Flight, loss: Loss, wasRunning: boolean): Verdict {
  const { work } = flight;
  if (work.state !== flight) return 'settled elsewhere'; // done, or under way on another worker
  if (loss.blameless && work.retries > 0) return 'again';
  work.suspect = true;
  if (work.kind === 'batch') return 'anew';
  if (wasRunning || isBeside(work)) work.strikes++; // DP2
  return work.strikes > work.retries ? 'struck out' : 'again'; // DP3
}

/** The work of a silent worker that others may be given as well, last first, as each goes to the front of the queue. DP5 */
export function doubtfulOf({ inFlight }: Member): Work[] {
  const all = [...inFlight].filter((flight) => flight.work.state === flight);
  return all
    .map(({ work }) => work)
    .filter(({ retries, kind }) => retries > 0 && kind !== 'task')
    .reverse();
}

/** The error of work that was lost with its worker once too often. */
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
