// A session is what two runtimes have between them over time, across links: order, acknowledgement, resend.
//
// Owns the frames that are unacknowledged and the link of the moment. Does not own dialling (dialer.ts), the peers that are known
// (hub.ts), or the meaning of frames (runtime.ts).
//
//   SE1. Ordered frames are numbered by counting. Each is handed up once, in order, whatever the links do.
//   SE2. A frame is kept until the other side says that it has taken it.
//   SE3. A session ends once; after that nothing is sent or handed up, and every range is released.
//   SE4. Control frames (pulse, acknowledgement, bye) pass before queued ordered ones and are never resent.
import { codeOf, Fifo, type RuntimeId } from '../../base/index.ts';
import type { Link } from '../../transport/index.ts';
import { ByteWriter, KIND, type Landing, LENGTH_BYTES } from '../../wire/index.ts';
import { bytesOf, type Range } from '../post/range.ts';
import { type FramePlaces, PartReceiver, PartSender, payloadStart, type Whole } from './transfer.ts';

/** How a session came to its end. */
export interface SessionEnd {
  /** closed: the other side, or this one, said goodbye. silent: the limit passed. gone: there is proof that the runtime is no more. */
  readonly kind: 'closed' | 'silent' | 'gone';
  readonly message: string;
  /** The code of the error of every wait on the peer; ERR_SESSION_LOST unless more is known. */
  readonly code?: 'ERR_REFERENCE_STALE' | 'ERR_REFERENCE_UNREACHABLE' | 'ERR_PEERS_IGNORED';
  /** The kind of process that was lost, where it is known better than by the peer's role. */
  readonly lost?: 'worker' | 'host';
  /** Its tasks that were ended on purpose: all, or one by its number. */
  readonly terminated?: 'all' | number;
  /** Says that only the session is over, and that the runtime may live on. */
  readonly lives?: true;
}

/** The life of a session. */
export type SessionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open'; readonly link: Link }
  | { readonly kind: 'cut'; readonly since: number }
  /** Without a link by agreement, until there is something to say. */
  | { readonly kind: 'parked' }
  | { readonly kind: 'ended'; readonly end: SessionEnd };

/** The things that a session hands up. */
export interface SessionHandler {
  frame(session: Session, kind: number, target: number, buffer: Buffer, start: number, end: number, owned: boolean): void;
  /** Knows where the bytes of whole frames belong. */
  readonly places: FramePlaces;
  /** Hears that there is room again after `pending` was above the limit. */
  room(session: Session): void;
}

interface Queued {
  readonly head: Buffer | undefined;
  readonly range: Range;
}

/** Bytes queued or unacknowledged above which a sender should wait. */
export const ROOM_BYTES = 8 << 20;
const ACK_BYTES = 512 << 10;
const ACK_FRAMES = 256;
/** Errors by which this system gives a connection up on its own: the other side knows nothing of it. */
const BY_NETWORK = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENETRESET']);

/** One peer over time. */
export class Session {
  readonly peer: RuntimeId;
  state: SessionState = { kind: 'connecting' };
  /** Our half of this session's name, and theirs once it is known. */
  readonly token: string;
  theirs: string | undefined;
  /** Whether this side dialled first; it redials first. */
  dialled = false;
  lastHeard: number;
  /** Whether the other side may close the link, as long as nothing is said. */
  parking = false;
  /** Whether its links have been ones that do not leave this machine. */
  near = false;
  /** Whether the other side closed its link after a silence. It lived then, so it is no longer held as one whose connection is open and silent. */
  left = false;
  /** The number of received frames that we last told the other side. */
  announced = 0;
  /** How many sessions before this one the other side had seen end. */
  theirBefore = 0;
  stalled = false;
  readonly #watchers = new Set<() => void>();
  readonly #handler: SessionHandler;
  readonly #queue = new Fifo<Queued>();
  #written = 0;
  #acked = 0;
  #received = 0;
  #receivedBytes = 0;
  #ackedToPeer = 0;
  #pending = 0;
  #blocked = false;
  #wasFull = false;
  #landing = 0;
  readonly #parts: PartSender;
  readonly #arriving = new PartReceiver();

  constructor(peer: RuntimeId, token: string, now: number, handler: SessionHandler) {
    this.peer = peer;
    this.token = token;
    this.lastHeard = now;
    this.#handler = handler;
    this.#parts = new PartSender((head, range) => this.#enqueue({ head, range }));
  }

