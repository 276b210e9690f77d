// What a running call can ask about itself.
import { AsyncLocalStorage } from 'node:async_hooks';

/** A running call: its signal, its place, and how it reports. */
export interface Current {
  /** Aborts when the call is cancelled, or its worker is asked to end. */
  readonly signal: AbortSignal;
  /** The worker it runs on, as `HOST/N`; `inline` in the client's own process. */
  readonly worker: string;
  readonly host: string;
  /** Tells the client how far the call is: the `onProgress` of `client.with` hears it. */
  progress(done: number, total?: number, note?: string): void;
}

const KEY = Symbol.for('flotilla.current');

interface Holder {
  serial: Current | undefined;
  readonly storage: AsyncLocalStorage<Current>;
  concurrent: number;
}

// One per process, whatever copy of this module shipped code gets hold of.
function holder(): Holder {
  const scope = globalThis as { [KEY]?: Holder };
  scope[KEY] ??= { serial: undefined, storage: new AsyncLocalStorage(), concurrent: 0 };
  return scope[KEY];
}

/**
 * The call that is running, from inside a function that a client runs: its signal, its worker, its progress.
 *
 * Outside of any call it is undefined.
 *
 * @example
 * ```ts
 * console.log(current()); // => undefined
 * ```
 */
export function current(): Current | undefined {
  const held = holder();
  return (held.concurrent > 0 ? held.storage.getStore() : undefined) ?? held.serial;
}

/** Sets the one call that runs at a time. */
export function setSerial(call: Current | undefined): void {
  holder().serial = call;
}

/** Runs one of several calls at once. */
export function runConcurrent<T>(call: Current, run: () => T): T {
  const held = holder();
  held.concurrent = 1;
  return held.storage.run(call, run);
}
