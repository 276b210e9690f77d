// Service hours: when a host takes clients, asks them to leave, and ends them. Pure; local time, across midnight and changes of the clock.
import { FlotillaError } from '../base/index.ts';

/** Times of day, as HH:MM, at which service starts, stops (running work may end), and ends (running work is killed). */
export interface ServiceHours {
  /** Now, by default: service begins at once, and each day at that time. */
  readonly start?: string | undefined;
  readonly stop?: string | undefined;
  readonly end?: string | undefined;
}

/** Hours that have been checked, and have a start. */
export interface DailyHours extends ServiceHours {
  readonly start: string;
}

/** The phase that a host is in, and when it changes (milliseconds since 1970). */
export interface ServiceAt {
  readonly phase: 'open' | 'stopping' | 'closed';
  readonly until: number;
}

const MINUTE = 60_000;

/** Checks hours against each other; a start that is not given is `now`. Throws ERR_OPTION_INVALID. */
export function parseHours(hours: ServiceHours, now: number): DailyHours {
  for (const name of ['start', 'stop', 'end'] as const) {
    const text = hours[name];
    if (text !== undefined && !/^([01]?\d|2[0-3]):[0-5]\d$/.test(text))
      throw new FlotillaError('ERR_OPTION_INVALID', `--service-${name} must be a time of day as HH:MM; it is '${text}'.`);
  }
  if (hours.stop === undefined && hours.end === undefined)
    throw new FlotillaError('ERR_OPTION_INVALID', 'Service hours need an end: give --service-stop, --service-end or both.');
  const at = new Date(now);
  const start = hours.start ?? `${at.getHours()}:${String(at.getMinutes()).padStart(2, '0')}`;
  const times = [start, hours.stop, hours.end].flatMap((text) => (text === undefined ? [] : [minuteOf(text)]));
  if (new Set(times).size !== times.length)
    throw new FlotillaError('ERR_OPTION_INVALID', 'Service must start, stop and end at different times of day.');
  const [first = 0] = times;
  const after = times.map((minute) => (minute - first + 1440) % 1440);
  if (after.some((minute, i) => i > 0 && minute < (after[i - 1] ?? 0)))
    throw new FlotillaError('ERR_OPTION_INVALID', 'Within a day from its start, service must stop before it ends.');
  return { ...hours, start };
}

/** The phase of service at a moment. */
export function serviceAt(hours: DailyHours, now: number): ServiceAt {
  const days = [-1, 0, 1, 2].map((offset) => {
    const start = onDay(now, offset, hours.start);
    const stop = hours.stop === undefined ? undefined : nextAfter(start, hours.stop);
    const end = hours.end === undefined ? undefined : nextAfter(stop ?? start, hours.end);
    return { start, stop, end };
  });
  for (const { start, stop, end } of days) {
    const open = stop ?? end;
    if (open !== undefined && now >= start && now < open) return { phase: 'open', until: open };
    if (stop !== undefined && end !== undefined && now >= stop && now < end) return { phase: 'stopping', until: end };
  }
  const next = Math.min(...days.map(({ start }) => start).filter((start) => start > now));
  // Without an end, work that still runs when service stops has until the next start.
  return { phase: hours.end === undefined ? 'stopping' : 'closed', until: next };
}

function minuteOf(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return hour * 60 + minute;
}

// The calendar counts days, so that a day of 23 or 25 hours is a day.
function onDay(now: number, offset: number, text: string): number {
  const day = new Date(now);
  const minute = minuteOf(text);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + offset, Math.floor(minute / 60), minute % 60).getTime();
}

function nextAfter(moment: number, text: string): number {
  const same = onDay(moment, 0, text);
  return same >= moment + MINUTE ? same : onDay(moment, 1, text);
}
