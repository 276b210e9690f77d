// The mailbox of a task keeps messages in order until they are read, one at a time; on request by category and by priority.
//
//   MB1. Messages of one category and priority are received in the order in which they arrived; a higher priority first.
//   MB2. After close() nothing more is put in, and readers get what is there, then the end.
//   MB3. After interrupt() every wait, present and future, rejects.
//   MB4. A message that nobody waits for stays until it is read; so does a message for which a function of the task throws.
import { type Clock, Fifo, FlotillaError, type RuntimeId, toError } from '../../base/index.ts';
import { WINDOW } from '../post/credit.ts';

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
  /** Hands the reader its message. */
  readonly give: (message: M) => void;
  readonly end: () => void;
  readonly reject: (error: unknown) => void;
}

// A wait for the next message, whatever it is. It is one object without closures, because nearly every wait is of this kind.
class PlainReader<M> implements Reader<M> {
  readonly category = undefined;
  readonly match = undefined;
  readonly iterates: boolean;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;

  constructor(iterates: boolean, resolve: (value: never) => void, reject: (error: unknown) => void) {
    this.iterates = iterates;
    this.resolve = resolve;
    this.reject = reject;
  }

  give(message: M): void {
    this.resolve((this.iterates ? { value: message, done: false } : message) as never);
  }

  end(): void {
    if (this.iterates) this.resolve({ value: undefined, done: true } as never);
    else this.reject(mailboxClosed());
  }
}

function mailboxClosed(): FlotillaError {
  return new FlotillaError('ERR_MAILBOX_CLOSED', 'The mailbox was closed, and all its messages have been received.');
}

/** The values by which messages are told apart. */
export type Category = string | number | symbol;

/** Options of {@link Task.receive}. */
export interface ReceiveOptions<M = unknown> {
  /** Rejects with ERR_TIMEOUT after so many milliseconds; 0 takes only what is there. None by default. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Takes only messages of this category, as told by `categorize`; without it, those of no category. */
  readonly category?: Category;
  /** Takes only the first message that passes; others stay where they are. */
  readonly match?: (message: M) => boolean;
}

/** The task whose mailbox it is. It hears of each message that is read, to return its sender the credit. */
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

interface Rare<M> {
  readers?: Fifo<Reader<M>> | undefined;
  order?: Order<M>;
  injected?: Error | undefined;
  waitingForRoom?: (() => void)[] | undefined;
}

/** A task's mailbox. */
export class Mailbox<M> {
  readonly #owner: MailboxOwner;
  #queue: Fifo<Letter<M>> | undefined;
  #reader: Reader<M> | undefined;
  #state: State = OPEN;
  #size = 0;
  /** The parts that few mailboxes need, made when they are needed, to keep the others small. */
  #rare: Rare<M> | undefined;

  constructor(owner: MailboxOwner) {
    this.#owner = owner;
  }

