// Events of one kind, heard by callbacks or read by `for await`.
import { Fifo } from './fifo.ts';

/** Hears each event until it is removed. */
export type Listener<E> = (event: E) => void;

/** A source of events. A listener that throws harms no other: what it threw goes to `onThrow`. */
export class Events<E> {
  readonly #listeners = new Set<Listener<E>>();
  readonly #onThrow: (error: unknown) => void;

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
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }

  /** The events from now on. At most `limit` wait to be read; beyond it the oldest is dropped. */
  async *read(options: { signal?: AbortSignal; limit?: number; first?: readonly E[] } = {}): AsyncGenerator<E, void, void> {
    const { signal, limit = 10_000, first = [] } = options;
    const waiting = new Fifo<E>();
    for (const event of first) waiting.push(event);
    let wake: (() => void) | undefined;
    const off = this.on((event) => {
      waiting.push(event);
      if (waiting.size > limit) waiting.shift();
      wake?.();
    });
    const onAbort = (): void => wake?.();
    signal?.addEventListener('abort', onAbort);
    try {
      while (!signal?.aborted) {
        const event = waiting.shift();
        if (event !== undefined) yield event;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      off();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
