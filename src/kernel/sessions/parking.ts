// Parking closes a link over which nothing has been said for a while; the next word of either side opens another.
//
//   PK1. A link is closed only when both sides have nothing under way: nothing unacknowledged, no question open.
//   PK2. A link is closed only between two that can both be dialled, because each must be able to begin again.
//   PK3. Nothing is lost by it: a frame that is sent while the link closes is sent again on the next one, as after any cut.
import type { RuntimeId } from '../../base/index.ts';
import { KIND } from '../../wire/index.ts';
import type { HubEvents } from './hub-options.ts';
import type { Session } from './session.ts';

/** The bytes of a pulse that ask whether the link may be closed, and that agree to it. */
const PARK = { ask: 4, agree: 8 } as const;

/** The parts of a hub that parking needs: whether both sides can be dialled, and whether anything is under way. */
interface Parked {
  readonly addresses: readonly string[];
  readonly dialer: { canDial(peer: RuntimeId): boolean };
  readonly options: { readonly events: Pick<HubEvents, 'quiet'> };
}

/** Decides which idle links are closed. */
export class Parking {
  readonly #idle = new Map<RuntimeId, number>();
  readonly #hub: Parked;

  constructor(hub: Parked) {
    this.#hub = hub;
  }

  /** Sets whether the link to a peer is kept when it is idle. */
  keepOpen(peer: RuntimeId, keep: boolean): void {
    if (keep) this.#idle.delete(peer);
    else if (!this.#idle.has(peer)) this.#idle.set(peer, -1);
  }

  /** Gives the pulse; asks the other side to part, if nothing has happened since the last one. */
  pulse(session: Session): void {
    session.pulse();
    const before = this.#idle.get(session.peer);
    if (before === undefined) return;
    const now = session.received + session.acked;
    this.#idle.set(session.peer, now);
    if (before === now && this.#quiet(session)) session.control(KIND.PULSE, Uint8Array.of(PARK.ask));
  }

  /** Takes the byte of a pulse: a question, or an agreement. */
  heard(session: Session, flag: number | undefined): void {
    if (flag === PARK.ask && this.#quiet(session)) {
      session.control(KIND.PULSE, Uint8Array.of(PARK.agree));
      session.parking = true; // until one of the two says something: PK3
    } else if (flag === PARK.agree && this.#quiet(session)) session.park();
  }

  /** Whether it was agreed that the other side closes the link, as it has. */
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
