// Work that waits for a place that there is not any more.
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { unknownPlace } from '../where.ts';
import type { Station } from './station.ts';

/** Fails what can only run on a host that is gone. */
export function failWaiting(dispatcher: Dispatcher, stations: Iterable<Station>, gone: Station, reason: string): void {
  const left = [...stations];
  const names = left.map(({ name }) => name);
  dispatcher.failPicky(({ at }) => {
    if (at === undefined || !(gone.is(at) || at.startsWith(`${gone.name}/`)) || left.some((other) => other.is(at))) return undefined;
    return unknownPlace(at, 'host or worker', names.length > 0 ? names : [`none: '${gone.name}' has left (${reason})`]);
  });
}
