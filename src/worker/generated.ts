// Functions that give many values: generators of either kind.

/** Whether calling a function gives a generator: only then its values can be streamed, or gathered. */
export function isStreaming(fn: (...args: never[]) => unknown): boolean {
  return /^\[object (Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(fn));
}

/** All values of a generator, as long as they are wanted. */
export async function gather(values: unknown, wanted: () => boolean): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const value of values as AsyncIterable<unknown>) {
    all.push(value);
    if (!wanted()) break;
  }
  return all;
}
