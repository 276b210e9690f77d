// A map: one function over many items. Items travel in batches, and results come in order, one at a time.
//
// Owns the input's iterator and the batches. Does not own the workers (dispatch/).
//
//   MP1. Items are taken from the input one after another, and only as far as the window allows; where their number is known, in ever
//       smaller batches towards the end, so that all workers end together.
//   MP2. Ordered results come in the order of the items; the first error ends them, naming index and item.
//   MP3. outcomes() gives every item's end, errors included, and never throws for an item.
//   MP4. Leaving the loop stops what is under way and closes the input.
//   MP5. A batch whose worker is lost is tried again item by item, so that one bad item costs the others nothing.
import { Deferred, Fifo, FlotillaError, onAbort, toError } from '../../base/index.ts';
import type { BatchOutcome } from '../../worker/index.ts';
import type { CallOptions, MapOptions } from '../client/options.ts';
import { BATCH_MS, learn } from '../dispatch/estimate.ts';
import type { AnyFunction } from '../dispatch/job.ts';
import { struckOut } from '../dispatch/losses.ts';
import { type BatchOrder, isBeside, type Terms, termsOf } from '../dispatch/order.ts';
import { type Loss, type Member, newWork, type PromisedItems, type Work } from '../dispatch/work.ts';
import { aborted, type Caller } from './caller.ts';
import { showProgress } from './progress.ts';

const MOST_ITEMS = 2_048;
const WINDOW = 4_096;

/** Items that were taken together, and their outcomes. */
export interface Batch<T> {
  readonly start: number;
  readonly items: readonly T[];
  readonly values: unknown[];
  readonly failed: Map<number, Error>;
  left: number;
}

/** One run of a map. */
export class MapRun<T> {
  readonly #caller: Caller;
  readonly #fn: AnyFunction;
  readonly #options: MapOptions & CallOptions;
  readonly #terms: Terms;
  /** The input: this or the asynchronous one is set. */
  readonly #input: Iterator<T> | undefined;
  readonly #asyncInput: AsyncIterator<T> | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #offAbort: () => void;
  readonly #window: number;
  readonly #running = new Set<Work>();
  /** The batches to be read next: all of them in order, or, unordered, those that are done. */
  readonly #next = new Fifo<Batch<T>>();
  /** How many items the input has, if that is known. */
  readonly #total: number | undefined;
  #taken = 0;
  #held = 0;
  #underWay = 0;
  #pulling = false;
  #exhausted = false;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  #wake: Deferred<void> | undefined;
  #report: ReturnType<typeof showProgress> | undefined;
  #done = 0;

