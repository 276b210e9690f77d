// The flights of one worker, in the order in which they were given: a linked list, so that any flight can leave it at once.

/** An element of such a list. It can be in one list at a time, because it holds the links itself. */
export interface Linked<L> {
  before: L | undefined;
  after: L | undefined;
}

/** The list. */
export class Flights<L extends Linked<L>> implements Iterable<L> {
  size = 0;
  first: L | undefined;
  #last: L | undefined;

  add(flight: L): void {
    flight.before = this.#last;
    if (this.#last) this.#last.after = flight;
    else this.first = flight;
    this.#last = flight;
    this.size++;
  }

  has(flight: L): boolean {
    return flight.before !== undefined || this.first === flight;
  }

  delete(flight: L): boolean {
    if (!this.has(flight)) return false;
    const { before, after } = flight;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.#last = before;
    flight.before = undefined;
    flight.after = undefined;
    this.size--;
    return true;
  }

  *[Symbol.iterator](): Generator<L, void, void> {
    for (let flight = this.first; flight; flight = flight.after) yield flight;
  }
}
