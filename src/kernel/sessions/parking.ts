// Sessions without a link: closed when nothing has been said for a while, opened again by the next word.
//
//   PK1. A link is closed only when both sides have nothing under way: nothing unacknowledged, no question open.
//   PK2. Only between two that can both be dialled: each must be able to begin again.
//   PK3. Nothing is lost by it: what is said while a link closes is sent again on the next, as after any cut.
import type { RuntimeId } from '../../base/index.ts';
import { KIND } from '../../wire/index.ts';
import type { Hub } from './hub.ts';
import type { Session } from './session.ts';

/** In a pulse: asks whether the link may be closed; agrees to it. */
const PARK = { ask: 4, agree: 8 } as const;

/** Decides whose idle links are closed. */
export class Parking {
  readonly #idle = new Map<RuntimeId, number>();
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** Whether the link to a peer is kept when it is idle. */
  keepOpen(peer: RuntimeId, keep: boolean): void {
    if (keep) this.#idle.delete(peer);
    else if (!this.#idle.has(peer)) this.#idle.set(peer, -1);
  }

  /** Gives the pulse; asks the other side, if nothing has happened since the last. */
  pulse(session: Session): void {
    session.pulse();
    const before = this.#idle.get(session.peer);
    if (before === undefined) return;
    const now = session.received + session.acked;
    this.#idle.set(session.peer, now);
    if (before === now && this.#quiet(session)) session.control(KIND.PULSE, Uint8Array.of(PARK.ask));
  }

  /** What a pulse says beside being one. */
  heard(session: Session, flag: number | undefined): void {
    if (flag === PARK.ask && this.#quiet(session)) {
      session.control(KIND.PULSE, Uint8Array.of(PARK.agree));
      session.parking = true; // until one of the two says something: PK3
    } else if (flag === PARK.agree && this.#quiet(session)) session.park();
  }

  /** The other side has closed a link: whether that was agreed. */
  agreed(session: Session): boolean {
    return session.parking && this.#quiet(session) && session.park();
  }

  forget(peer: RuntimeId): void {
    this.#idle.delete(peer);
  }

  #quiet(session: Session): boolean {
    const { addresses, dialer, options } = this.#hub;
    if (addresses.length === 0 || !dialer.canDial(session.peer)) return false; // PK2
    return session.pending === 0 && (options.events.quiet?.(session.peer) ?? false); // PK1
  }
}
