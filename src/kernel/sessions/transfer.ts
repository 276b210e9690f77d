// Large messages, in parts: they interleave with everything else and hold back only later messages to their own target.
//
// Owns messages being sent in parts and those being put together. Does not own the session's queue.
//
//   TR1. While a message to a target is being sent in parts, later messages to that target wait behind it.
//   TR2. At most WINDOW bytes of parts are sent and not yet acknowledged.
//   TR3. The messages being put together are bounded: each by the limit of a message, and all by their number.
//   TR4. Memory for bytes that are announced and have not arrived is at most AHEAD in all, and one part more for each message.
//   TR5. A link that no longer serves the session writes to no memory that is handed up.
import { Fifo, FlotillaError, type RuntimeId } from '../../base/index.ts';
import { ByteWriter, eachFrame, KIND, type Landing, LENGTH_BYTES, LIMITS, readVarint } from '../../wire/index.ts';
import { bytesOf, piecesOf, type Range } from '../post/range.ts';

const WINDOW = 4 << 20;
const MOST_ARRIVING = 1024;
const AHEAD = 64 << 20;
const HEAD_BYTES = 64;

interface Sending {
  readonly id: number;
  readonly kind: number;
  readonly target: number;
  readonly range: Range;
  readonly total: number;
  /** The pieces that are left to send, and how much of the first one has been sent. */
  readonly pieces: Buffer[];
  offset: number;
  begun: boolean;
  readonly behind: Fifo<{ range: Range; large: boolean }>;
}

/** The sending half. */
export class PartSender {
  readonly #byTarget = new Map<number, Sending>();
  readonly #turns = new Fifo<Sending>();
  readonly #emit: (head: Buffer, range: Range) => void;
  #nextId = 1;
  #unacked = 0;

  constructor(emit: (head: Buffer, range: Range) => void) {
    this.#emit = emit;
  }

  get active(): boolean {
    return this.#byTarget.size > 0;
  }

  /** Begins to send a range of one large frame; waits behind its target's earlier ones. */
  begin(range: Range): void {
    eachLargeFrame(range, (kind, target, payload) => {
      const before = this.#byTarget.get(target);
      if (before) return before.behind.push({ range, large: true }); // TR1
      const sending: Sending = {
        id: this.#nextId++,
        kind,
        target,
        range,
        total: bytesOf(range, payload),
        pieces: piecesOf(range, payload),
        offset: 0,
        begun: false,
        behind: new Fifo(),
      };
      this.#byTarget.set(target, sending);
      this.#turns.push(sending);
    });
  }

  /** Takes the frames of a range that must wait behind a large one; returns the others, as ranges. TR1 */
  divert(range: Range): Range[] {
    const through: Range[] = [];
    let runStart = range.start;
    let runFrames = 0;
    let position = range.start;
    const closeRun = (end: number): void => {
      if (runFrames > 0) through.push({ buffer: range.buffer, start: runStart, end, frames: runFrames, release: undefined });
      runFrames = 0;
    };
    eachFrame(range.buffer, range.start, range.end, (_kind, target, buffer, _payload, end) => {
      const sending = this.#byTarget.get(target);
      if (sending) {
        closeRun(position);
        sending.behind.push({ range: { buffer, start: position, end, frames: 1, release: undefined }, large: false });
        runStart = end;
      } else runFrames++;
      position = end;
    });
    closeRun(range.end);
    return through;
  }

  /** Sends parts while the window and `mayWrite` allow. Returns ranges that may now follow a finished message. */
  pump(mayWrite: () => boolean): { range: Range; large: boolean }[] {
    const freed: { range: Range; large: boolean }[] = [];
    while (this.#turns.size > 0 && this.#unacked < WINDOW && mayWrite()) {
      // TR2
      const sending = this.#turns.shift() as Sending;
      if (this.#part(sending)) this.#turns.push(sending);
      else {
        this.#byTarget.delete(sending.target);
        for (const item of sending.behind) freed.push(item);
        if (freed.length > 0) return freed;
      }
    }
    return freed;
  }

  acknowledged(bytes: number): void {
    this.#unacked -= bytes;
  }

  // Sends one part; false when it was the last.
  #part(sending: Sending): boolean {
    const { range, pieces } = sending;
    const buffer = pieces[0] as Buffer;
    const start = sending.offset;
    const end = Math.min(buffer.length, start + LIMITS.part);
    const first = !sending.begun;
    sending.begun = true;
    sending.offset = end < buffer.length ? end : 0;
    if (end === buffer.length) pieces.shift();
    const last = pieces.length === 0;
    const head = new ByteWriter(Buffer.allocUnsafe(HEAD_BYTES));
    head.beginFrame();
    head.position = LENGTH_BYTES;
    head.byte(KIND.PART);
    head.varint(sending.target);
    head.varint(sending.id);
    head.byte((first ? 1 : 0) | (last ? 2 : 0));
    if (first) {
      head.byte(sending.kind);
      head.varint(sending.total);
    }
    head.buffer.writeUInt32BE(head.position - LENGTH_BYTES + end - start, 0);
    this.#unacked += end - start;
    const release = (): void => {
      this.acknowledged(end - start);
      if (last) range.release?.();
    };
    this.#emit(head.buffer.subarray(0, head.position), { buffer, start, end, frames: 1, release });
    return !last;
  }
}

