// What all references have in common: where they point, and how they travel.
import type { RuntimeId } from '../../base/index.ts';
import type { Kernel } from '../kernel.ts';

/** A reference as it travels. */
export interface RefWire {
  readonly runtime: string;
  readonly number: number;
  readonly name: string;
  readonly addresses: readonly string[];
  /** It takes one message, and no credit is kept for it. */
  readonly once?: boolean;
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

  /** What travels when `_by` sends it. */
  travel(_by: Kernel): RefWire {
    const { kernel, name, runtime, number } = this;
    return this.wire ?? { runtime, number, name, addresses: kernel.carrier.addresses };
  }

  get id(): string {
    return `${this.runtime}/${this.number}`;
  }
}
