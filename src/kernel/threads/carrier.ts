// The contract between the value side of a runtime and its byte side, be that on the same thread or on another.
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
  /** The location of the runtime, if it is not the first of its addresses. */
  readonly location?: string | undefined;
  /** Whether deliveries are acknowledged by the byte side, so that busy user code cannot hold them up. */
  readonly acknowledges: boolean;
  post(peer: RuntimeId, range: Range, large: boolean): void;
  hasRoom(peer: RuntimeId): boolean;
  reach(peer: RuntimeId, addresses: readonly string[], via?: RuntimeId): void;
  /** Tries to have a session with a peer again, unless there is one. */
  dial(peer: RuntimeId): void;
  /** Ends the session with a peer, for a reason that the caller knows. */
  end(peer: RuntimeId, end: SessionEnd): void;
  /** Says that a mailbox takes messages from now on, or no longer. */
  mailbox(target: number, open: boolean): void;
}

/** The value side, as far as the byte side tells it of frames and peers. */
export interface Carried extends FramePlaces {
  frame(peer: RuntimeId, kind: number, target: number, buffer: Buffer, start: number, end: number, owned: boolean): void;
  opened(peer: PeerInfo): void;
  /** A peer is silent past the limit, but held. */
  offline(peer: RuntimeId): void;
  online(peer: RuntimeId): void;
  ended(peer: RuntimeId, end: SessionEnd): void;
  room(peer: RuntimeId): void;
}
