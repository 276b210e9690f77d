// What all references have in common: where they point, and how they travel.
import type { RuntimeId } from '../../base/index.ts';
import type { Post } from '../post/post.ts';

/** The runtime that made a reference, or got it: a process may have several. */
export interface RefHome extends Post {
  /** Which runtimes are held to be gone, and with what. */
  readonly gone: { lost(runtime: RuntimeId): 'worker' | 'host' | undefined };
}

/** A reference as it travels. */
export interface RefWire {
  readonly runtime: string;
  readonly number: number;
  readonly name: string;
  readonly addresses: readonly string[];
  /** It takes one message, and no credit is kept for it. */
  readonly once?: boolean;
  /** Whoever sent the reference holds its runtime to be gone. */
  readonly lost?: 'worker' | 'host';
}

/** Points to something with a number in a runtime. */
export abstract class Reference {
  /** The code of the extension by which references of this kind travel. */
  abstract readonly code: number;
  readonly name: string;
  readonly runtime: RuntimeId;
  readonly number: number;
  /** The runtime that made it, or got it. */
  readonly home: RefHome;
  /** How it travels, if it came from elsewhere. */
  readonly wire: RefWire | undefined;

  constructor(home: RefHome, place: { readonly name: string; readonly runtime: string; readonly number: number }, wire?: RefWire) {
    this.home = home;
    this.wire = wire;
    this.name = place.name;
    this.runtime = place.runtime as RuntimeId;
    this.number = place.number;
  }

  /** What travels when `by` sends it. */
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
