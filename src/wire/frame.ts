// Bytes to frames: u32 length | u8 kind | varint target | payload. Decodes in any chunking.
import { FlotillaError } from '../base/index.ts';
import { LIMITS } from './limits.ts';

/** What a frame is. Frames below FIRST_ORDERED are control: they are not numbered and never resent. */
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
    const length = buffer.readUInt32BE(position);
    if (length < 2 || length > LIMITS.frame + 16) {
      throw new FlotillaError('ERR_WIRE_LIMIT', `A frame of ${length} bytes was announced; from 2 to ${LIMITS.frame} are accepted.`);
    }
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

/** Finds frames in a stream of chunks, keeping what is incomplete. */
export class FrameSplitter {
  #rest: Buffer | undefined;
  #filled = 0;

  /** The frames that this chunk completes. They lie in the chunk or in a buffer of the splitter's, valid during the call. */
  push(chunk: Buffer, handle: FrameHandler): void {
    let data = chunk;
    if (this.#rest) {
      const taken = this.#fill(chunk);
      const rest = this.#rest;
      if (this.#filled < LENGTH_BYTES || this.#filled < rest.length) return;
      this.#rest = undefined;
      this.#filled = 0;
      eachFrame(rest, 0, rest.length, handle);
      data = chunk.subarray(taken);
    }
    const done = eachFrame(data, 0, data.length, handle);
    if (done < data.length) this.#keep(data, done);
  }

  // Completes the kept frame from the chunk; returns how much of the chunk it took.
  #fill(chunk: Buffer): number {
    let rest = this.#rest as Buffer;
    let taken = 0;
    if (this.#filled < LENGTH_BYTES) {
      taken = Math.min(LENGTH_BYTES - this.#filled, chunk.length);
      chunk.copy(rest, this.#filled, 0, taken);
      this.#filled += taken;
      if (this.#filled < LENGTH_BYTES) return taken;
      rest = this.#sized(rest);
    }
    const more = Math.min(rest.length - this.#filled, chunk.length - taken);
    chunk.copy(rest, this.#filled, taken, taken + more);
    this.#filled += more;
    return taken + more;
  }

  #keep(data: Buffer, from: number): void {
    const length = data.length - from;
    const head = Buffer.allocUnsafe(Math.max(LENGTH_BYTES, 4));
    data.copy(head, 0, from, Math.min(from + LENGTH_BYTES, data.length));
    this.#rest = head;
    this.#filled = Math.min(length, LENGTH_BYTES);
    if (length < LENGTH_BYTES) return;
    const rest = this.#sized(head);
    data.copy(rest, LENGTH_BYTES, from + LENGTH_BYTES);
    this.#filled = length;
  }

  #sized(head: Buffer): Buffer {
    const length = head.readUInt32BE(0);
    if (length < 2 || length > LIMITS.frame + 16) {
      throw new FlotillaError('ERR_WIRE_LIMIT', `A frame of ${length} bytes was announced; from 2 to ${LIMITS.frame} are accepted.`);
    }
    const rest = Buffer.allocUnsafe(LENGTH_BYTES + length);
    head.copy(rest, 0, 0, LENGTH_BYTES);
    this.#rest = rest;
    return rest;
  }
}
