// The results of a map, as they are read: values in order, or every item's end.
import type { Batch, MapRun } from './map.ts';

/** How one item ended. */
export type Outcome<T, R> =
  | { readonly index: number; readonly item: T; readonly value: R; readonly error?: undefined }
  | { readonly index: number; readonly item: T; readonly value?: undefined; readonly error: Error };

/**
 * The results of a `map`. Reading them starts it; leaving the loop stops it.
 *
 * A plain loop gives values; the first error ends it, with `index` and `item` on the error.
 */
export interface Results<T, R> extends AsyncIterable<R> {
  /** Every item's end: `{ index, item, value }` or `{ index, item, error }`. */
  outcomes(): AsyncIterable<Outcome<T, R>>;
  /** All values in an array. Rejects with the first error. */
  toArray(): Promise<R[]>;
}

/** The results of a map, to be read once each. */
export function mapResults<T, R>(start: () => MapRun<T>): Results<T, R> {
  return {
    [Symbol.asyncIterator]: () => valuesOf(start()),
    outcomes: () => ({ [Symbol.asyncIterator]: () => outcomesOf(start()) }),
    async toArray() {
      const all: R[] = [];
      const run = start();
      try {
        for (let batch = await run.nextBatch(); batch; batch = await run.nextBatch()) {
          throwFirst(batch);
          for (const value of batch.values) all.push(value as R);
          run.consumed(batch.items.length);
        }
      } finally {
        await run.close();
      }
      return all;
    },
  };
}

// By hand rather than as a generator: a value that is there costs one promise.
function valuesOf<T, R>(run: MapRun<T>): AsyncIterator<R> {
  let batch: Batch<T> | undefined;
  let at = 0;
  let unread = 0;
  const refill = async (): Promise<IteratorResult<R>> => {
    try {
      if (unread > 0) run.consumed(unread);
      unread = 0;
      batch = await run.nextBatch();
      if (!batch) {
        await run.close();
        return { value: undefined, done: true };
      }
      at = 0;
      unread = batch.items.length;
      throwFirst(batch, at);
      return { value: batch.values[at++] as R, done: false };
    } catch (error) {
      await run.close();
      throw error;
    }
  };
  return {
    next() {
      if (!batch || at >= batch.items.length) return refill();
      if (batch.failed.size > 0) {
        const error = itemError(batch, at);
        if (error) return run.close().then(() => Promise.reject(error));
      }
      return Promise.resolve({ value: batch.values[at++] as R, done: false });
    },
    async return() {
      await run.close();
      return { value: undefined, done: true };
    },
  };
}

async function* outcomesOf<T, R>(run: MapRun<T>): AsyncGenerator<Outcome<T, R>, void, void> {
  try {
    for (let batch = await run.nextBatch(); batch; batch = await run.nextBatch()) {
      for (let i = 0; i < batch.items.length; i++) {
        const index = batch.start + i;
        const item = batch.items[i] as T;
        const error = batch.failed.get(i); // M3
        yield error ? { index, item, error } : { index, item, value: batch.values[i] as R };
      }
      run.consumed(batch.items.length);
    }
  } finally {
    await run.close();
  }
}

function throwFirst<T>(batch: Batch<T>, only?: number): void {
  if (batch.failed.size === 0) return;
  for (let i = only ?? 0; i < (only === undefined ? batch.items.length : only + 1); i++) {
    const error = itemError(batch, i);
    if (error) throw error;
  }
}

// M2
function itemError<T>(batch: Batch<T>, i: number): Error | undefined {
  const error = batch.failed.get(i);
  if (!error) return undefined;
  const index = batch.start + i;
  const item = batch.items[i];
  error.message += ` (map item ${index}: ${describe(item)})`;
  return Object.assign(error, { index, item });
}

function describe(item: unknown): string {
  try {
    const text = typeof item === 'string' ? `'${item}'` : typeof item === 'object' ? (JSON.stringify(item) ?? String(item)) : String(item);
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
  } catch {
    return 'an object';
  }
}
