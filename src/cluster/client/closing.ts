// The end of a client: close() waits for its calls as long as there is hope for them, so that it always comes back.
//
//   CZ1. Calls that run are waited for, and calls that a worker may yet run.
//   CZ2. If calls wait and only tasks run, the tasks are ended first: they may hold every worker that there is.
//   CZ3. A call that nothing could run for HOPELESS_MS is given up, and says why.
import { type Clock, Deferred, FlotillaError, sleep } from '../../base/index.ts';
import { GRACE_MS, type TaskRef } from '../../kernel/index.ts';
import type { Crew } from '../crew/crew.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { PAUSE } from '../dispatch/work.ts';
import { whyComing, whyWaits } from './explain.ts';

/** Time for hosts and the scheduler to let a client go. */
export const CLOSE_MS = 2_000;
const LOOK_MS = 250;
const HOPELESS_MS = 10_000;
const FAILURES_ARE_FINAL = 3;

/** The parts of a client that ends. */
export interface Closing {
  readonly clock: Clock;
  readonly crew: Crew;
  readonly dispatcher: Dispatcher;
  /** Spawned tasks that have not ended. */
  readonly tasks: ReadonlySet<TaskRef<unknown>>;
  /** Whether hosts and workers wait to be enabled. */
  readonly options: { readonly disableHosts?: boolean; readonly disableWorkers?: boolean };
}

/** Resolves when calls are done (those with `io` only if `awaitIo`), when there is no hope for them, or after `timeout` milliseconds. */
export async function untilDone(closing: Closing, awaitIo: boolean, timeout: number | undefined): Promise<void> {
  const { clock } = closing;
  const stop = new AbortController();
  const ways = [untilIdle(closing, awaitIo, stop.signal), untilHopeless(closing, awaitIo, stop.signal)];
  if (timeout !== undefined) ways.push(sleep(clock, timeout, stop.signal));
  try {
    await Promise.race(ways);
  } finally {
    for (const way of ways) way.catch(() => {}); // the waits that lost the race are aborted
    stop.abort();
  }
}

/** Interrupts tasks. Resolves when they have ended, or their time for it is over. */
export async function endTasks({ clock, tasks }: Closing): Promise<void> {
  const all = [...tasks];
  if (all.length === 0) return;
  for (const task of all) task.terminate('the client closes');
  const late = new Deferred<void>();
  const timer = clock.after(GRACE_MS + CLOSE_MS, () => late.resolve());
  await Promise.race([Promise.all(all.map((task) => task.ended)), late.promise]);
  timer.cancel();
}

// Resolves when the client stays idle. It looks again a turn later, because a program that reads a map may make new work from a result.
async function untilIdle({ clock, dispatcher }: Closing, awaitIo: boolean, signal: AbortSignal): Promise<void> {
  do {
    await dispatcher.idle(awaitIo);
    await new Promise<void>((resolve) => clock.turn(resolve));
  } while (!dispatcher.isIdle(awaitIo) && !signal.aborted);
}

async function untilHopeless(closing: Closing, awaitIo: boolean, signal: AbortSignal): Promise<void> {
  const { clock, crew, dispatcher, tasks } = closing;
  const failures = crew.state.failures;
  let hopeAt = clock.now();
  let settled = -1;
  while (clock.now() - hopeAt < HOPELESS_MS) {
    await sleep(clock, LOOK_MS, signal);
    const { done, failed } = dispatcher.tally;
    const moved = done + failed !== settled;
    settled = done + failed;
    const hope = moved || runs(closing, awaitIo) || (crew.state.failures - failures < FAILURES_ARE_FINAL && isStarting(closing));
    if (hope)
      hopeAt = clock.now(); // CZ1
    else if (tasks.size > 0) await endTasks(closing); // CZ2
  }
  const given = new Set(dispatcher.coming());
  dispatcher.failPicky((work) => {
    const why = given.has(work) ? whyComing(crew) : whyWaits(work, dispatcher, crew);
    return new FlotillaError(
      'ERR_CLOSED',
      `The client was closed, and '${work.job.label}' was given up: for ${HOPELESS_MS / 1000} s nothing could run it, as ${why}.`,
    ); // CZ3
  });
}

// Whether a worker that is not silent has calls under way.
function runs({ dispatcher }: Closing, awaitIo: boolean): boolean {
  return dispatcher.members.some(({ pause, inFlight, io }) => !(pause & PAUSE.OFFLINE) && inFlight.size - (awaitIo ? 0 : io) > 0);
}

// Whether a worker may yet come by itself: a host is being set up, or a process is starting.
function isStarting({ crew, options: { disableHosts, disableWorkers } }: Closing): boolean {
  for (const station of crew.stations.values()) {
    if (station.offline || station.suspended) continue;
    if (station.phase === 'discovered' && !(disableHosts && !station.isEnabled)) return true;
    const waiting = disableWorkers ? [...crew.state.unused.values()].filter(({ info }) => info.host === station.id).length : 0;
    if (station.phase === 'initialized' && station.slots.size > crew.of(station).length + waiting) return true;
  }
  return false;
}
