// Counts the work of a client, of one worker, or of all workers of a host. Items of `map` count one each.
import type { BatchOutcome } from '../../worker/index.ts';
import type { Counters } from '../protocol.ts';
import { isBeside, type Order } from './order.ts';

/** How work ended, in numbers. */
export class Tally {
  done = 0;
  failed = 0;
  cancelled = 0;
  retried = 0;
  /** How often the worker was lost. */
  lost = 0;

  /** Counts work that has ended. If it was `tried` on a worker, a failed batch does not count: it is tried again item by item. */
  ended(order: Order, ok: boolean, value: unknown, tried: boolean): void {
    const { kind, weight } = order;
    if (!ok && tried && weight > 1) return;
    const failed = !ok ? weight : kind === 'batch' && !isBeside(order) ? (value as BatchOutcome).failed.length : 0;
    this.failed += failed;
    this.done += weight - failed;
  }

  add({ done, failed, cancelled, lost }: Tally, more = 0): void {
    this.done += done;
    this.failed += failed;
    this.cancelled += cancelled;
    this.lost += lost + more;
  }
}

/** How much work was asked for, and how it ended: `submitted` is the sum of the others. */
export interface Counts {
  readonly submitted: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** The counts of a client. */
export function countersOf(work: { readonly tally: Tally; readonly waiting: number; readonly running: number }): Counters {
  const { waiting, running } = work;
  const { done, failed, cancelled, retried } = work.tally;
  return { submitted: done + failed + cancelled + waiting + running, waiting, running, done, failed, cancelled, retried };
}

/** The counts of one or more workers. */
export function countsOf({ done, failed, cancelled }: Tally, running: number): Counts {
  return { submitted: done + failed + cancelled + running, running, done, failed, cancelled };
}
