// How long workers will be busy with what they have: an estimate from the times of their answers. Pure: the time is handed in.
//
// A client gives a worker its next call before the last is done, or the worker would wait for the way there and back. How much it gives
// ahead is a matter of time, not of calls: two milliseconds of work hide the way, be it a hundred calls or none. So it has to know how
// long a call takes, and all that it sees of a worker is when answers come:
//
//     given    c1 c2 c3                  c4             c5
//                \                        \              \
//     worker      [--- c1 ---][--- c2 ---][--- c3 ---][--- c4 ---][ ...
//                             \           \           \
//     seen     |               a1          a2          a3
//              headSince: c1 runs          |           |
//                              headSince: c2 runs, by all that is known
//              |------- window: 3 answers in its time, serviceMs = time / 3 ------|
//
// - A worker that is kept busy answers as fast as it works: the time between two answers is that of one call, and the way there and back is
//   not in it. The first call of a worker that had nothing contains the way, once.
// - Many answers may come in one frame, at one moment. So answers are counted over a window of at least WINDOW_MS, and `serviceMs` of the
//   job is the time of the window by its answers. It rises at once, for slow work must not be put before other work; it falls slowly.
// - A batch says how long it worked; it opens no window.
// - `queuedMs` is the weight of all work of this kind that a worker has. Work is weighed once as it comes and once as it ends, by estimates
//   that have moved in between: the sum drifts, but is never below zero, and is zero again whenever the worker has nothing.
// - `headSince` tells when the work in front was seen to begin: work that has run for long, with other work behind it, is slow, and the
//   work behind it may be recalled (recall.ts).
// - A suspect (losses.ts) weighs more than whatever fits: nothing is given ahead of it or behind it.
//
//   ES1. A worker has at most PREFETCH_MS of measured calls ahead of it, or a batch; of a function that was never measured, none.
import type { Job } from './job.ts';
import type { Member, Work } from './work.ts';

const PREFETCH_MS = 2;
/** How much work of a map travels together: with less, workers wait between batches; with more, other work waits for long. */
export const BATCH_MS = 8;
/** Room for measured times to vary: a batch cut to fit must still fit when its estimate has moved. */
const TOLERANCE = 1.25;
const WINDOW_MS = 0.05;
const MOST_AHEAD = 1_024;
/** Work that has run so long, with other work behind it, is slow. */
export const SLOW_MS = 20;

/** The estimate of one worker. */
export interface Estimate {
  /** How many milliseconds the worker's work takes; work that runs beside other work is left out. */
  queuedMs: number;
  /** When the work in front was seen to begin. */
  headSince: number;
  windowStart: number;
  /** Answers since the window began. */
  windowCount: number;
}

/** The estimate of a worker that has done nothing. */
export function newEstimate(): Estimate {
  return { queuedMs: 0, headSince: 0, windowStart: 0, windowCount: 0 };
}

/** Notes that a worker that had nothing is given work. */
export function begins(estimate: Estimate, now: number): void {
  estimate.headSince = now;
  estimate.windowStart = now;
  estimate.windowCount = 0;
}

/** Notes that a worker is given some work. */
export function gains(estimate: Estimate, work: Work): void {
  estimate.queuedMs += weightMs(work);
}

/** Notes that a worker is rid of some work, and whether it has more. */
export function sheds(estimate: Estimate, work: Work, hasMore: boolean): void {
  estimate.queuedMs = hasMore ? Math.max(0, estimate.queuedMs - weightMs(work)) : 0;
}

/** Notes that a worker has answered: its next work runs from now on, and the function's time is measured. */
export function answers(estimate: Estimate, work: Work, now: number): void {
  estimate.headSince = now;
  if (work.kind !== 'call') return;
  estimate.windowCount++;
  const elapsed = now - estimate.windowStart;
  if (elapsed < WINDOW_MS) return;
  learn(work.job, elapsed / estimate.windowCount);
  estimate.windowStart = now;
  estimate.windowCount = 0;
}

/** Takes a measurement into a function's time. The time rises at once and falls slowly, since slow work must not go before other work. */
export function learn(job: Job, serviceMs: number): void {
  job.serviceMs = job.serviceMs === undefined || serviceMs > job.serviceMs ? serviceMs : job.serviceMs * 0.6 + serviceMs * 0.4;
}

/** Whether the work in front has run for long. */
export function isSlow({ headSince }: Estimate, now: number): boolean {
  return now - headSince >= SLOW_MS;
}

/** Whether a worker takes one more work of the kind that runs one at a time. ES1 */
export function hasCapacity(member: Member, work: Work): boolean {
  const ahead = member.inFlight.size - member.io;
  if (ahead === 0) return true;
  if (work.kind === 'task' || work.suspect) return false;
  const { serviceMs } = work.job;
  if (serviceMs === undefined || ahead >= MOST_AHEAD) return false;
  const running = member.inFlight.first?.work;
  if (running?.suspect) return false;
  const most = work.kind === 'batch' ? BATCH_MS : PREFETCH_MS;
  return member.time.queuedMs - (running ? weightMs(running) : 0) + serviceMs * work.weight <= most * TOLERANCE;
}

// How many milliseconds of a worker's time some work takes. A suspect takes more than fits, so that nothing waits behind it.
function weightMs(work: Work): number {
  return work.suspect ? BATCH_MS + 1 : (work.job.serviceMs ?? PREFETCH_MS) * work.weight;
}
