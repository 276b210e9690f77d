// What waits for a worker, in order: what any worker can take, and by kind what needs a certain one.
//
//   QU1. Work of a kind is given in its order. Where the first of a kind finds no worker, none of its kind does.
import { Fifo } from '../../base/index.ts';
import { isBeside } from './order.ts';
import type { Work } from './work.ts';

/** Where work waits for a worker. Work that was given up meanwhile is passed over. */
export interface Queue extends Iterable<Work> {
  /** Whether nothing waits that any worker could take. */
  readonly noneForAll: boolean;
  /** Whether work waits already that must be given before this. */
  hasBefore(work: Work): boolean;
  push(work: Work): void;
  /** In front of all that it must be given before: it has waited already. */
  unshift(work: Work): void;
  /** Gives what can be given: `give` says whether it was. */
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

  /** In front of all of its kind. */
  unshift(work: Work): void {
    this.#of(work).unshift(work);
  }

  /** Gives what can be given: `give` says whether it was. QU1 */
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

// What decides which workers can take it; undefined: any.
function kindOf(work: Work): string | undefined {
  const { at, io, kind, job } = work;
  if (at === undefined && !isBeside(work) && kind !== 'task' && job.refusedBy.size === 0) return undefined;
  return `${at ?? ''} ${io} ${kind} ${job.id}`;
}
