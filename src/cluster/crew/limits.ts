// How much a client wants of each host: what it has closed there, and what it can do without.
//
//   LM1. A worker that was closed stays closed until it is asked for by name, or by a rule about its host.
//   LM2. Limits that were set for want of work go as soon as there is work.
import type { RuntimeId } from '../../base/index.ts';
import type { Limit } from '../protocol.ts';
import { means, namesHost } from '../where.ts';

/** How long a limit holds. */
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
  /** Resolves when the scheduler knows what was said last. */
  told: Promise<unknown> = Promise.resolve();
  readonly #hosts = new Map<RuntimeId, Limited>();

  /** All of them, for a scheduler that knows none. */
  get all(): Limit[] {
    return [...this.#hosts.values()].map(limitOf);
  }

  /** There is a scheduler, to be told of each limit from now on. */
  tellTo(scheduler: (limit: Limit) => Promise<unknown>): void {
    this.#scheduler = scheduler;
  }

  /** Takes at most so many workers of a host. */
  atMost(host: Named, most: number, until: Until): Promise<unknown> {
    const limited = this.#of(host);
    if (limited.until !== 'never') Object.assign(limited, { most, until });
    return this.#tell(limited);
  }

  /** Takes a worker of a host no more. LM1 */
  shut(host: Named, slot: number): void {
    const limited = this.#of(host);
    limited.shut.add(slot);
    void this.#tell(limited);
  }

  /** Takes the workers again that a name means; returns whether any were closed. LM1 */
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

  /** A rule that was added asks for the hosts that its pattern names. LM1 */
  lift(pattern: string): void {
    for (const limited of this.#hosts.values()) {
      const { name, addresses } = limited.host;
      if (limited.until === 'never' || !namesHost(pattern, name, addresses)) continue;
      limited.shut.clear();
      limited.most = Number.POSITIVE_INFINITY;
      void this.#tell(limited);
    }
  }

  /** There is work. LM2 */
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
