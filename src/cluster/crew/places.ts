// The places that calls name: whether such a place is there, may still come, or can never come.
//
// Owns the warning about calls that wait for a place that has not come. Does not own the hosts (crew.ts).
import type { Clock, FlotillaError, Timer } from '../../base/index.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { isAt } from '../dispatch/work.ts';
import { means, unknownPlace } from '../where.ts';
import type { Crew } from './crew.ts';

const WARN_MS = 5_000;

/** The one host of a client that can never have another. */
export interface OnlyHost {
  readonly name: string;
  readonly workers: readonly string[];
  readonly addresses: readonly string[];
}

/** The parts that places ask. */
export interface PlacesOptions {
  readonly clock: Clock;
  readonly crew: Crew;
  readonly dispatcher: Dispatcher;
  readonly warn: (text: string) => void;
}

/** The places of one client. */
export class Places {
  readonly #options: PlacesOptions;
  #timer: Timer | undefined;
  #only: OnlyHost | undefined;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Says that this host is the only one there will ever be; before that, others may join. */
  close(only: OnlyHost): void {
    this.#only = only;
  }

  /** Why nothing will ever run at a place; undefined if it may. Warns of a place that is not there yet while work waits for it. */
  refuses(at: string): FlotillaError | undefined {
    const only = this.#only;
    if (!only) {
      if (!this.#isThere(at)) this.#watch();
      return undefined;
    }
    const { name, workers, addresses } = only;
    if (means(at, name, addresses) || workers.some((worker, i) => means(at, worker, addresses, i + 1))) return undefined;
    return unknownPlace(at, 'host or worker', [name, ...workers.filter((worker) => worker !== name)]);
  }

  #isThere(at: string): boolean {
    const { crew } = this.#options;
    for (const member of crew.members.values()) if (isAt(member, at)) return true;
    for (const station of crew.stations.values())
      if (station.is(at) || [...station.slots].some((slot) => means(at, `${station.name}/${slot}`, station.addresses, slot))) return true;
    return false;
  }

  #watch(): void {
    this.#timer ??= this.#options.clock.after(WARN_MS, () => this.#look(), { background: true });
  }

  #look(): void {
    this.#timer = undefined;
    const { crew, dispatcher, warn } = this.#options;
    if (crew.state.closing) return;
    const waiting = new Map<string, number>();
    for (const { at, weight } of dispatcher.queued())
      if (at !== undefined && !this.#isThere(at)) waiting.set(at, (waiting.get(at) ?? 0) + weight);
    const hosts = [...crew.stations.values()].map(({ name }) => name);
    for (const [at, count] of waiting)
      warn(
        `${count === 1 ? 'a call waits' : `${count} calls wait`} for '${at}', which this client does not have (it has ${hosts.slice(0, 12).join(', ') || 'no host'}). One of that name may still join; with({ timeout }) ends the wait`,
      );
    if (waiting.size > 0) this.#watch();
  }
}
