// Limits: how much a client wants of each host. It leaves out the workers that it closed, and those that it can do without.
//
//   LM1. A worker that was closed stays closed until it is asked for by name, or by a rule about its host.
//   LM2. Limits that were set for want of work go as soon as there is work.
import type { RuntimeId } from '../../base/index.ts';
import type { Limit } from '../protocol.ts';
import { means, namesHost } from '../where.ts';

/** How long a limit holds: until there is work, until the program asks for the host, or for ever. */
export type Until = 'work' | 'asked' | 'never';

interface Named {
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
}

interface Limited {
  readonly host: Named;
  most: number;
  until: Until;
  readonly shut: Set<number>;
}

/** The limits of one client. */
export class Limits {
  #scheduler: (limit: Limit) => Promise<unknown> = () => Promise.resolve();
  /** Resolves when the scheduler knows the latest limit. A place is released only then, or this client would be granted it again. */
  told: Promise<unknown> = Promise.resolve();
  readonly #hosts = new Map<RuntimeId, Limited>();

  /** All limits, for a scheduler that knows none yet. */
  get all(): Limit[] {
    return [...this.#hosts.values()].map(limitOf);
  }

  /** Tells a scheduler of each limit from now on. */
  tellTo(scheduler: (limit: Limit) => Promise<unknown>): void {
    this.#scheduler = scheduler;
  }

  /** Takes at most so many workers of a host. */
  atMost(host: Named, most: number, until: Until): Promise<unknown> {
    const limited = this.#of(host);
    if (limited.until !== 'never') Object.assign(limited, { most, until });
    return this.#tell(limited);
  }

  /** Closes a worker of a host: the client takes it no more. LM1 */
  shut(host: Named, slot: number): void {
    const limited = this.#of(host);
    limited.shut.add(slot);
    void this.#tell(limited);
  }

  /** Takes the closed workers that a name means again; returns whether there were any. LM1 */
  reopen(where: string): boolean {
    let found = false;
    for (const limited of this.#hosts.values()) {
      const slots = [...limited.shut].filter((slot) => isWorker(where, limited, slot));
      if (slots.length === 0) continue;
      found = true;
      for (const slot of slots) limited.shut.delete(slot);
      void this.#tell(limited);
    }
    return found;
  }

  /** Lifts the limits of the hosts that the pattern of an added rule names, since the rule asks for them. LM1 */
  lift(pattern: string): void {
    for (const limited of this.#hosts.values()) {
      const { name, addresses } = limited.host;
      if (limited.until === 'never' || !namesHost(pattern, name, addresses)) continue;
      limited.shut.clear();
      limited.most = Number.POSITIVE_INFINITY;
      void this.#tell(limited);
    }
  }

  /** Lifts the limits that were set for want of work, because there is work now. LM2 */
  ease(): void {
    for (const limited of this.#hosts.values()) {
      if (limited.until !== 'work' || limited.most === Number.POSITIVE_INFINITY) continue;
      limited.most = Number.POSITIVE_INFINITY;
      void this.#tell(limited);
    }
  }

  /** Whether a host has closed this client for good. */
  bars(host: RuntimeId): boolean {
    return this.#hosts.get(host)?.until === 'never';
  }

  /** Whether a name means a worker that was closed. */
  isShut(where: string): boolean {
    for (const limited of this.#hosts.values()) for (const slot of limited.shut) if (isWorker(where, limited, slot)) return true;
    return false;
  }

  #of(host: Named): Limited {
    let limited = this.#hosts.get(host.id);
    if (!limited) {
      const { id, name, addresses } = host;
      limited = { host: { id, name, addresses }, most: Number.POSITIVE_INFINITY, until: 'work', shut: new Set() };
      this.#hosts.set(id, limited);
    }
    return limited;
  }

  #tell(limited: Limited): Promise<unknown> {
    this.told = this.#scheduler(limitOf(limited));
    return this.told;
  }
}

function limitOf({ host, most, shut }: Limited): Limit {
  return { host: host.id, most, shut: [...shut] };
}

function isWorker(where: string, { host: { name, addresses } }: Limited, slot: number): boolean {
  return means(where, `${name}/${slot}`, addresses, slot) || means(where, name, addresses);
}
