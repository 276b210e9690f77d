// Where a task's messages wait: in order, read one at a time.
//
//   M1. Messages are received in the order in which they arrived.
//   M2. After close() nothing more is put in, and readers get what is there, then the end.
//   M3. After interrupt() every wait, present and future, rejects.
import { type Clock, Fifo, FlotillaError } from '../../base/index.ts';

interface Letter<M> {
  readonly value: M;
  readonly from: unknown;
  readonly bytes: number;
}

interface Reader<M> {
  readonly resolve: (result: IteratorResult<M, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** Options of {@link Mailbox.receive}. */
export interface ReceiveOptions {
  /** Rejects with ERR_TIMEOUT after so many milliseconds. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** A task's mailbox. `onTake` hears of each message that is read. */
export class Mailbox<M> {
  readonly #letters = new Fifo<Letter<M>>();
  readonly #readers = new Fifo<Reader<M>>();
  readonly #clock: Clock;
  readonly #onTake: (from: unknown, bytes: number) => void;
  #state: { readonly kind: 'open' } | { readonly kind: 'closed' } | { readonly kind: 'interrupted'; readonly reason: Error } = {
    kind: 'open',
  };

  constructor(clock: Clock, onTake: (from: unknown, bytes: number) => void) {
    this.#clock = clock;
    this.#onTake = onTake;
  }

  get size(): number {
    return this.#letters.size;
  }

  get open(): boolean {
    return this.#state.kind === 'open';
  }

  /** Puts a message in; false if the mailbox takes none any more. */
  put(value: M, from: unknown, bytes: number): boolean {
    if (this.#state.kind !== 'open') return false;
    const reader = this.#readers.shift();
    if (reader) {
      this.#onTake(from, bytes);
      reader.resolve({ value, done: false });
    } else this.#letters.push({ value, from, bytes });
    return true;
  }

  close(): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'closed' };
    for (let reader = this.#readers.shift(); reader; reader = this.#readers.shift()) reader.resolve({ value: undefined, done: true });
  }

  interrupt(reason: Error): void {
    if (this.#state.kind === 'interrupted') return;
    this.#state = { kind: 'interrupted', reason };
    for (let reader = this.#readers.shift(); reader; reader = this.#readers.shift()) reader.reject(reason);
  }

  /** The next message, or the end. */
  next(): Promise<IteratorResult<M, undefined>> {
    if (this.#state.kind === 'interrupted') return Promise.reject(this.#state.reason); // M3
    const letter = this.#letters.shift();
    if (letter) {
      this.#onTake(letter.from, letter.bytes);
      return Promise.resolve({ value: letter.value, done: false });
    }
    if (this.#state.kind === 'closed') return Promise.resolve({ value: undefined, done: true }); // M2
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** The next message; rejects with ERR_MAILBOX_CLOSED after the last. */
  async receive(options: ReceiveOptions = {}): Promise<M> {
    const { timeout, signal } = options;
    const result = timeout === undefined && !signal ? await this.next() : await this.#nextWithin(timeout, signal);
    if (result.done) throw new FlotillaError('ERR_MAILBOX_CLOSED', 'The mailbox was closed, and all its messages have been received.');
    return result.value;
  }

  #nextWithin(timeout: number | undefined, signal: AbortSignal | undefined): Promise<IteratorResult<M, undefined>> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#letters.size > 0 || this.#state.kind !== 'open') return this.next();
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (act: () => void): void => {
        settled = true;
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
        act();
      };
      const reader: Reader<M> = { resolve: (result) => settle(() => resolve(result)), reject: (error) => settle(() => reject(error)) };
      const leave = (error: unknown): void => {
        if (settled) return;
        this.#remove(reader);
        settle(() => reject(error));
      };
      const onAbort = (): void => leave(signal?.reason);
      const timer =
        timeout === undefined
          ? undefined
          : this.#clock.after(timeout, () => leave(new FlotillaError('ERR_TIMEOUT', `No message arrived within ${timeout} ms.`)));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#readers.push(reader);
    });
  }

  #remove(reader: Reader<M>): void {
    const others = [...this.#readers].filter((other) => other !== reader);
    this.#readers.clear();
    for (const other of others) this.#readers.push(other);
  }
}
