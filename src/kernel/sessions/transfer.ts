// Large messages, in parts: they interleave with everything else and hold back only later messages to their own target.
//
// Owns messages being sent in parts and those being put together. Does not own the session's queue.
//
//   X1. While a message to a target is being sent in parts, later messages to that target wait behind it.
//   X2. At most WINDOW bytes of parts are sent and not yet acknowledged.
//   X3. What is put together is bounded: by the limit of a message each, and by their number.
import { Fifo, FlotillaError } from '../../base/index.ts';
import { ByteWriter, eachFrame, KIND, LENGTH_BYTES, LIMITS, readVarint } from '../../wire/index.ts';
import type { Range } from './range.ts';

const WINDOW = 4 << 20;
const MOST_ARRIVING = 1024;
const HEAD_BYTES = 64;

interface Sending {
  readonly id: number;
  readonly kind: number;
  readonly target: number;
  readonly range: Range;
  readonly payload: number;
  offset: number;
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
      if (before) return before.behind.push({ range, large: true }); // X1
      const sending: Sending = { id: this.#nextId++, kind, target, range, payload, offset: payload, behind: new Fifo() };
      this.#byTarget.set(target, sending);
      this.#turns.push(sending);
    });
  }

  /** Takes the frames of a range that must wait behind a large one; returns the others, as ranges. X1 */
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
    const { range } = sending;
    const start = sending.offset;
    const end = Math.min(range.end, start + LIMITS.part);
    sending.offset = end;
    const first = start === sending.payload;
    const last = end === range.end;
    const head = new ByteWriter(Buffer.allocUnsafe(HEAD_BYTES));
    head.beginFrame();
    head.position = LENGTH_BYTES;
    head.byte(KIND.PART);
    head.varint(sending.target);
    head.varint(sending.id);
    head.byte((first ? 1 : 0) | (last ? 2 : 0));
    if (first) {
      head.byte(sending.kind);
      head.varint(range.end - sending.payload);
    }
    head.buffer.writeUInt32BE(head.position - LENGTH_BYTES + end - start, 0);
    this.#unacked += end - start;
    const release = (): void => {
      this.acknowledged(end - start);
      if (last) range.release?.();
    };
    this.#emit(head.buffer.subarray(0, head.position), { buffer: range.buffer, start, end, frames: 1, release });
    return !last;
  }
}

interface Arriving {
  readonly kind: number;
  readonly target: number;
  readonly buffer: Buffer;
  filled: number;
}

/** The receiving half. */
export class PartReceiver {
  readonly #arriving = new Map<number, Arriving>();

  /** Takes a part; returns the message when it is whole. Throws ERR_WIRE_MALFORMED or ERR_WIRE_LIMIT. */
  take(target: number, buffer: Buffer, start: number, end: number): { kind: number; target: number; buffer: Buffer } | undefined {
    const id = readVarint(buffer, start, end);
    const flags = buffer[id.next];
    let position = id.next + 1;
    let message = this.#arriving.get(id.value);
    if (flags === undefined || position > end) throw malformed();
    if (flags & 1) {
      const kind = buffer[position] as number;
      const total = readVarint(buffer, position + 1, end);
      position = total.next;
      if (message || kind < KIND.FIRST_ORDERED || kind === KIND.PART) throw malformed();
      if (total.value > LIMITS.message || this.#arriving.size >= MOST_ARRIVING) {
        // X3
        throw new FlotillaError(
          'ERR_WIRE_LIMIT',
          `A message of ${total.value} bytes was announced; at most ${LIMITS.message} are accepted.`,
        );
      }
      message = { kind, target, buffer: Buffer.allocUnsafeSlow(total.value), filled: 0 };
      this.#arriving.set(id.value, message);
    }
    if (!message || message.target !== target || message.filled + end - position > message.buffer.length) throw malformed();
    buffer.copy(message.buffer, message.filled, position, end);
    message.filled += end - position;
    if (!(flags & 2)) return undefined;
    this.#arriving.delete(id.value);
    if (message.filled !== message.buffer.length) throw malformed();
    return message;
  }
}

function eachLargeFrame(range: Range, handle: (kind: number, target: number, payload: number) => void): void {
  const kind = range.buffer[range.start + LENGTH_BYTES] as number;
  const target = readVarint(range.buffer, range.start + LENGTH_BYTES + 1, range.end);
  handle(kind, target.value, target.next);
}

/** Where the payload of a large frame begins. */
export function payloadStart(range: Range): number {
  return readVarint(range.buffer, range.start + LENGTH_BYTES + 1, range.end).next;
}

function malformed(): FlotillaError {
  return new FlotillaError('ERR_WIRE_MALFORMED', 'The bytes received are malformed: a part belongs to no message.');
}
