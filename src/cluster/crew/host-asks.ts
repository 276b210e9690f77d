// What a client asks of its hosts, until they answer: one that does not in time may be silent for a while; one that is gone is an error.
import { hasCode, sleep } from '../../base/index.ts';
import { isSessionLoss, PORT, type Runtime } from '../../kernel/index.ts';
import type { Station } from './station.ts';

const ANSWER_MS = 10_000;
const OFFLINE_MS = 1_000;
const OFFLINE_TRIES = 5;

/** Asks hosts. */
export class HostAsks {
  readonly #runtime: Runtime;
  readonly #isHere: (station: Station) => boolean;

  constructor(runtime: Runtime, isHere: (station: Station) => boolean) {
    this.#runtime = runtime;
    this.#isHere = isHere;
  }

  /** Comes to a host that was granted; resolves with its pulse, and which stay there this is. */
  async attach(station: Station): Promise<{ pulse: number; tenancy: number }> {
    return (await this.#ask(station, 'attach', [this.#runtime.hub.options.pulseMs])) as { pulse: number; tenancy: number };
  }

  /** Lets workers of a host start. */
  async begin(station: Station, slots: readonly number[]): Promise<void> {
    await this.#ask(station, 'begin', [slots]);
  }

  async #ask(station: Station, method: string, args: readonly unknown[]): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#runtime.kernel.ask(station.id, PORT.HOST, method, args, { timeout: ANSWER_MS });
      } catch (error) {
        const again = isSessionLoss(error) && tries < OFFLINE_TRIES; // it was offline, and is being dialled
        if (!(again || hasCode(error, 'ERR_TIMEOUT')) || !this.#isHere(station)) throw error;
        if (again) await sleep(this.#runtime.environment.clock, OFFLINE_MS);
      }
    }
  }
}
