// Keeps a host to its service hours: opens it, asks its clients to leave, ends what they have not.
//
// Owns nothing but its timer. Does not own the host, and is not asked whether that is open: the host says so itself.
//
//   HK1. What is told follows from the wall clock alone, so that a clock that is set, or a machine that slept, is noticed within a minute.
//   HK2. A change is told once; that clients are to go when service has ended, as long as there are any.
import type { Clock, Log, Timers } from '../../base/index.ts';
import { type DailyHours, type Host, serviceAt } from '../../host/index.ts';

const LOOK_MS = 60_000;

/** What a {@link HoursKeeper} looks after. */
export interface Kept {
  readonly hours: DailyHours;
  readonly host: Pick<Host, 'open' | 'clients' | 'ask' | 'interrupt'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Whoever grants its places is to be told that it is open, or not. */
  readonly changed: () => void;
}

/** Looks at the clock from now on, until the timers are closed. */
export class HoursKeeper {
  readonly #kept: Kept;

  constructor(kept: Kept) {
    this.#kept = kept;
    this.#look();
  }

  #look(): void {
    const { hours, host, clock, timers, log, changed } = this.#kept;
    const now = clock.wall();
    const { phase, until } = serviceAt(hours, now);
    const open = phase === 'open';
    // HK2
    if (host.open !== open) {
      host.open = open;
      log.info(open ? 'Service begins.' : phase === 'stopping' ? 'Service stops: clients are asked to leave.' : 'Service has ended.');
      changed();
      if (phase === 'stopping') host.ask('its service hours are over');
    }
    if (phase === 'closed' && host.clients.length > 0) void host.interrupt('its service hours have ended');
    timers.later(Math.min(until - now, LOOK_MS), () => this.#look()); // HK1
  }
}