  /** Calls back each time it gets a link, and when it ends; returns what takes that back. */
  onChange(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** It has got a link, or has ended: tells those who watch. */
  changed(): void {
    for (const tell of [...this.#watchers]) tell();
  }

  /** Ordered frames handed up so far. */
  get received(): number {
    return this.#received;
  }

  /** Frames of ours that the other side has acknowledged, as whole ranges. */
  get acked(): number {
    return this.#acked;
  }

  /** Bytes that wait to be sent or acknowledged. */
  get pending(): number {
    return this.#pending;
  }

  get hasRoom(): boolean {
    return this.#pending < ROOM_BYTES;
  }

  get ended(): boolean {
    return this.state.kind === 'ended';
  }

  /** Whether it is this link that the session goes on by. */
  serves(link: Link): boolean {
    return this.state.kind === 'open' && this.state.link === link;
  }

  /** Sends whole frames, in order after all that was pushed before. */
  push(range: Range, large: boolean): void {
    this.parking = false;
    if (this.state.kind === 'ended') return range.release?.(); // SE3
    this.#pending += bytesOf(range, large ? payloadStart(range) : range.start);
    if (this.#pending >= ROOM_BYTES) this.#wasFull = true;
    if (large) {
      this.#parts.begin(range);
      this.#pump();
    } else if (this.#parts.active) {
      for (const part of this.#parts.divert(range)) this.#enqueue({ head: undefined, range: part });
    } else this.#enqueue({ head: undefined, range });
  }

  /** Goes on over a new link, on which the other side says that it has taken `theirReceived` ordered frames. */
  resume(link: Link, theirReceived: number): boolean {
    if (this.state.kind === 'ended') return false;
    if (!this.#acknowledge(theirReceived)) return false;
    this.#arriving.moved();
    this.state = { kind: 'open', link };
    this.left = false;
    this.#blocked = false;
    this.#ackedToPeer = this.#received;
    this.#receivedBytes = 0;
    this.#written = 0;
    this.#writeQueued(theirReceived - this.#acked);
    this.#pump();
    return true;
  }

  /** Takes a sign of life that another thread of the peer gives for it. */
  heard(now: number, stalled: boolean): void {
    this.lastHeard = now;
    this.stalled = stalled;
  }

  cut(now: number): void {
    if (this.state.kind === 'open') this.state = { kind: 'cut', since: now };
  }

  /** Notes that the link of a silent peer was closed. If the peer did it, it has the whole limit, as of now, to dial again. */
  closedInSilence(now: number, error: Error | undefined): void {
    if (BY_NETWORK.has(codeOf(error))) return;
    this.left = true;
    this.lastHeard = now;
  }

  /** Closes the link; the session goes on without. */
  park(): boolean {
    if (this.state.kind !== 'open') return false;
    const { link } = this.state;
    this.state = { kind: 'parked' };
    link.end();
    return true;
  }

  /** Ends parking, because there is something to say again: the side that says it dials. Returns whether the session was parked. */
  unpark(now: number): boolean {
    if (this.state.kind !== 'parked') return false;
    this.state = { kind: 'cut', since: now };
    this.lastHeard = now;
    this.dialled = true;
    return true;
  }

  /** Ends the session; returns false if it had ended before. SE3 */
  end(end: SessionEnd): boolean {
    if (this.state.kind === 'ended') return false;
    const link = this.state.kind === 'open' ? this.state.link : undefined;
    this.state = { kind: 'ended', end };
    this.changed();
    for (const { range } of this.#queue) range.release?.();
    this.#queue.clear();
    this.#pending = 0;
    if (end.kind === 'closed') link?.end();
    else link?.destroy();
    return true;
  }

  /** Sends a control frame at once. SE4 */
  control(kind: number, payload?: Uint8Array): void {
    if (this.state.kind !== 'open') return;
    this.state.link.write(controlFrame(kind, payload));
  }

  pulse(): void {
    this.control(KIND.PULSE);
    if (this.#ackedToPeer !== this.#received) this.#sendAck();
  }

  drained(): void {
    this.#blocked = false;
    this.#writeQueued(0);
    this.#pump();
  }

  /** Takes a frame that arrived on the link of the moment. */
  take(kind: number, target: number, buffer: Buffer, start: number, end: number): void {
    this.#count(end - start);
    if (kind === KIND.PART) this.#whole(this.#arriving.take(target, buffer, start, end));
    else this.#handler.frame(this, kind, target, buffer, start, end, false);
  }

  /** Gives the place of a long frame that arrives on the link of the moment. */
  land(kind: number, target: number, buffer: Buffer, start: number, end: number, missing: number): Landing | undefined {
    this.#landing = end - start + missing;
    if (kind === KIND.PART) return this.#arriving.land(target, buffer, start, end, missing);
    const into = kind < KIND.FIRST_ORDERED ? undefined : this.#handler.places.land?.(this.peer, kind, target, this.#landing);
    return into && { from: start, into };
  }

  /** Hears that that frame is whole. */
  landed(kind: number, target: number): void {
    this.#count(this.#landing);
    if (kind === KIND.PART) this.#whole(this.#arriving.landed());
    else this.#handler.places.landed?.(this.peer, kind, target);
  }

  #count(bytes: number): void {
    this.parking = false;
    this.#received++; // SE1
    this.#receivedBytes += bytes + 8;
    if (this.#receivedBytes >= ACK_BYTES || this.#received - this.#ackedToPeer >= ACK_FRAMES) this.#sendAck();
  }

  #whole(message: Whole | undefined): void {
    if (message) this.#handler.frame(this, message.kind, message.target, message.buffer, 0, message.buffer.length, true);
  }

  /** Hears that the other side has taken so many ordered frames. Returns false if that cannot be. */
  acknowledged(received: number): boolean {
    if (!this.#acknowledge(received)) return false;
    this.#pump();
    return true;
  }

  #acknowledge(received: number): boolean {
    let acked = this.#acked;
    if (received < acked) return false;
    let total = acked;
    while (this.#queue.size > 0) {
      const { range } = this.#queue.peek() as Queued;
      if (acked + range.frames > received) {
        total = received;
        break;
      }
      acked += range.frames;
      total = acked;
      this.#queue.shift();
      if (this.#written > 0) this.#written--;
      this.#pending -= range.end - range.start;
      range.release?.(); // SE2
    }
    this.#acked = acked;
    if (total < received) return false;
    if (this.#wasFull && this.#pending < ROOM_BYTES / 2) {
      this.#wasFull = false;
      this.#handler.room(this);
    }
    return true;
  }

  #sendAck(): void {
    this.#ackedToPeer = this.#received;
    this.#receivedBytes = 0;
    const writer = new ByteWriter(Buffer.allocUnsafe(16));
    writer.varint(this.#received);
    this.control(KIND.ACK, writer.buffer.subarray(0, writer.position));
  }

  #enqueue(item: Queued): void {
    this.#queue.push(item);
    if (this.state.kind === 'open' && !this.#blocked) this.#writeQueued(0);
  }

  // Writes what is not yet written on this link; of the first range, skips frames the other side has already.
  #writeQueued(skip: number): void {
    while (this.state.kind === 'open' && !this.#blocked && this.#written < this.#queue.size) {
      const { head, range } = this.#queue.peek(this.#written++) as Queued;
      const { link } = this.state;
      let start = range.start;
      for (; skip > 0; skip--) start += LENGTH_BYTES + range.buffer.readUInt32BE(start);
      const bytes = range.buffer.subarray(start, range.end);
      if (!(head ? link.writeBoth(head, bytes) : link.write(bytes))) this.#blocked = true;
    }
  }

  #pump(): void {
    if (!this.#parts.active || this.state.kind !== 'open') return;
    for (;;) {
      const freed = this.#parts.pump(() => !this.#blocked);
      if (freed.length === 0) return;
      for (const { range, large } of freed) {
        if (large) this.#parts.begin(range);
        else for (const part of this.#parts.divert(range)) this.#enqueue({ head: undefined, range: part });
      }
    }
  }
}

/** The bytes of a control frame. */
export function controlFrame(kind: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + 2 + payload.length);
  frame.writeUInt32BE(2 + payload.length, 0);
  frame[LENGTH_BYTES] = kind;
  frame[LENGTH_BYTES + 1] = 0;
  frame.set(payload, LENGTH_BYTES + 2);
  return frame;
}
