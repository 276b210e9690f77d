// Rules: which hosts a client takes. A rule that was added later comes first.
import { toError } from '../../base/index.ts';
import type { Environment } from '../../kernel/index.ts';
import type { Telling } from '../events.ts';
import type { HostOffer } from '../protocol.ts';
import { allocationsOf, decide, type HostAllocation } from './allocation.ts';

/** The parts that rules need. */
export interface RulesOptions {
  /** The `hosts` of the client's options; none, if it takes all hosts. */
  readonly given: readonly (string | HostAllocation)[];
  readonly environment: Environment;
  readonly events: Telling;
  readonly warn: (text: string) => void;
}

/** The rules of one client about hosts. */
export class Rules {
  readonly #options: RulesOptions;
  #all: readonly HostAllocation[];

  constructor(options: RulesOptions) {
    this.#options = options;
    this.#all = allocationsOf(options.given);
  }

  get all(): readonly HostAllocation[] {
    return this.#all;
  }

  /** Adds a rule before all others. Returns the pattern of the hosts that it is about. Throws ERR_OPTION_*. */
  add(given: string | HostAllocation): string {
    const added = allocationsOf([given]);
    this.#all = [...added, ...(this.#all.length > 0 ? this.#all : [{ host: '*' }])];
    return added[0]?.host ?? '*';
  }

  /** How many workers of a host to take; 0: the host is ignored, and an event says so. Rejects with the error of a program's own rule. */
  async decide(offer: HostOffer): Promise<{ take: number; why: string }> {
    const { environment, events, warn } = this.#options;
    try {
      const { take, why } = await decide(this.#all, offer, environment.resolve);
      if (take === 0) events.emit({ kind: 'host-ignored', host: offer.name, info: offer, reason: why });
      return { take, why };
    } catch (error) {
      warn(`the allocation of host '${offer.name}' failed, and it is not used: ${toError(error).message}`);
      throw error;
    }
  }
}
