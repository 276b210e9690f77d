// What all references have in common: where they point, and how they travel.
import type { RuntimeId } from '../../base/index.ts';
import type { Kernel } from '../post/kernel.ts';

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
  /** The kernel that made it, or got it: a process may have several. */
  readonly kernel: Kernel;
  /** How it travels, if it came from elsewhere. */
  readonly wire: RefWire | undefined;

  constructor(kernel: Kernel, place: { readonly name: string; readonly runtime: string; readonly number: number }, wire?: RefWire) {
    this.kernel = kernel;
    this.wire = wire;
    this.name = place.name;
    this.runtime = place.runtime as RuntimeId;
    this.number = place.number;
  }

  /** What travels when `by` sends it. */
  travel(by: Kernel): RefWire {
    const { kernel, name, runtime, number, wire } = this;
    if (!wire) return { runtime, number, name, addresses: kernel.carrier.addresses };
    const lost = by.gone.lost(runtime);
    const { addresses, once } = wire;
    return lost === wire.lost ? wire : { runtime, number, name, addresses, ...(once ? { once } : {}), ...(lost ? { lost } : {}) };
  }

  get id(): string {
    return `${this.runtime}/${this.number}`;
  }
}
