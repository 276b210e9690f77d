// A queue that is fast at both ends: a growing ring.

const FIRST_SLOTS = 16;
/** The array of a queue without items. No item is ever put into it, so all such queues share it. */
const NONE: never[] = [];

/** First in, first out; O(1) at both ends. It takes objects only, so that an item is never mistaken for the undefined of an empty queue. */
export class Fifo<T extends object> {
  #items: (T | undefined)[] = NONE;
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#size++) & (this.#items.length - 1)] = item;
  }

  /** Puts an item back at the front. */
  unshift(item: T): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#items.length - 1);
    this.#items[this.#head] = item;
    this.#size++;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#size--;
    return item;
  }

  peek(index = 0): T | undefined {
    return index < this.#size ? this.#items[(this.#head + index) & (this.#items.length - 1)] : undefined;
  }

  clear(): void {
    this.#items = NONE;
    this.#head = 0;
    this.#size = 0;
  }

  /** Puts an item before the one that is at `index` now. */
  insert(index: number, item: T): void {
    this.push(item);
    const mask = this.#items.length - 1;
    for (let j = this.#size - 1; j > index; j--) this.#items[(this.#head + j) & mask] = this.#items[(this.#head + j - 1) & mask];
    this.#items[(this.#head + index) & mask] = item;
  }

  /** Takes out the first item that passes. */
  remove(passes: (item: T) => boolean): T | undefined {
    for (let i = 0; i < this.#size; i++) {
      const item = this.peek(i) as T;
      if (!passes(item)) continue;
      const mask = this.#items.length - 1;
      for (let j = i; j < this.#size - 1; j++) this.#items[(this.#head + j) & mask] = this.#items[(this.#head + j + 1) & mask];
      this.#items[(this.#head + --this.#size) & mask] = undefined;
      return item;
    }
    return undefined;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#size; i++) yield this.peek(i) as T;
  }

  #grow(): void {
    const items = new Array<T | undefined>(Math.max(FIRST_SLOTS, this.#items.length * 2));
    for (let i = 0; i < this.#size; i++) items[i] = this.peek(i);
    this.#items = items;
    this.#head = 0;
  }
}

/** Takes the entry that was put in first out of a set or a map. */
export function dropFirst<K>(of: { keys(): Iterator<K, unknown>; delete(key: K): unknown }): void {
  const first = of.keys().next();
  if (!first.done) of.delete(first.value);
}
