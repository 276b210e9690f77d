// Whether a peer that does not answer is held rather than lost: any one who wants it held decides.
import type { RuntimeId } from '../../base/index.ts';

/** Whether a peer is to be held; `quiet`: its connection was not closed, nothing came over it. */
export type Keeps = (peer: RuntimeId, quiet: boolean) => boolean;

/** Those who are asked, whenever a peer has been silent for the limit. */
export class Keepers {
  readonly #all = new Set<Keeps>();

  /** Asks one more from now on; returns what ends that. */
  add(keeps: Keeps): () => void {
    this.#all.add(keeps);
    return () => this.#all.delete(keeps);
  }

  keep(peer: RuntimeId, quiet: boolean): boolean {
    for (const keeps of this.#all) if (keeps(peer, quiet)) return true;
    return false;
  }
}
