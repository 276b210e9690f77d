// Events of one kind, heard by callbacks or read by `for await`.
import { FlotillaError } from './errors.ts';
import { Fifo } from './fifo.ts';

/** Hears each event until it is removed. */
export type Listener<E> = (event: E) => void;

/** A source of events. A listener that throws harms no other: its error goes to `onThrow`. */
export class Events<E extends object> {
  readonly #listeners = new Set<Listener<E>>();
  readonly #onThrow: (error: unknown) => void;
  readonly #readers = new Set<() => void>();
  #ended = false;

  constructor(onThrow: (error: unknown) => void = () => {}) {
    this.#onThrow = onThrow;
  }

  get size(): number {
    return this.#listeners.size;
  }

  on(listener: Listener<E>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: E): void {
    if (this.#ended) return;
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }

  /** Says that no more events come: a reader comes to the end after those that wait. */
  end(): void {
    this.#ended = true;
    for (const wake of this.#readers) wake();
  }

  /**
   * Reads the events from now on, `first` before them. At most `limit` wait to be read: beyond it the oldest is dropped, or, if `strict`,
   * reading fails with ERR_LIMIT.
   */
  read(
    options: { signal?: AbortSignal; limit?: number; first?: readonly E[]; strict?: boolean } = {},
  ): AsyncIterableIterator<E, undefined> {
    const { signal, limit = 10_000, first = [], strict = false } = options;
    const waiting = new Fifo<E>();
    for (const event of first) waiting.push(event);
    let wake: (() => void) | undefined;
    let overrun = false;
    let done = false;
    const rouse = (): void => wake?.();
    const off = this.on((event) => {
      if (waiting.size < limit) waiting.push(event);
      else if (strict) overrun = true;
      else {
        waiting.shift();
        waiting.push(event);
      }
      wake?.();
    });
    const finish = (): void => {
      done = true;
      off();
      this.#readers.delete(rouse);
      signal?.removeEventListener('abort', rouse);
      wake?.();
    };
    this.#readers.add(rouse);
    signal?.addEventListener('abort', rouse);
    const next = async (): Promise<IteratorResult<E, undefined>> => {
      for (;;) {
        if (done || signal?.aborted) break;
        if (waiting.size > 0) return { value: waiting.shift() as E, done: false };
        if (overrun) {
          finish();
          throw new FlotillaError(
            'ERR_LIMIT',
            `${limit} events waited to be read, and more came: read them faster, or listen with a callback.`,
          );
        }
        if (this.#ended) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      finish();
      return { value: undefined, done: true };
    };
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next,
      return: async () => {
        finish();
        return { value: undefined, done: true };
      },
    };
  }
}
