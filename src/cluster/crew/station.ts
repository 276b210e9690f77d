// A host as its client has it: what it was granted there, how far its set-up is, why nothing more is given to it.
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
  /** The units it has. */
  readonly has = new Set<string>();
  /** Resolves with the arguments given to `enableHost`. */
  readonly enabled = new Deferred<readonly unknown[] | undefined>().quiet();
  isEnabled = false;
  /** Resolves when it is set up; rejects when it will not be used. */
  readonly ready = new Deferred<void>().quiet();
  /** The arguments of its last set-up. */
  args: readonly unknown[] | undefined;
  phase: 'discovered' | 'initialized' | 'leaving' = 'discovered';
  /** Its discovery has been told: so will be its end. */
  told = false;
  suspended = false;
  offline = false;
  /** Whether it is given up when it is silent, if that was said of it. */
  abandon: boolean | undefined;
  /** The latest under which places were granted. */
  epoch = 0;
  /** The host's number for this stay there. */
  tenancy = 0;
  /** Why it does not serve yet. */
  waitsFor = 'it is being attached';
  availability: Availability | undefined;
  /** Resolves when nothing of it is held any more. */
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
