// What all references have in common: where they point, and how they travel.
import type { RuntimeId } from '../../base/index.ts';

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
  /** How it travels, if it came from elsewhere. */
  readonly wire: RefWire | undefined;

  constructor(name: string, runtime: RuntimeId, number: number, wire?: RefWire) {
    this.wire = wire;
    this.name = name;
    this.runtime = runtime;
    this.number = number;
  }

  get id(): string {
    return `${this.runtime}/${this.number}`;
  }
}
