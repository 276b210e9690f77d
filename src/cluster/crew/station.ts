// A station: a host as one client knows it, with the places granted there, how far its setup is, and why it gets no work.
import { Deferred, type RuntimeId } from '../../base/index.ts';
import type { Availability, HostFacts } from '../../host/index.ts';
import type { HostInfo } from '../events.ts';
import { means } from '../where.ts';

/** A host of a client. */
export class Station {
  readonly id: RuntimeId;
  readonly facts: HostFacts;
  readonly addresses: readonly string[];
  readonly slots = new Set<number>();
  /** The names of the units that the host has. */
  readonly has = new Set<string>();
  /** Resolves with the arguments given to `enableHost`. */
  readonly enabled = new Deferred<readonly unknown[] | undefined>().quiet();
  isEnabled = false;
  /** Resolves when the host is set up; rejects when it will not be used. */
  readonly ready = new Deferred<void>().quiet();
  /** The arguments of the host's last setup. */
  args: readonly unknown[] | undefined;
  phase: 'discovered' | 'initialized' | 'leaving' = 'discovered';
  /** Whether the host's discovery has been told: only then is its end told, too. */
  told = false;
  suspended = false;
  offline = false;
  /** Whether the host is given up when it is silent; undefined: the client's option decides. */
  abandon: boolean | undefined;
  /** The epoch of the latest grant of places here. */
  epoch = 0;
  /** The host's number for this stay there. */
  tenancy = 0;
  /** Why the host runs nothing yet. */
  waitsFor = 'it is being attached';
  availability: Availability | undefined;
  /** Resolves when the client holds no place of the host any more. */
  readonly left = new Deferred<void>().quiet();

  constructor(id: RuntimeId, facts: HostFacts, addresses: readonly string[]) {
    this.id = id;
    this.facts = facts;
    this.addresses = addresses;
  }

  get name(): string {
    return this.facts.name;
  }

  get info(): HostInfo {
    return { ...this.facts, location: this.addresses[0] ?? this.name, availability: this.availability };
  }

  is(where: string): boolean {
    return where === this.name || means(where, this.name, this.addresses);
  }
}
