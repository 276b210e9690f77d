// Where a task's messages wait: in order, read one at a time; apart by category, earlier by priority, where asked.
//
//   M1. Messages of one category and priority are received in the order in which they arrived; a higher priority first.
//   M2. After close() nothing more is put in, and readers get what is there, then the end.
//   M3. After interrupt() every wait, present and future, rejects.
//   M4. A message that nobody waits for stays until it is read.
import { type Clock, Fifo, FlotillaError, type RuntimeId } from '../../base/index.ts';
import { WINDOW } from '../sessions/credit.ts';

interface Letter<M> {
  readonly value: M;
  readonly from: RuntimeId | undefined;
  readonly bytes: number;
  category: Category | undefined;
  priority: number;
}

interface Reader<M> {
  readonly category: Category | undefined;
  readonly match: ((message: M) => boolean) | undefined;
  readonly resolve: (result: IteratorResult<M, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** What messages can be told apart by. */
export type Category = string | number | symbol;

/** Options of {@link Task.receive}. */
export interface ReceiveOptions<M = unknown> {
  /** Rejects with ERR_TIMEOUT after so many milliseconds; 0 takes only what is there. None by default. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Only messages of this category, as told by `categorize`. Without it: those of no category. */
  readonly category?: Category;
  /** Only the first message that passes; others stay where they are. */
  readonly match?: (message: M) => boolean;
}

/** Whose mailbox it is: hears of each message that is read. */
export interface MailboxOwner {
  readonly clock: Clock;
  taken(from: RuntimeId | undefined, bytes: number): void;
}

type State = { readonly kind: 'open' } | { readonly kind: 'closed' } | { readonly kind: 'interrupted'; readonly reason: Error };
const OPEN: State = { kind: 'open' };
const CLOSED: State = { kind: 'closed' };

interface Order<M> {
  readonly categorizers: ((message: M) => Category | undefined)[];
  priority: ((message: M) => number) | undefined;
  /** The letters of each category. */
  readonly apart: Map<Category, Fifo<Letter<M>>>;
}

/** A task's mailbox. */
export class Mailbox<M> {
  readonly #owner: MailboxOwner;
  readonly #letters = new Fifo<Letter<M>>();
  #reader: Reader<M> | undefined;
  #readers: Fifo<Reader<M>> | undefined;
  #order: Order<M> | undefined;
  #state: State = OPEN;
  #size = 0;
  #injected: Error | undefined;
  #waitingForRoom: (() => void)[] | undefined;

  constructor(owner: MailboxOwner) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#size;
  }

  get open(): boolean {
    return this.#state === OPEN;
  }

  get waits(): boolean {
    return this.#reader !== undefined;
  }

  /** Puts a message in; false if the mailbox takes none any more. */
  put(value: M, from: RuntimeId | undefined, bytes: number): boolean {
    if (this.#state !== OPEN) return false;
    const reader = this.#reader;
    if (reader && !this.#order && !reader.match && reader.category === undefined) {
      this.#nextReader();
      this.#owner.taken(from, bytes);
      reader.resolve({ value, done: false });
      return true;
    }
    const letter: Letter<M> = { value, from, bytes, category: undefined, priority: 0 };
    if (this.#order) this.#classify(letter, this.#order);
    const wanting = this.#takeReader(letter);
    if (wanting) {
      this.#owner.taken(from, bytes);
      wanting.resolve({ value, done: false });
    } else this.#keep(letter);
    return true;
  }

  close(): void {
    if (this.#state !== OPEN) return;
    this.#state = CLOSED;
    for (const reader of this.#allReaders()) reader.resolve({ value: undefined, done: true });
    this.#roomAgain();
  }

  interrupt(reason: Error): void {
    if (this.#state.kind === 'interrupted') return;
    this.#state = { kind: 'interrupted', reason };
    for (const reader of this.#allReaders()) reader.reject(reason);
    this.#roomAgain();
  }

  /** The wait of the moment rejects, or the next one. */
  inject(error: Error): void {
    const reader = this.#reader;
    if (!reader) {
      this.#injected = error;
      return;
    }
    this.#nextReader();
    reader.reject(error);
  }

  /** What was injected and has met no wait yet. */
  get injected(): Error | undefined {
    return this.#injected;
  }

  /** The same, taken out: whoever takes it rejects with it. */
  takeInjected(): Error | undefined {
    const error = this.#injected;
    this.#injected = undefined;
    return error;
  }

  /** Calls back when fewer messages wait, or none will ever be taken again. */
  onRoom(callback: () => void): void {
    this.#waitingForRoom ??= [];
    this.#waitingForRoom.push(callback);
  }

  /** Tells messages apart; the newest that gives a category decides. Returns what ends it. */
  categorize(categorizer: (message: M) => Category | undefined): () => void {
    const order = this.#ordered();
    order.categorizers.unshift(categorizer);
    this.#sortAgain(order);
    return () => {
      const at = order.categorizers.indexOf(categorizer);
      if (at < 0) return;
      order.categorizers.splice(at, 1);
      this.#sortAgain(order);
    };
  }

  /** Reads messages of a higher number first. */
  prioritize(priority: ((message: M) => number) | undefined): void {
    const order = this.#ordered();
    order.priority = priority;
    this.#sortAgain(order);
  }

  /** The next message, or the end. */
  next(category?: Category, match?: (message: M) => boolean): Promise<IteratorResult<M, undefined>> {
    const ready = this.#ready(category, match);
    if (ready) return ready;
    return new Promise((resolve, reject) => this.#addReader({ category, match, resolve, reject }));
  }

  /** The next message; rejects with ERR_MAILBOX_CLOSED after the last. */
  async receive(options: ReceiveOptions<M> = {}): Promise<M> {
    const { timeout, signal, category, match } = options;
    const result = timeout === undefined && !signal ? await this.next(category, match) : await this.#nextWithin(options);
    if (result.done) throw new FlotillaError('ERR_MAILBOX_CLOSED', 'The mailbox was closed, and all its messages have been received.');
    return result.value;
  }

  // What a wait gives at once, if anything.
  #ready(category: Category | undefined, match: ((message: M) => boolean) | undefined): Promise<IteratorResult<M, undefined>> | undefined {
    if (this.#state.kind === 'interrupted') return Promise.reject(this.#state.reason); // M3
    const injected = this.takeInjected();
    if (injected) return Promise.reject(injected);
    const letters = category === undefined ? this.#letters : this.#order?.apart.get(category);
    const letter = match ? letters?.remove((one) => match(one.value)) : letters?.shift();
    if (letter) {
      this.#size--;
      this.#owner.taken(letter.from, letter.bytes);
      if (this.#waitingForRoom && this.#size <= (WINDOW.messages * 3) / 4) this.#roomAgain();
      return Promise.resolve({ value: letter.value, done: false });
    }
    return this.#state === CLOSED ? Promise.resolve({ value: undefined, done: true }) : undefined; // M2
  }

  #nextWithin({ timeout, signal, category, match }: ReceiveOptions<M>): Promise<IteratorResult<M, undefined>> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const ready = this.#ready(category, match);
    if (ready) return ready;
    if (timeout !== undefined && timeout <= 0) return Promise.reject(new FlotillaError('ERR_TIMEOUT', 'No message is there.'));
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
        act();
      };
      const reader: Reader<M> = {
        category,
        match,
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      };
      const leave = (error: unknown): void => {
        if (this.#removeReader(reader)) settle(() => reject(error));
      };
      const onAbort = (): void => leave(signal?.reason);
      const timer =
        timeout === undefined
          ? undefined
          : this.#owner.clock.after(timeout, () => leave(new FlotillaError('ERR_TIMEOUT', `No message arrived within ${timeout} ms.`)));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#addReader(reader);
    });
  }

  #addReader(reader: Reader<M>): void {
    if (!this.#reader) this.#reader = reader;
    else {
      this.#readers ??= new Fifo();
      this.#readers.push(reader);
    }
  }

  #nextReader(): void {
    this.#reader = this.#readers?.shift();
  }

  #removeReader(reader: Reader<M>): boolean {
    if (this.#reader !== reader) return this.#readers?.remove((one) => one === reader) !== undefined;
    this.#nextReader();
    return true;
  }

  // The first reader that wants this letter.
  #takeReader(letter: Letter<M>): Reader<M> | undefined {
    const wants = (reader: Reader<M>): boolean => reader.category === letter.category && (reader.match?.(letter.value) ?? true);
    const first = this.#reader;
    if (!first) return undefined;
    if (!wants(first)) return this.#readers?.remove(wants);
    this.#nextReader();
    return first;
  }

  #allReaders(): Reader<M>[] {
    const all = this.#reader ? [this.#reader, ...(this.#readers ?? [])] : [];
    this.#reader = undefined;
    this.#readers = undefined;
    return all;
  }

  #roomAgain(): void {
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = undefined;
    for (const callback of waiting ?? []) callback();
  }

  #ordered(): Order<M> {
    this.#order ??= { categorizers: [], priority: undefined, apart: new Map() };
    return this.#order;
  }

  #classify(letter: Letter<M>, order: Order<M>): void {
    letter.category = undefined;
    for (const categorizer of order.categorizers) {
      const category = categorizer(letter.value);
      if (category === undefined) continue;
      letter.category = category;
      break;
    }
    letter.priority = order.priority?.(letter.value) ?? 0;
  }

  // M1
  #keep(letter: Letter<M>): void {
    this.#size++;
    let letters = this.#letters;
    if (letter.category !== undefined && this.#order) {
      letters = this.#order.apart.get(letter.category) ?? new Fifo();
      this.#order.apart.set(letter.category, letters);
    }
    let at = letters.size;
    while (at > 0 && (letters.peek(at - 1) as Letter<M>).priority < letter.priority) at--;
    letters.insert(at, letter);
  }

  #sortAgain(order: Order<M>): void {
    const all = [...this.#letters];
    for (const letters of order.apart.values()) all.push(...letters);
    this.#letters.clear();
    order.apart.clear();
    this.#size = 0;
    for (const letter of all) {
      this.#classify(letter, order);
      const wanting = this.#takeReader(letter);
      if (!wanting) this.#keep(letter);
      else {
        this.#owner.taken(letter.from, letter.bytes);
        wanting.resolve({ value: letter.value, done: false });
      }
    }
  }
}