/** A message that is being put together. */
interface Arriving {
  readonly id: number;
  readonly kind: number;
  readonly target: number;
  readonly total: number;
  buffer: Buffer;
  filled: number;
}

/** A part that is here or on its way to its place: `bytes` bytes of its message, the first of which is at `at`. */
interface Part {
  readonly message: Arriving;
  readonly at: number;
  readonly bytes: number;
  readonly first: boolean;
  readonly last: boolean;
}

/** Knows where the bytes of whole frames belong. */
export interface FramePlaces {
  /** Gives the place for so many bytes of an arriving frame; undefined if it is to be handed up when it is whole. */
  land?(peer: RuntimeId, kind: number, target: number, bytes: number): Buffer | undefined;
  /** Hears that those bytes are in their place. */
  landed?(peer: RuntimeId, kind: number, target: number): void;
}

/** A message that is whole. */
export type Whole = Pick<Arriving, 'kind' | 'target' | 'buffer'>;

/** The receiving half. */
export class PartReceiver {
  readonly #arriving = new Map<number, Arriving>();
  #landing: Part | undefined;
  #ahead = 0;

  /** Takes a part; returns the message when it is whole. Throws ERR_WIRE_MALFORMED or ERR_WIRE_LIMIT. */
  take(target: number, buffer: Buffer, start: number, end: number): Whole | undefined {
    const part = this.#part(target, buffer, start, end, end);
    buffer.copy(part.message.buffer, part.message.filled, part.at, end);
    return this.#taken(part);
  }

  /** Gives the place of a part of which `missing` bytes will come after `end`. Throws as `take` does. */
  land(target: number, buffer: Buffer, start: number, end: number, missing: number): Landing {
    const part = this.#part(target, buffer, start, end, end + missing);
    const { message, at, bytes } = part;
    this.#landing = part;
    return { from: at, into: message.buffer.subarray(message.filled, message.filled + bytes) };
  }

  /** Hears that the part for which `land` was asked last is whole; returns the message if that is whole, too. */
  landed(): Whole | undefined {
    const part = this.#landing;
    if (!part) throw malformed();
    this.#landing = undefined;
    return this.#taken(part);
  }

  /** Hears that another link serves from now on, which begins again with the part that the last one left. TR5 */
  moved(): void {
    const part = this.#landing;
    this.#landing = undefined;
    if (part && !part.first) part.message.buffer = grown(part.message, part.message.buffer.length);
  }

  #part(target: number, buffer: Buffer, start: number, end: number, whole: number): Part {
    const id = readVarint(buffer, start, end);
    const flags = buffer[id.next];
    let at = id.next + 1;
    if (flags === undefined || at > end) throw malformed();
    const first = (flags & 1) !== 0;
    let message = this.#arriving.get(id.value);
    if (first) {
      const kind = buffer[at] as number;
      const total = readVarint(buffer, at + 1, end);
      at = total.next;
      if (message || kind < KIND.FIRST_ORDERED || kind === KIND.PART) throw malformed();
      message = { id: id.value, kind, target, total: total.value, buffer: this.#announced(total.value, whole - at), filled: 0 };
    }
    const bytes = whole - at;
    if (!message || message.target !== target || message.filled + bytes > message.total) throw malformed();
    this.#need(message, message.filled + bytes);
    return { message, at, bytes, first, last: (flags & 2) !== 0 };
  }

  #taken({ message, bytes, first, last }: Part): Whole | undefined {
    message.filled += bytes;
    this.#ahead += first ? message.buffer.length - bytes : -bytes;
    if (first) this.#arriving.set(message.id, message);
    if (!last) return undefined;
    this.#arriving.delete(message.id);
    if (message.filled !== message.total) throw malformed();
    return message;
  }

  // TR3, TR4
  #announced(total: number, bytes: number): Buffer {
    if (total > LIMITS.message || this.#arriving.size >= MOST_ARRIVING)
      throw new FlotillaError('ERR_WIRE_LIMIT', `A message of ${total} bytes was announced; at most ${LIMITS.message} are accepted.`);
    return Buffer.allocUnsafeSlow(this.#ahead + total <= AHEAD ? total : Math.min(total, bytes));
  }

  #need(message: Arriving, bytes: number): void {
    const { length } = message.buffer;
    if (length >= bytes) return;
    message.buffer = grown(message, Math.min(message.total, Math.max(length * 2, bytes)));
    this.#ahead += message.buffer.length - length;
  }
}

function grown({ buffer, filled }: Arriving, length: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(length);
  buffer.copy(larger, 0, 0, filled);
  return larger;
}

function eachLargeFrame(range: Range, handle: (kind: number, target: number, payload: number) => void): void {
  const kind = range.buffer[range.start + LENGTH_BYTES] as number;
  const target = readVarint(range.buffer, range.start + LENGTH_BYTES + 1, range.end);
  handle(kind, target.value, target.next);
}

/** Finds where the payload of a large frame begins. */
export function payloadStart(range: Range): number {
  return readVarint(range.buffer, range.start + LENGTH_BYTES + 1, range.end).next;
}

function malformed(): FlotillaError {
  return new FlotillaError('ERR_WIRE_MALFORMED', 'The bytes received are malformed: a part belongs to no message.');
}
