// Knows which runtime listens where. Two cannot listen at one place of one machine, so a second one there is proof that the first is gone.
import type { RuntimeId } from '../../base/index.ts';
import type { Conn } from '../../transport/index.ts';

/** Remembers, for each address a peer said it listens at, from which machine it said so. */
export class Holders {
  readonly #byPlace = new Map<string, RuntimeId>();
  readonly #places = new Map<RuntimeId, readonly string[]>();

  /** Notes the places of a peer that has come; returns the peers that held one of them before. */
  move(peer: RuntimeId, conn: Conn, addresses: readonly string[]): RuntimeId[] {
    const machine = conn.remote.replace(/:\d+$/, '');
    const places = addresses.map((address) => `${machine} ${address}`);
    const before = places.map((place) => this.#byPlace.get(place)).filter((id) => id !== undefined && id !== peer) as RuntimeId[];
    this.forget(peer);
    for (const place of places) this.#byPlace.set(place, peer);
    this.#places.set(peer, places);
    return [...new Set(before)];
  }

  forget(peer: RuntimeId): void {
    for (const place of this.#places.get(peer) ?? []) if (this.#byPlace.get(place) === peer) this.#byPlace.delete(place);
    this.#places.delete(peer);
  }
}
