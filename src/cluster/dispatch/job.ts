// A job is a function as its client knows it: the code shipped for it, the hosts that cannot run it, and how long it takes.
import type { RuntimeId } from '../../base/index.ts';
import type { Shipped } from '../../code/index.ts';

export type AnyFunction = (...args: never[]) => unknown;

/** A function as its client knows it. */
export interface Job {
  readonly id: number;
  readonly fn: AnyFunction;
  readonly label: string;
  shipped: Shipped | undefined;
  /** Milliseconds of one call or item, measured; unknown until the first is done. */
  serviceMs: number | undefined;
  /** Hosts that cannot run the function, and why. */
  readonly refusedBy: Map<RuntimeId, Error>;
  /** Resolves when every known host has the code. */
  prepared: Promise<void> | undefined;
  ready: boolean;
}

/** A job whose code has not been looked for. A function without a name is labelled by where it is written, once it is shipped. */
export function newJob(id: number, fn: AnyFunction, label = fn.name): Job {
  return {
    id,
    fn,
    get label() {
      return label || this.shipped?.label || 'anonymous';
    },
    shipped: undefined,
    serviceMs: undefined,
    refusedBy: new Map(),
    prepared: undefined,
    ready: false,
  };
}
