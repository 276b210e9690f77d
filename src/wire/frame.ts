// Bytes to frames: u32 length | u8 kind | varint target | payload. Decodes in any chunking.
import { FlotillaError } from '../base/index.ts';
import { LIMITS } from './limits.ts';

/** The kinds of frames. Those below FIRST_ORDERED are control frames: they are not numbered and never resent. */
export const KIND = {
  PULSE: 1,
  ACK: 2,
  BYE: 3,
  OPEN: 4,
  FIRST_ORDERED: 16,
  MESSAGE: 16,
  DELIVER: 17,
  REQUEST: 18,
  ANSWER: 19,
  PART: 20,
  CREDIT: 21,
  CLOSE: 22,
  RELAY: 24,
  FAN_OUT: 25,
  FILE: 26,
} as const;

/** A frame found in a buffer: the payload lies from `start` to `end`. */
export type FrameHandler = (kind: number, target: number, buffer: Buffer, start: number, end: number) => void;

/** The bytes of a frame's length. */
export const LENGTH_BYTES = 4;

/** The number that a varint at `position` stands for, and where it ends. */
export function readVarint(buffer: Buffer, position: number, end: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let i = position; i < end && scale <= 2 ** 49; i++) {
    const byte = buffer[i] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: i + 1 };
    scale *= 0x80;
  }
  throw new FlotillaError('ERR_WIRE_MALFORMED', 'The bytes received are malformed: a frame has no target.');
}

/** Calls back for each whole frame in the buffer; returns where the first incomplete one begins. */
export function eachFrame(buffer: Buffer, start: number, end: number, handle: FrameHandler): number {
  let position = start;
  while (end - position >= LENGTH_BYTES) {
    const length = lengthAt(buffer, position);
    const next = position + LENGTH_BYTES + length;
    if (next > end) break;
    const kind = buffer[position + LENGTH_BYTES] as number;
    let at = position + LENGTH_BYTES + 1;
    let target = buffer[at] as number;
    if (target < 0x80) at++;
    else {
      const read = readVarint(buffer, at, next);
      target = read.value;
      at = read.next;
    }
    handle(kind, target, buffer, at, next);
    position = next;
  }
  return position;
}

/** The place of the rest of a frame: its payload from `from` on, both what has arrived and what is to come. */
export interface Landing {
  readonly from: number;
  readonly into: Buffer;
}

/** Knows where the bytes of long frames belong, so that nobody has to copy them there. */
export interface Lander {
  /** Gives the place of a payload that begins at `start`, has arrived up to `end`, and misses `missing` bytes; undefined if none is known. */
  land(kind: number, target: number, buffer: Buffer, start: number, end: number, missing: number): Landing | undefined;
  /** Hears that the place that was given last is full, so that its frame is whole. */
  landed(kind: number, target: number): void;
}

/** How much of a frame is awaited before a lander is asked for its place: more than any head has. */
const HEAD_BYTES = 64;
/** The least missing bytes that are worth a read of their own. */
const LEAST_PLACE = 8 << 10;

type Arriving =
  | { readonly kind: 'nothing' }
  /** Its first bytes, fewer than HEAD_BYTES. */
  | { readonly kind: 'head'; readonly bytes: Buffer; filled: number }
  /** Bytes that are kept here until the frame is whole. */
  | { readonly kind: 'kept'; readonly bytes: Buffer; filled: number }
  /** Bytes that lie where they belong. */
  | { readonly kind: 'landing'; readonly frame: number; readonly target: number; readonly bytes: Buffer; filled: number };

const NOTHING: Arriving = { kind: 'nothing' };

/** Finds frames in a stream of bytes. It keeps a frame that is incomplete, or puts it where a lander says. */
export class FrameSplitter {
  readonly #handle: FrameHandler;
  readonly #lander: Lander | undefined;
  #arriving: Arriving = NOTHING;

  constructor(handle: FrameHandler, lander?: Lander) {
    this.#handle = handle;
    this.#lander = lander;
  }

