// The hours keeper keeps a host to its service hours: it opens the host, asks its clients to leave, and ends the work of those that stay.
//
// Owns nothing but its timer. Does not own the host, which says itself whether it is open.
//
//   HK1. The phase follows from the wall clock alone, so that a clock that is set, or a machine that slept, is noticed within a minute.
//   HK2. A change is told once; when service has ended, clients are told to go as long as there are any.
import type { Clock, Log, Timers } from '../../base/index.ts';
import { type DailyHours, type Host, serviceAt } from '../../host/index.ts';

const LOOK_MS = 60_000;

/** The host that a {@link HoursKeeper} looks after. */
export interface Kept {
  readonly hours: DailyHours;
  readonly host: Pick<Host, 'open' | 'clients' | 'ask' | 'interrupt'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Called when the host has opened or closed, so that its scheduler is told. */
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
