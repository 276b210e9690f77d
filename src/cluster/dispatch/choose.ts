// Chooses the worker that is given some work, from what is known of the workers. Pure.
import { hasCapacity } from './estimate.ts';
import { isBeside } from './order.ts';
import { besides, isAt, isUnderWay, type Member, type Work } from './work.ts';

/** The least loaded worker that may have the work; none if all have enough. `doubtful`: work that a silent worker may have, too. */
export function choose(members: readonly Member[], work: Work, doubtful: ReadonlySet<Work>): Member | undefined {
  let best: Member | undefined;
  const serial = !isBeside(work);
  for (const member of members) {
    if (member.state !== 'ready' || member.pause !== 0 || member.alone || member.stopping.size > 0) continue; // DP7
    if (doubtful.size > 0 && doubtful.has(work) && isUnderWay(work, member)) continue;
    if (work.at !== undefined && !isAt(member, work.at)) continue;
    if (work.job.refusedBy.size > 0 && work.job.refusedBy.has(member.info.host)) continue;
    if (serial ? !hasCapacity(member, work) : besides(member) >= work.io) continue; // DP1
    if (best === undefined || loadOf(member, serial) < loadOf(best, serial)) best = member;
  }
  return best;
}

function loadOf(member: Member, serial: boolean): number {
  return serial ? member.time.queuedMs + member.inFlight.size * 1e-6 : besides(member);
}
