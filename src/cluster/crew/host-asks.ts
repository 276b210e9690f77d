// Asks of a client to its hosts. A host that does not answer in time may only be silent, so it is asked again; a gone one is an error.
import { hasCode, type Log, type RuntimeId, sleep } from '../../base/index.ts';
import { HOST, type HostDoor } from '../../host/index.ts';
import { type Asks, isSessionLoss, type Runtime } from '../../kernel/index.ts';
import type { Station } from './station.ts';

const ANSWER_MS = 10_000;
const OFFLINE_MS = 1_000;
const OFFLINE_TRIES = 5;

/** The asks of one client. */
export class HostAsks {
  readonly #runtime: Runtime;
  readonly #isHere: (station: Station) => boolean;

  constructor(runtime: Runtime, isHere: (station: Station) => boolean) {
    this.#runtime = runtime;
    this.#isHere = isHere;
  }

  /** Comes to a host that was granted; resolves with the host's pulse and the number of this stay. */
  attach(station: Station): Promise<{ readonly pulse: number; readonly tenancy: number }> {
    return this.#ask(station, (at) => at.attach(this.#runtime.links.options.pulseMs));
  }

  /** Lets workers of a host start. */
  begin(station: Station, slots: readonly number[]): Promise<void> {
    return this.#ask(station, (at) => at.begin(slots));
  }

  /** Leaves a host that is not wanted. */
  leave(host: RuntimeId): void {
    this.#runtime.post
      .at(host, HOST)
      .detach()
      .catch(() => {}); // the host is gone
  }

  /** Has a host end the worker of a place, and start another if `restart`. */
  close(host: RuntimeId, slot: number, restart: boolean): void {
    this.#runtime.post
      .at(host, HOST)
      .close(slot, restart)
      .catch(() => {}); // the host is gone
  }

  async #ask<T>(station: Station, ask: (at: Asks<HostDoor>) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask(this.#runtime.post.at(station.id, HOST, { timeout: ANSWER_MS }));
      } catch (error) {
        const again = isSessionLoss(error) && tries < OFFLINE_TRIES; // the host was offline, and is being dialled
        if (!(again || hasCode(error, 'ERR_TIMEOUT')) || !this.#isHere(station)) throw error;
        if (again) await sleep(this.#runtime.environment.clock, OFFLINE_MS);
      }
    }
  }
}

/** Takes over the pulse of a host that cannot give signs of life as often as this client would. */
export function agreePulse(runtime: Runtime, host: string, ms: number, log: Log): void {
  const { pulseMs } = runtime.links.options;
  if (ms <= pulseMs) return;
  log.warn(`Host '${host}' gives a sign of life every ${ms / 1000} s at most, not every ${pulseMs / 1000} s.`);
  runtime.links.pace(ms);
}
