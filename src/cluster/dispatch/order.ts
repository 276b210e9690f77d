// Orders: what is to be done, as data. An order holds no promise and no callback, so that it could be written down and given again.
import { BATCH, CALLS, IO, STREAM, TASKS } from '../../worker/index.ts';
import type { Job } from './job.ts';

/** How often a call, or an item of a map, is tried again unless told otherwise. */
export const RETRIES = 2;
const USUAL = { io: 0, retries: RETRIES } as const;

/** The terms that a caller sets for its work. */
export interface Terms {
  /** The work runs beside others on a worker, at most so many at once; 0: alone, one at a time. */
  readonly io: number;
  /** Where the work must run: the name of a host or of a worker. */
  readonly at: string | undefined;
  readonly retries: number;
}

/** The terms in the options of a call; `otherwise` holds where they say nothing. */
export function termsOf({ at, io, retries }: Partial<Terms>, otherwise: Pick<Terms, 'io' | 'retries'> = USUAL): Terms {
  return { at, io: io ?? otherwise.io, retries: retries ?? otherwise.retries };
}

interface Ordered extends Terms {
  readonly job: Job;
  /** The arguments of the function; in a batch, those that follow each item. */
  readonly args: readonly unknown[];
  /** How many items the order holds; 1 unless it is a batch. */
  readonly weight: number;
}

/** One application of a function. */
export interface CallOrder extends Ordered {
  readonly kind: 'call';
}

/** Items of a map that travel together; those that run beside others travel alone. */
export interface BatchOrder extends Ordered {
  readonly kind: 'batch';
  readonly items: readonly unknown[];
}

/** A generator whose values are read as they come. */
export interface StreamOrder extends Ordered {
  readonly kind: 'stream';
}

/** A task that is to be started. */
export interface TaskOrder extends Ordered {
  readonly kind: 'task';
}

/** An order for one worker. */
export type Order = CallOrder | BatchOrder | StreamOrder | TaskOrder;

/** Whether an order runs beside others on its worker, rather than alone. */
export function isBeside({ io }: Pick<Order, 'io'>): boolean {
  return io > 0;
}

/** The number of the worker's door at which an order is asked. */
export function doorOf(order: Order): number {
  switch (order.kind) {
    case 'call':
      return isBeside(order) ? IO.number : CALLS.number;
    case 'batch':
      return isBeside(order) ? IO.number : BATCH.number;
    case 'stream':
      return STREAM.number;
    case 'task':
      return TASKS.number;
  }
}

/** The method that is asked at that door. */
export function methodOf({ kind, job }: Order): unknown {
  return kind === 'task' ? 'spawn' : job.id;
}

/** The arguments that travel with it. */
export function argsOf(order: Order): unknown {
  switch (order.kind) {
    case 'batch':
      return isBeside(order) ? [order.items[0], ...order.args] : [order.items, order.args];
    case 'task':
      return [order.job.id, order.args];
    default:
      return order.args;
  }
}
