// A map from numbers that rise. Unlike Map it allocates only when it grows or shrinks. A Map that is filled and emptied for long leaves
// old tables behind, and a dead table of the old generation keeps all values alive that it points to.
//
//   IM1. Ids are positive whole numbers. Iteration is in rising order.

const LEAST = 16;
/** 2^32 over the golden ratio: neighbours are spread far apart. */
const SPREAD = 0x9e3779b1;

/** A map of values by id. */
export class IdMap<T> {
  #ids = new Float64Array(LEAST);
  #values: (T | undefined)[] = new Array<T | undefined>(LEAST).fill(undefined);
  #shift = 32 - Math.log2(LEAST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    const at = this.#find(id);
    return this.#ids[at] === id ? this.#values[at] : undefined;
  }

  set(id: number, value: T): void {
    let at = this.#find(id);
    if (this.#ids[at] !== id) {
      if ((this.#size + 1) * 2 > this.#ids.length) {
        this.#resize(this.#ids.length * 2);
        at = this.#find(id);
      }
      this.#ids[at] = id;
      this.#size++;
    }
    this.#values[at] = value;
  }

  delete(id: number): boolean {
    let hole = this.#find(id);
    if (this.#ids[hole] !== id) return false;
    const mask = this.#ids.length - 1;
    // Entries that were put further on because this place was taken move up, so that they are found again.
    for (let at = (hole + 1) & mask; this.#ids[at] !== 0; at = (at + 1) & mask) {
      const home = this.#home(this.#ids[at] as number);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#ids[hole] = this.#ids[at] as number;
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    this.#ids[hole] = 0;
    this.#values[hole] = undefined;
    this.#size--;
    if (this.#size * 8 < this.#ids.length && this.#ids.length > LEAST) this.#resize(this.#ids.length / 2);
    return true;
  }

  /** Whether any value passes. */
  some(passes: (value: T) => boolean): boolean {
    return this.#size > 0 && this.#values.some((value) => value !== undefined && passes(value));
  }

  /** Gives all entries there are now, in rising order of the ids. IM1 */
  *[Symbol.iterator](): Generator<[id: number, value: T], void, void> {
    const all: [number, T][] = [];
    for (const [at, id] of this.#ids.entries()) if (id !== 0) all.push([id, this.#values[at] as T]);
    yield* all.sort(([a], [b]) => a - b);
  }

  #home(id: number): number {
    return Math.imul(id, SPREAD) >>> this.#shift;
  }

  // Finds the place where an id is, or would be put.
  #find(id: number): number {
    const ids = this.#ids;
    const mask = ids.length - 1;
    let at = this.#home(id);
    while (ids[at] !== 0 && ids[at] !== id) at = (at + 1) & mask;
    return at;
  }

  #resize(length: number): void {
    const [ids, values] = [this.#ids, this.#values];
    this.#ids = new Float64Array(length);
    this.#values = new Array<T | undefined>(length).fill(undefined);
    this.#shift = 32 - Math.log2(length);
    for (const [from, id] of ids.entries()) {
      if (id === 0) continue;
      const at = this.#find(id);
      this.#ids[at] = id;
      this.#values[at] = values[from];
    }
  }
}
