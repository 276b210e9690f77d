// What is to be done, as data: an order holds no promise and no callback, so that it could be written down and given again.
import { BATCH, CALLS, IO, STREAM, TASKS } from '../../worker/index.ts';
import type { Job } from './job.ts';

/** How often a call, or an item of a map, is tried again unless told otherwise. */
export const RETRIES = 2;
const USUAL = { io: 0, retries: RETRIES } as const;

/** On what terms something is done, as a caller says. */
export interface Terms {
  /** Runs beside others on a worker, at most so many at once; 0: alone, one at a time. */
  readonly io: number;
  /** Where it must run: the name of a host or of a worker. */
  readonly at: string | undefined;
  readonly retries: number;
}

/** The terms that options of a call say, and what holds where they say nothing. */
export function termsOf({ at, io, retries }: Partial<Terms>, otherwise: Pick<Terms, 'io' | 'retries'> = USUAL): Terms {
  return { at, io: io ?? otherwise.io, retries: retries ?? otherwise.retries };
}

interface Ordered extends Terms {
  readonly job: Job;
  /** What the function is called with; of a batch, what follows each item. */
  readonly args: readonly unknown[];
  /** How many items it holds; 1 but for a batch. */
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

/** What a client has one worker do. */
export type Order = CallOrder | BatchOrder | StreamOrder | TaskOrder;

/** Whether it runs beside others on its worker, rather than alone. */
export function isBeside({ io }: Pick<Order, 'io'>): boolean {
  return io > 0;
}

/** The number of the door of a worker at which it is asked for. */
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

/** What is asked at that door. */
export function methodOf({ kind, job }: Order): unknown {
  return kind === 'task' ? 'spawn' : job.id;
}

/** What goes with the question. */
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
