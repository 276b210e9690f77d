// Counts how often the session with each peer has ended. It remembers the peers whose sessions ended last, KEPT of them.
import { dropFirst, type RuntimeId } from '../../base/index.ts';

const KEPT = 20_000;

/** Counts of endings. */
export class Endings {
  readonly #counts = new Map<RuntimeId, number>();

  of(peer: RuntimeId): number {
    return this.#counts.get(peer) ?? 0;
  }

  add(peer: RuntimeId): void {
    this.#counts.set(peer, this.of(peer) + 1);
    if (this.#counts.size > KEPT) dropFirst(this.#counts);
  }
}
