// How much work a worker is given ahead: what calls are known to take, and how much of its time is spoken for.
//
//   AH1. A worker has at most PREFETCH_MS of measured calls ahead of it, or a batch; of a function never measured, nothing.
import type { Job } from './job.ts';
import type { Member, Work } from './work.ts';

const PREFETCH_MS = 2;
/** So much work of a map travels together: with less, workers wait between batches; with more, other work waits for long. */
export const BATCH_MS = 8;
/** Measured times vary: a batch cut to fit must still fit when its estimate has moved. */
const TOLERANCE = 1.25;
const WINDOW_MS = 0.05;
const MOST_AHEAD = 1_024;

/** Whether a worker takes one more of what runs one at a time. AH1 */
export function hasCapacity(member: Member, work: Work): boolean {
  const ahead = member.inFlight.size - member.io;
  if (ahead === 0) return true;
  if (work.kind === 'task' || work.suspect) return false;
  const { serviceMs } = work.job;
  if (serviceMs === undefined || ahead >= MOST_AHEAD) return false;
  const running = member.inFlight.first?.work;
  if (running?.suspect) return false;
  const most = work.kind === 'batch' ? BATCH_MS : PREFETCH_MS;
  return member.queuedMs - (running ? weightMs(running) : 0) + serviceMs * work.weight <= most * TOLERANCE;
}

/** How much of a worker's time ahead some work takes up; a suspect, all of it. */
export function weightMs(work: Work): number {
  return work.suspect ? BATCH_MS + 1 : (work.job.serviceMs ?? PREFETCH_MS) * work.weight;
}

/** Takes a measurement of a function's time into account. */
export function learn(job: Job, serviceMs: number): void {
  job.serviceMs = job.serviceMs === undefined || serviceMs > job.serviceMs ? serviceMs : job.serviceMs * 0.6 + serviceMs * 0.4;
}

/** Time between answers of a worker that is kept busy is the time of a call; it rises at once and falls slowly. */
export function measure(member: Member, work: Work, now: number): void {
  member.headSince = now;
  if (work.kind !== 'call') return;
  member.windowCount++;
  const elapsed = now - member.windowStart;
  if (elapsed < WINDOW_MS) return;
  learn(work.job, elapsed / member.windowCount);
  member.windowStart = now;
  member.windowCount = 0;
}
