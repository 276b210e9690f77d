// A function as its client knows it: what is shipped of it, where it cannot run, how long it takes.
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
  /** Hosts that cannot run it, and why. */
  readonly refusedBy: Map<RuntimeId, Error>;
  /** Resolves when every host that is known has the code. */
  prepared: Promise<void> | undefined;
  ready: boolean;
}

/** A job whose code has not been looked for. Where a function without a name is written is known, and told, when it is shipped. */
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