  constructor(caller: Caller, fn: AnyFunction, items: Iterable<T> | AsyncIterable<T>, options: MapOptions & CallOptions) {
    this.#caller = caller;
    this.#fn = fn;
    this.#options = options;
    this.#terms = termsOf(options);
    if (Symbol.asyncIterator in items) this.#asyncInput = items[Symbol.asyncIterator]();
    else this.#input = items[Symbol.iterator]();
    this.#signal = options.signal;
    this.#window = Math.max(options.window ?? WINDOW, 1);
    this.#total = options.total ?? sizeOf(items);
    if (options.progress) this.#report = showProgress({ clock: caller.post.clock, label: fn.name || 'map', total: this.#total });
    this.#offAbort = onAbort(this.#signal, this.#onAbort);
    if (this.#signal?.aborted) this.#onAbort();
    else void this.#begin();
  }

  /** The next values: at least one, unless all have been read. Rejects with the first error of an item. MP2 */
  async nextBatch(): Promise<Batch<T> | undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      if (this.#next.peek()?.left === 0) return this.#next.shift();
      if (this.#exhausted && this.#held === 0) return undefined;
      this.#wake = new Deferred();
      await this.#wake.promise;
    }
  }

  /** Notes that so many results have been read, which makes room in the window for more items. */
  consumed(count: number): void {
    this.#held -= count;
    this.#pull();
  }

  /** Stops what is under way and closes the input. MP4 */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#offAbort();
    const reason = new FlotillaError('ERR_CALL_CANCELLED', 'The results are not read any more.');
    for (const work of [...this.#running]) this.#caller.dispatcher.cancel(work, reason);
    this.#running.clear();
    this.#report?.stop();
    if (!this.#exhausted) await (this.#input ?? this.#asyncInput)?.return?.();
  }

  readonly #onAbort = (): void => this.#fail(aborted(this.#signal?.reason));

  async #begin(): Promise<void> {
    const { at } = this.#options;
    try {
      const refused = this.#caller.refuses(at);
      if (refused) throw refused;
      await this.#caller.prepared(this.#caller.jobs.of(this.#fn));
      this.#pull();
    } catch (error) {
      this.#fail(error);
    }
  }

  // How many items the next batch has: BATCH_MS of work, if an item's time is known, and at most half of a worker's share of the rest.
  // So batches shrink towards the end, and no worker is left with a long one while the others are idle.
  #batchSize(): number {
    const { serviceMs } = this.#caller.jobs.of(this.#fn);
    const part = this.#total === undefined ? MOST_ITEMS : Math.ceil((this.#total - this.#taken) / (2 * this.#workers));
    const most = Math.min(MOST_ITEMS, Math.max(1, part));
    const size =
      serviceMs === undefined || this.#options.io !== undefined ? 1 : Math.min(most, Math.max(1, Math.round(BATCH_MS / serviceMs)));
    const concurrency = this.#options.concurrency === undefined ? size : Math.min(size, this.#options.concurrency - this.#underWay);
    return Math.min(concurrency, this.#window - this.#held);
  }

  get #workers(): number {
    return Math.max(1, this.#caller.dispatcher.members.length);
  }

  get #depth(): number {
    return this.#workers * 2 * (this.#options.io ?? 1) + 1;
  }

  // Takes items from the input and sends them in batches, as far as the window and the workers allow. MP1
  #pull(): void {
    if (this.#pulling) return;
    const input = this.#input;
    if (!input) return void this.#pullAsync(this.#asyncInput);
    this.#pulling = true;
    try {
      while (!this.#stopped && this.#running.size < this.#depth) {
        const size = this.#batchSize();
        if (size <= 0) break;
        const items: T[] = [];
        while (items.length < size) {
          const { value, done } = input.next();
          if (done) {
            this.#exhausted = true;
            break;
          }
          items.push(value);
        }
        if (items.length > 0) this.#send(items);
      }
    } catch (error) {
      this.#exhausted = true;
      this.#fail(error);
    } finally {
      this.#pulling = false;
      if (this.#exhausted) this.#wake?.resolve();
    }
  }

  // Does the same for an asynchronous input. Items that come without a pause travel together; before a pause, those gathered are sent.
  async #pullAsync(input: AsyncIterator<T> | undefined): Promise<void> {
    this.#pulling = true;
    let items: T[] = [];
    const send = (): void => {
      const gathered = items;
      items = [];
      if (gathered.length > 0 && !this.#closed && !this.#failure) this.#send(gathered);
    };
    try {
      while (input && !this.#stopped && this.#running.size < this.#depth && this.#batchSize() > items.length) {
        const { value, done } = await input.next();
        if (done) {
          this.#exhausted = true;
          break;
        }
        items.push(value);
        if (items.length >= this.#batchSize()) send();
        else if (items.length === 1) this.#caller.post.clock.defer(send);
      }
    } catch (error) {
      this.#exhausted = true;
      this.#fail(error);
    } finally {
      send();
      this.#pulling = false;
      if (this.#exhausted) this.#wake?.resolve();
    }
  }

  get #stopped(): boolean {
    return this.#exhausted || this.#closed || this.#failure !== undefined;
  }

  #send(items: readonly T[]): void {
    const batch: Batch<T> = { start: this.#taken, items, values: new Array(items.length), failed: new Map(), left: items.length };
    this.#taken += items.length;
    this.#held += items.length;
    this.#underWay += items.length;
    if (!this.#options.unordered) this.#next.push(batch);
    this.#submit(batch, 0, items.length, 0);
  }

  #submit(batch: Batch<T>, from: number, to: number, strikes: number, suspect = false): void {
    const { args = [] } = this.#options;
    const job = this.#caller.jobs.of(this.#fn);
    const items = from === 0 && to === batch.items.length ? batch.items : batch.items.slice(from, to);
    const order: BatchOrder = { kind: 'batch', job, items, args, weight: to - from, ...this.#terms };
    const promised: PromisedItems = {
      settle: (ok, value, member) => {
        this.#running.delete(work);
        if (this.#closed) return;
        if (isBeside(order)) this.#settleItem(batch, from, ok, value, member);
        else if (ok) this.#settleBatch(batch, from, to, value as BatchOutcome, member);
        else if (to - from > 1 && member) {
          this.#underWay += to - from;
          for (let i = from; i < to; i++) this.#submit(batch, i, i + 1, strikes);
        } else for (let i = from; i < to; i++) this.#settleItem(batch, i, false, value, member);
        this.#finished(to - from);
      },
      lost: (loss, running) => this.#lost(work, batch, from, to, loss, running),
    };
    const work = newWork(order, promised, strikes, suspect);
    this.#running.add(work);
    this.#caller.submit(work);
  }

  #finished(count: number): void {
    this.#underWay -= count;
    this.#wake?.resolve();
    this.#pull();
  }

  #told(batch: Batch<T>, i: number, member: Member | undefined): void {
    const error = batch.failed.get(i);
    this.#caller.report.item(
      this.#fn.name,
      batch.start + i,
      batch.items[i],
      error ? { kind: 'threw', error } : { kind: 'returned', value: batch.values[i] },
      member?.info,
    );
  }

  #settleBatch(batch: Batch<T>, from: number, to: number, outcome: BatchOutcome, member: Member | undefined): void {
    learn(this.#caller.jobs.of(this.#fn), outcome.elapsed / (to - from));
    for (let i = from; i < to; i++) batch.values[i] = outcome.values[i - from];
    for (const [i, error] of outcome.failed) batch.failed.set(from + i, toError(this.#caller.jobs.mapError(error, undefined)));
    if (this.#options.itemStatus) for (let i = from; i < to; i++) this.#told(batch, i, member);
    this.#settled(batch, to - from);
  }

  #settleItem(batch: Batch<T>, i: number, ok: boolean, value: unknown, member: Member | undefined): void {
    if (ok) batch.values[i] = value;
    else batch.failed.set(i, toError(value));
    if (this.#options.itemStatus) this.#told(batch, i, member);
    this.#settled(batch, 1);
  }

  #settled(batch: Batch<T>, count: number): void {
    batch.left -= count;
    if (this.#options.unordered && batch.left === 0) this.#next.push(batch);
    this.#done += count;
    this.#report?.update(this.#done);
  }

  // Gives new orders for the items of a lost batch, one each; an item that struck out fails instead. MP5
  #lost(work: Work, batch: Batch<T>, from: number, to: number, loss: Loss, running: boolean): boolean {
    this.#running.delete(work);
    if (this.#closed) return false;
    this.#underWay -= to - from;
    const strikes = work.strikes + (running && to - from === 1 ? 1 : 0);
    if (strikes > work.retries) {
      this.#settleItem(batch, from, false, struckOut({ job: work.job, strikes }, loss), undefined);
      this.#wake?.resolve();
      this.#pull();
      return false;
    }
    this.#underWay += to - from;
    for (let i = from; i < to; i++) this.#submit(batch, i, i + 1, strikes, true);
    return true;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.resolve();
  }
}

function sizeOf(items: object): number | undefined {
  const { length, size } = items as { length?: unknown; size?: unknown };
  return typeof length === 'number' ? length : typeof size === 'number' ? size : undefined;
}
