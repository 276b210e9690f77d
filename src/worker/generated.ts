// Functions that give many values: generators of either kind.

/** Whether calling a function gives a generator: only then its values can be streamed, or gathered. */
export function isStreaming(fn: (...args: never[]) => unknown): boolean {
  return /^\[object (Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(fn));
}

/** The values of a generator, as they come. */
export function valuesOf(result: unknown): AsyncIterable<unknown> {
  return result as AsyncIterable<unknown>;
}

/** All values of a generator, as long as they are wanted. */
export async function gather(values: unknown, wanted: () => boolean): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const value of valuesOf(values)) {
    all.push(value);
    if (!wanted()) break;
  }
  return all;
}