  get #letters(): Fifo<Letter<M>> {
    this.#queue ??= new Fifo();
    return this.#queue;
  }

  get #order(): Order<M> | undefined {
    return this.#rare?.order;
  }

  get #more(): Rare<M> {
    this.#rare ??= {};
    return this.#rare;
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
      reader.give(value);
      return true;
    }
    const letter: Letter<M> = { value, from, bytes, category: undefined, priority: 0 };
    if (this.#order) this.#classify(letter, this.#order);
    const wanting = this.#takeReader(letter);
    if (wanting) {
      this.#owner.taken(from, bytes);
      wanting.give(value);
    } else this.#keep(letter);
    return true;
  }

  close(): void {
    if (this.#state !== OPEN) return;
    this.#state = CLOSED;
    for (const reader of this.#allReaders()) reader.end();
    this.#roomAgain();
  }

  interrupt(reason: Error): void {
    if (this.#state.kind === 'interrupted') return;
    this.#state = { kind: 'interrupted', reason };
    for (const reader of this.#allReaders()) reader.reject(reason);
    this.#roomAgain();
  }

  /** Rejects the present wait, or else the next one. */
  inject(error: Error): void {
    const reader = this.#reader;
    if (!reader) {
      this.#more.injected = error;
      return;
    }
    this.#nextReader();
    reader.reject(error);
  }

  /** The injected error that has met no wait yet. */
  get injected(): Error | undefined {
    return this.#rare?.injected;
  }

  /** Takes that error out; the caller rejects its own wait with it. */
  takeInjected(): Error | undefined {
    const error = this.#rare?.injected;
    if (error && this.#rare) this.#rare.injected = undefined;
    return error;
  }

  /** Calls back when a quarter of the window is free again, or the mailbox takes no messages any more. */
  onRoom(callback: () => void): void {
    this.#more.waitingForRoom ??= [];
    this.#more.waitingForRoom.push(callback);
  }

  /** Tells messages apart; the newest categorizer that gives a category decides. Returns a function that takes this one back. */
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
  next(): Promise<IteratorResult<M, undefined>> {
    const ready = this.#ready(undefined, undefined);
    if (ready) return ready;
    return new Promise((resolve, reject) => this.#addReader(new PlainReader<M>(true, resolve, reject)));
  }

  /** The next message; rejects with ERR_MAILBOX_CLOSED after the last. */
  receive(options?: ReceiveOptions<M>): Promise<M> {
    const { timeout, signal, category, match } = options ?? {};
    if (signal?.aborted) return Promise.reject(signal.reason);
    let ready: Promise<IteratorResult<M, undefined>> | undefined;
    try {
      ready = this.#ready(category, match);
    } catch (error) {
      return Promise.reject(error); // the `match` of these options threw
    }
    if (ready) {
      return ready.then((result) => {
        if (result.done) throw mailboxClosed();
        return result.value;
      });
    }
    if (!options) return new Promise((resolve, reject) => this.#addReader(new PlainReader<M>(false, resolve, reject)));
    if (timeout !== undefined && timeout <= 0) return Promise.reject(new FlotillaError('ERR_TIMEOUT', 'No message is there.'));
    return this.#receiveWithin(options);
  }

  // Gives the outcome of a wait that need not wait; undefined if it must. A sender goes on at three quarters of the window, not at its
  // edge: else it and the task would wake each other for every single message.
  #ready(category: Category | undefined, match: ((message: M) => boolean) | undefined): Promise<IteratorResult<M, undefined>> | undefined {
    if (this.#state.kind === 'interrupted') return Promise.reject(this.#state.reason); // MB3
    const injected = this.takeInjected();
    if (injected) return Promise.reject(injected);
    const letters = category === undefined ? this.#queue : this.#order?.apart.get(category);
    const letter = match ? letters?.remove((one) => match(one.value)) : letters?.shift();
    if (letter) {
      this.#size--;
      this.#owner.taken(letter.from, letter.bytes);
      if (this.#rare?.waitingForRoom && this.#size <= (WINDOW.messages * 3) / 4) this.#roomAgain();
      return Promise.resolve({ value: letter.value, done: false });
    }
    return this.#state === CLOSED ? Promise.resolve({ value: undefined, done: true }) : undefined; // MB2
  }

  #receiveWithin({ timeout, signal, category, match }: ReceiveOptions<M>): Promise<M> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: unknown): void => {
        finish();
        reject(error);
      };
      const reader: Reader<M> = {
        category,
        match,
        give(message) {
          finish();
          resolve(message);
        },
        end: () => fail(mailboxClosed()),
        reject: fail,
      };
      const leave = (error: unknown): void => {
        if (this.#removeReader(reader)) fail(error);
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
      this.#more.readers ??= new Fifo();
      this.#more.readers.push(reader);
    }
  }

  #nextReader(): void {
    this.#reader = this.#rare?.readers?.shift();
  }

  #removeReader(reader: Reader<M>): boolean {
    if (this.#reader !== reader) return this.#rare?.readers?.remove((one) => one === reader) !== undefined;
    this.#nextReader();
    return true;
  }

  // Takes out the first reader that wants this letter. A reader whose `match` throws is rejected with that error.
  #takeReader(letter: Letter<M>): Reader<M> | undefined {
    const failed: { readonly reader: Reader<M>; readonly error: unknown }[] = [];
    const wants = (reader: Reader<M>): boolean => {
      try {
        return reader.category === letter.category && (reader.match?.(letter.value) ?? true);
      } catch (error) {
        failed.push({ reader, error });
        return false;
      }
    };
    const found = this.#findReader(wants);
    for (const { reader, error } of failed) if (this.#removeReader(reader)) reader.reject(error);
    return found;
  }

  #findReader(wants: (reader: Reader<M>) => boolean): Reader<M> | undefined {
    const first = this.#reader;
    if (!first) return undefined;
    if (!wants(first)) return this.#rare?.readers?.remove(wants);
    this.#nextReader();
    return first;
  }

  #allReaders(): Reader<M>[] {
    const all = this.#reader ? [this.#reader, ...(this.#rare?.readers ?? [])] : [];
    this.#reader = undefined;
    if (this.#rare) this.#rare.readers = undefined;
    return all;
  }

  #roomAgain(): void {
    const waiting = this.#rare?.waitingForRoom;
    if (this.#rare) this.#rare.waitingForRoom = undefined;
    for (const callback of waiting ?? []) callback();
  }

  #ordered(): Order<M> {
    this.#more.order ??= { categorizers: [], priority: undefined, apart: new Map() };
    return this.#more.order;
  }

  // Gives a letter its category and priority. An error that a function of the task throws goes to the task's present or next wait. MB4
  #classify(letter: Letter<M>, order: Order<M>): void {
    letter.category = undefined;
    letter.priority = 0;
    try {
      for (const categorizer of order.categorizers) {
        letter.category = categorizer(letter.value);
        if (letter.category !== undefined) break;
      }
      letter.priority = order.priority?.(letter.value) ?? 0;
    } catch (error) {
      this.inject(toError(error));
    }
  }

  // Puts a letter behind the last one of its category that has the same priority or a higher one. MB1
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
        wanting.give(letter.value);
      }
    }
  }
}
