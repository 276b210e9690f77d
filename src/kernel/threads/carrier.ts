// What the value side of a runtime needs from its byte side, be that on the same thread or on another.
import type { RuntimeId } from '../../base/index.ts';
import type { Range } from '../post/range.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import type { SessionEnd } from '../sessions/session.ts';
import type { FramePlaces } from '../sessions/transfer.ts';

/** Carries encoded frames to peers. */
export interface Carrier {
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Where it is, if not at the first of its addresses. */
  readonly location?: string | undefined;
  /** Whether deliveries are acknowledged by the byte side, so that busy user code cannot hold them up. */
  readonly acknowledges: boolean;
  post(peer: RuntimeId, range: Range, large: boolean): void;
  hasRoom(peer: RuntimeId): boolean;
  reach(peer: RuntimeId, addresses: readonly string[], via?: RuntimeId): void;
  /** Tries to have a session with a peer again, unless there is one. */
  dial(peer: RuntimeId): void;
  /** Ends the session with a peer, for a reason that whoever calls knows. */
  end(peer: RuntimeId, end: SessionEnd): void;
  /** A mailbox takes messages from now on, or no longer. */
  mailbox(target: number, open: boolean): void;
}

/** What the byte side tells the value side. */
export interface Carried extends FramePlaces {
  frame(peer: RuntimeId, kind: number, target: number, buffer: Buffer, start: number, end: number, owned: boolean): void;
  opened(peer: PeerInfo): void;
  /** Silent past the limit, but held. */
  offline(peer: RuntimeId): void;
  online(peer: RuntimeId): void;
  ended(peer: RuntimeId, end: SessionEnd): void;
  room(peer: RuntimeId): void;
}
