// Runtimes that are held to be no more, by what was seen here or said with a reference.
//
//   GO1. Who gives away a reference to a runtime that is gone says so with it.
//   GO2. What is meant for a runtime of which only that was heard is refused at once; a session with it, or a reference of somebody who
//       knows better, ends that.
//   GO3. One whose session was lost here is asked nothing: it is dialled instead, and can be asked once that has succeeded.
import { dropFirst, type RuntimeId } from '../../base/index.ts';
import type { SessionEnd } from '../sessions/session.ts';

const KEPT = 10_000;

interface Known {
  readonly end: SessionEnd;
  readonly heard: boolean;
}

/** What one runtime knows of those that are gone: of so many, the latest. */
export class Gone {
  readonly #known = new Map<RuntimeId, Known>();

  /** Its session ended. */
  seen(peer: RuntimeId, end: SessionEnd): void {
    if (!end.lives) this.#add(peer, { end, heard: false });
  }

  /** A reference to it came, with or without the word that it is gone. GO2 */
  heard(peer: RuntimeId, lost: 'worker' | 'host' | undefined): void {
    const known = this.#known.get(peer);
    if (known && !known.heard) return;
    if (lost === 'worker' || lost === 'host')
      this.#add(peer, { end: { kind: 'gone', message: 'so said whoever gave the reference', lost }, heard: true });
    else this.#known.delete(peer);
  }

  /** There is a session with it. */
  back(peer: RuntimeId): void {
    this.#known.delete(peer);
  }

  /** What was lost with it, to be said with a reference. GO1 */
  lost(peer: RuntimeId): 'worker' | 'host' | undefined {
    const known = this.#known.get(peer);
    return known && (known.end.lost ?? 'host');
  }

  /** Why nothing is to be sent to it. GO2 */
  refusal(peer: RuntimeId): SessionEnd | undefined {
    const known = this.#known.get(peer);
    return known?.heard ? known.end : undefined;
  }

  /** Why it is not to be asked. GO3 */
  offline(peer: RuntimeId): SessionEnd | undefined {
    const known = this.#known.get(peer);
    return known && !known.heard ? known.end : undefined;
  }

  #add(peer: RuntimeId, known: Known): void {
    this.#known.delete(peer);
    this.#known.set(peer, known);
    if (this.#known.size > KEPT) dropFirst(this.#known);
  }
}