  /** Hands over the frames that this chunk completes. They lie in the chunk or in a buffer of the splitter's, and are valid during the call. */
  push(chunk: Buffer): void {
    let at = 0;
    while (this.#arriving.kind !== 'nothing' && at < chunk.length) at += this.#more(this.#arriving, chunk, at);
    if (at === chunk.length) return;
    at = eachFrame(chunk, at, chunk.length, this.#handle);
    if (at < chunk.length) this.#begin(chunk, at, chunk.length);
  }

  /** Gives the place where the bytes that come next belong, if they are many. Whoever writes there tells `placed`. */
  place(): Buffer | undefined {
    const arriving = this.#arriving;
    if (arriving.kind !== 'kept' && arriving.kind !== 'landing') return undefined;
    return arriving.bytes.length - arriving.filled < LEAST_PLACE ? undefined : arriving.bytes.subarray(arriving.filled);
  }

  /** Hears that so many bytes now lie at the place that was given last. */
  placed(bytes: number): void {
    const arriving = this.#arriving;
    if (arriving.kind === 'nothing') return;
    arriving.filled += bytes;
    if (arriving.filled === arriving.bytes.length) this.#whole(arriving);
  }

  // Takes the bytes that belong to the frame that is arriving; returns how many those were.
  #more(arriving: Exclude<Arriving, { kind: 'nothing' }>, chunk: Buffer, at: number): number {
    const { bytes, filled } = arriving;
    const most = arriving.kind === 'head' && filled < LENGTH_BYTES ? LENGTH_BYTES : bytes.length;
    const taken = chunk.copy(bytes, filled, at, at + most - filled);
    arriving.filled += taken;
    if (arriving.filled < most) return taken;
    if (arriving.kind !== 'head') this.#whole(arriving);
    else if (filled < LENGTH_BYTES) {
      const total = LENGTH_BYTES + lengthAt(bytes, 0);
      this.#arriving = { kind: 'head', bytes: bytes.subarray(0, Math.min(HEAD_BYTES, total)), filled: LENGTH_BYTES };
    } else if (eachFrame(bytes, 0, filled + taken, this.#handle) > 0) this.#arriving = NOTHING;
    else this.#open(bytes, 0, bytes.length);
    return taken;
  }

  #whole(arriving: Arriving): void {
    this.#arriving = NOTHING;
    if (arriving.kind === 'kept') eachFrame(arriving.bytes, 0, arriving.bytes.length, this.#handle);
    else if (arriving.kind === 'landing') this.#lander?.landed(arriving.frame, arriving.target);
  }

  // The bytes from `from` on begin a frame that is not whole.
  #begin(chunk: Buffer, from: number, end: number): void {
    if (end - from >= HEAD_BYTES) return this.#open(chunk, from, end);
    this.#arriving = { kind: 'head', bytes: Buffer.allocUnsafe(HEAD_BYTES), filled: 0 };
    for (let at = from; at < end; ) at += this.#more(this.#arriving, chunk, at);
  }

  // Decides where the bytes of a frame go, once its head is here.
  #open(chunk: Buffer, from: number, end: number): void {
    const total = LENGTH_BYTES + lengthAt(chunk, from);
    const missing = total - (end - from);
    if (missing >= LEAST_PLACE && this.#lander) {
      const frame = chunk[from + LENGTH_BYTES] as number;
      const target = readVarint(chunk, from + LENGTH_BYTES + 1, end);
      const landing = this.#lander.land(frame, target.value, chunk, target.next, end, missing);
      if (landing) {
        const { into } = landing;
        const filled = chunk.copy(into, 0, landing.from, end);
        this.#arriving = { kind: 'landing', frame, target: target.value, bytes: into, filled };
        return;
      }
    }
    const bytes = Buffer.allocUnsafe(total);
    this.#arriving = { kind: 'kept', bytes, filled: chunk.copy(bytes, 0, from, end) };
  }
}

function lengthAt(buffer: Buffer, at: number): number {
  const length = buffer.readUInt32BE(at);
  if (length < 2 || length > LIMITS.frame + 16) {
    throw new FlotillaError('ERR_WIRE_LIMIT', `A frame of ${length} bytes was announced; from 2 to ${LIMITS.frame} are accepted.`);
  }
  return length;
}
