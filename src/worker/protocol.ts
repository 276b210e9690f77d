// What workers and those whose code they run say to each other.
import type { Shipped } from '../code/index.ts';

/** From a client to a worker, before the first call of a function. */
export interface Define {
  readonly kind: 'define';
  readonly fn: number;
  readonly shipped: Shipped;
}

/** What a batch of `map` items came to. */
export interface BatchOutcome {
  readonly values: readonly unknown[];
  /** Which items failed, and how. */
  readonly failed: readonly (readonly [index: number, error: unknown])[];
  /** Milliseconds of work. */
  readonly elapsed: number;
}

/** From a worker to its client, at its client door. */
export type WorkerNotice =
  | { readonly kind: 'item'; readonly call: number; readonly value: unknown }
  | {
      readonly kind: 'progress';
      readonly call: number;
      readonly done: number;
      readonly total: number | undefined;
      readonly note: string | undefined;
    }
  | { readonly kind: 'log'; readonly text: string }
  /** What it was told to stop has ended, or will not begin. */
  | { readonly kind: 'stopped'; readonly call: number };
