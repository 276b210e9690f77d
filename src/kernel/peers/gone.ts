// Knows which runtimes are gone: their session ended here (seen), or a reference to them came with that word (heard).
//
// A word that was only heard may be wrong, or older than a new session. It saves a task from waiting while a runtime is dialled in vain;
// but any session, or a reference that says nothing of the kind, ends it.
//
//   GO1. A runtime that gives away a reference to a runtime that is gone says so with it.
//   GO2. A message to a runtime that was only heard to be gone is refused at once; a session with it, or a reference of a runtime that
//       knows better, ends that.
//   GO3. A runtime whose session was lost here is asked nothing: it is dialled instead, and can be asked once that has succeeded.
import { dropFirst, type RuntimeId } from '../../base/index.ts';
import type { SessionEnd } from '../sessions/session.ts';

const KEPT = 10_000;

interface Known {
  readonly end: SessionEnd;
  readonly heard: boolean;
}

/** The runtimes that one runtime holds to be gone. It remembers the latest, KEPT of them. */
export class Gone {
  readonly #known = new Map<RuntimeId, Known>();

  /** Notes that the session with a peer has ended. */
  seen(peer: RuntimeId, end: SessionEnd): void {
    if (!end.lives) this.#add(peer, { end, heard: false });
  }

  /** Notes that a reference to a runtime came, with or without the word that the runtime is gone. GO2 */
  heard(peer: RuntimeId, lost: 'worker' | 'host' | undefined): void {
    const known = this.#known.get(peer);
    if (known && !known.heard) return;
    if (lost === 'worker' || lost === 'host')
      this.#add(peer, { end: { kind: 'gone', message: 'so said whoever gave the reference', lost }, heard: true });
    else this.#known.delete(peer);
  }

  /** Notes that there is a session with a peer. */
  back(peer: RuntimeId): void {
    this.#known.delete(peer);
  }

  /** Gives what was lost with a runtime, to be said with a reference; undefined if it is not gone. GO1 */
  lost(peer: RuntimeId): 'worker' | 'host' | undefined {
    const known = this.#known.get(peer);
    return known && (known.end.lost ?? 'host');
  }

  /** Gives the reason why nothing is to be sent to a runtime, if there is one. GO2 */
  refusal(peer: RuntimeId): SessionEnd | undefined {
    const known = this.#known.get(peer);
    return known?.heard ? known.end : undefined;
  }

  /** Gives the reason why a runtime is not to be asked, if there is one. GO3 */
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
