// The base of all references: it knows where they point, and how they travel.
import type { RuntimeId } from '../../base/index.ts';
import type { Post } from '../post/post.ts';

/** The runtime that made a reference, or got it: a process may have several. */
export interface RefHome extends Post {
  /** The runtimes that are held to be gone, and what was lost with each. */
  readonly gone: { lost(runtime: RuntimeId): 'worker' | 'host' | undefined };
}

/** A reference as it travels. */
export interface RefWire {
  readonly runtime: string;
  readonly number: number;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Whether it takes one message only, for which no credit is kept. */
  readonly once?: boolean;
  /** Set if the sender of the reference holds its runtime to be gone. */
  readonly lost?: 'worker' | 'host';
}

/** Points to a task, channel or service, by its number in a runtime. */
export abstract class Reference {
  /** The code of the extension by which references of this kind travel. */
  abstract readonly code: number;
  readonly name: string;
  readonly runtime: RuntimeId;
  readonly number: number;
  /** The runtime that made the reference, or got it. */
  readonly home: RefHome;
  /** The reference as it arrived, if it came from elsewhere. */
  readonly wire: RefWire | undefined;

  constructor(home: RefHome, place: { readonly name: string; readonly runtime: string; readonly number: number }, wire?: RefWire) {
    this.home = home;
    this.wire = wire;
    this.name = place.name;
    this.runtime = place.runtime as RuntimeId;
    this.number = place.number;
  }

  /** Gives the form in which the reference travels when `by` sends it. */
  travel(by: RefHome): RefWire {
    const { home, name, runtime, number, wire } = this;
    if (!wire) return { runtime, number, name, addresses: home.carrier.addresses };
    const lost = by.gone.lost(runtime);
    const { addresses, once } = wire;
    return lost === wire.lost ? wire : { runtime, number, name, addresses, ...(once ? { once } : {}), ...(lost ? { lost } : {}) };
  }

  get id(): string {
    return `${this.runtime}/${this.number}`;
  }
}
