// The queue of work that waits for a worker. Work that any worker can take waits in one line; work that only some can take waits by kind.
//
//   QU1. Work of a kind is given in its order. When the first of a kind finds no worker, the others of its kind would find none either.
import { Fifo } from '../../base/index.ts';
import { isBeside } from './order.ts';
import type { Work } from './work.ts';

/** A queue. Work that is given up meanwhile stays in its line, and is passed over. */
export interface Queue extends Iterable<Work> {
  /** Whether nothing waits that any worker could take. */
  readonly noneForAll: boolean;
  /** Whether other work waits that must be given before this. */
  hasBefore(work: Work): boolean;
  push(work: Work): void;
  /** Puts work in front of its kind, because it has waited already. */
  unshift(work: Work): void;
  /** Gives all work that finds a worker: `give` returns whether it did. */
  drain(give: (work: Work) => boolean): void;
  clear(): void;
}

/** The waiting work of one client, in memory. */
export class WorkQueue implements Queue {
  readonly #any = new Fifo<Work>();
  readonly #kinds = new Map<string, Fifo<Work>>();

  /** Whether nothing waits that any worker could take. */
  get noneForAll(): boolean {
    return this.#any.size === 0;
  }

  /** Whether work of this kind waits already. */
  hasBefore(work: Work): boolean {
    const kind = kindOf(work);
    return (kind === undefined ? this.#any.size : (this.#kinds.get(kind)?.size ?? 0)) > 0;
  }

  push(work: Work): void {
    this.#of(work).push(work);
  }

  /** Puts work in front of its kind. */
  unshift(work: Work): void {
    this.#of(work).unshift(work);
  }

  /** Gives all work that finds a worker: `give` returns whether it did. QU1 */
  drain(give: (work: Work) => boolean): void {
    for (const [kind, waiting] of this.#kinds) {
      drainOne(waiting, give);
      if (waiting.size === 0) this.#kinds.delete(kind);
    }
    drainOne(this.#any, give);
  }

  clear(): void {
    this.#any.clear();
    this.#kinds.clear();
  }

  *[Symbol.iterator](): Generator<Work, void, void> {
    for (const waiting of [...this.#kinds.values(), this.#any]) for (const work of waiting) if (work.state.kind === 'waiting') yield work;
  }

  #of(work: Work): Fifo<Work> {
    const kind = kindOf(work);
    if (kind === undefined) return this.#any;
    let waiting = this.#kinds.get(kind);
    if (!waiting) {
      waiting = new Fifo();
      this.#kinds.set(kind, waiting);
    }
    return waiting;
  }
}

function drainOne(waiting: Fifo<Work>, give: (work: Work) => boolean): void {
  for (let work = waiting.peek(); work; work = waiting.peek()) {
    if (work.state.kind === 'waiting' && !give(work)) return;
    waiting.shift();
  }
}

// The kind of some work: all that decides which workers can take it. Undefined: any worker can.
function kindOf(work: Work): string | undefined {
  const { at, io, kind, job } = work;
  if (at === undefined && !isBeside(work) && kind !== 'task' && job.refusedBy.size === 0) return undefined;
  return `${at ?? ''} ${io} ${kind} ${job.id}`;
}
