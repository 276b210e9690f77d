// The results of a map, as a program reads them: values in order, or every item's outcome.
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
export interface Results<T, R, V = R> extends AsyncIterable<R> {
  /** Every item's end: `{ index, item, value }` or `{ index, item, error }`. The value of a generator is the array of its values. */
  outcomes(): AsyncIterable<Outcome<T, V>>;
  /** All values in an array. Rejects with the first error. */
  toArray(): Promise<R[]>;
}

/** The results of a map, to be read once; `each`: an item's result is an array, whose values come one after another. */
export function mapResults<T, R, V>(start: () => MapRun<T>, each: boolean): Results<T, R, V> {
  return {
    [Symbol.asyncIterator]: () => valuesOf(start(), each),
    outcomes: () => ({ [Symbol.asyncIterator]: () => outcomesOf(start()) }),
    async toArray() {
      const all: R[] = [];
      const run = start();
      try {
        for (let batch = await run.nextBatch(); batch; batch = await run.nextBatch()) {
          const { values, error } = readable<T, R>(batch, each);
          if (error) throw error;
          for (const value of values) all.push(value);
          run.consumed(batch.items.length);
        }
      } finally {
        await run.close();
      }
      return all;
    },
  };
}

// Written by hand rather than as a generator, which costs several promises for each value; this costs one.
function valuesOf<T, R>(run: MapRun<T>, each: boolean): AsyncIterator<R> {
  let values: readonly R[] = [];
  let failed: Error | undefined;
  let at = 0;
  let unread = 0;
  let over = false;
  const refill = async (): Promise<IteratorResult<R>> => {
    try {
      while (!over) {
        if (failed) throw failed;
        if (unread > 0) run.consumed(unread);
        unread = 0;
        const batch = await run.nextBatch();
        if (!batch) break;
        unread = batch.items.length;
        ({ values, error: failed } = readable<T, R>(batch, each));
        at = 0;
        if (values.length > 0) return { value: values[at++] as R, done: false };
      }
      return await end();
    } catch (error) {
      await end();
      throw error;
    }
  };
  const end = async (): Promise<IteratorResult<R>> => {
    over = true;
    values = [];
    await run.close();
    return { value: undefined, done: true };
  };
  return {
    next() {
      return at < values.length ? Promise.resolve({ value: values[at++] as R, done: false }) : refill();
    },
    return: end,
  };
}

// The values before the first error of a batch, and that error. MP2
function readable<T, R>(batch: Batch<T>, each: boolean): { readonly values: readonly R[]; readonly error: Error | undefined } {
  const first = batch.failed.size === 0 ? batch.items.length : Math.min(...batch.failed.keys());
  const values = (first === batch.items.length ? batch.values : batch.values.slice(0, first)) as R[];
  return { values: each ? (values.flat(1) as R[]) : values, error: itemError(batch, first) };
}

async function* outcomesOf<T, R>(run: MapRun<T>): AsyncGenerator<Outcome<T, R>, void, void> {
  try {
    for (let batch = await run.nextBatch(); batch; batch = await run.nextBatch()) {
      for (let i = 0; i < batch.items.length; i++) {
        const index = batch.start + i;
        const item = batch.items[i] as T;
        const error = batch.failed.get(i); // MP3
        yield error ? { index, item, error } : { index, item, value: batch.values[i] as R };
      }
      run.consumed(batch.items.length);
    }
  } finally {
    await run.close();
  }
}

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
