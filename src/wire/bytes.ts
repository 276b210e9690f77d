// A buffer that is written from front to back and grows, moving only the frame being written.
import { isGiven } from './given.ts';
import { LIMITS } from './limits.ts';
import { Refusal } from './refuse.ts';

const FIRST_BYTES = 64 << 10;

/** Bytes that belong between those of a frame, `at` so many bytes from its beginning. */
export interface Between {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Writes bytes and numbers. `start` is where the frame being written begins; a growing buffer is replaced, and the frame moves to its front. */
export class ByteWriter {
  buffer: Buffer;
  position = 0;
  start = 0;
  origin = 0;

  /** Bytes of the frame that the program gave away, and that lie elsewhere; empty unless `takes`. */
  between: Between[] = [];
  takes = false;

  /** Gives a larger buffer. */
  allocate: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafeSlow(bytes);

  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)) {
    this.buffer = buffer;
  }

  /** Begins a frame at the position. The bytes before it belong to others and stay; those after it move when the buffer grows. */
  beginFrame(): void {
    this.start = this.position;
    this.origin = this.position;
    if (this.between.length > 0) this.between = [];
  }

  /** How long the frame is so far. */
  get length(): number {
    return this.position - this.start + lengthOf(this.between);
  }

  /** Drops the end of the frame, from so many of its own bytes on. */
  back(own: number): void {
    this.position = this.start + own;
    if (this.between.length > 0) this.between = this.between.filter(({ at }) => at < own);
  }

  /** Marks the position as the first byte of the frame's payload, to which large buffers are aligned. */
  beginPayload(): void {
    this.origin = this.position;
  }

  /** Continues in another buffer, from its beginning. */
  use(buffer: Buffer): void {
    this.buffer = buffer;
    this.position = 0;
  }

  /** Makes sure that `bytes` more fit. */
  need(bytes: number): void {
    if (this.position + bytes <= this.buffer.length) return;
    const used = this.position - this.start;
    const size = bytes > FIRST_BYTES ? used + bytes + FIRST_BYTES : Math.max(FIRST_BYTES, (used + bytes) * 2); // a long array is seldom followed by another
    if (used + lengthOf(this.between) + bytes > LIMITS.message)
      throw new Refusal(undefined, `it is larger than ${LIMITS.message} bytes`, true);
    const grown = this.allocate(Math.min(size, LIMITS.message + FIRST_BYTES));
    this.buffer.copy(grown, 0, this.start, this.position);
    this.origin -= this.start;
    this.position = used;
    this.start = 0;
    this.buffer = grown;
  }

  byte(value: number): void {
    if (this.position === this.buffer.length) this.need(1);
    this.buffer[this.position++] = value;
  }

  uint32(value: number): void {
    this.need(4);
    this.position = this.buffer.writeUInt32BE(value, this.position);
  }

  /** Appends a number of up to 2 ** 53, seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.need(8);
    while (value >= 0x80) {
      this.buffer[this.position++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.buffer[this.position++] = value;
  }

  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.need(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Appends bytes so that they begin at a multiple of eight from the payload's beginning: a count of zeros, zeros, the bytes. */
  aligned(bytes: Uint8Array, owner: object): void {
    const given = this.takes && bytes.length > LIMITS.whole && isGiven(owner);
    const padding = 7 - ((this.position - this.origin + lengthOf(this.between)) % 8); // the count takes a byte of the eight itself
    this.need(given ? 8 : 8 + bytes.length);
    this.buffer[this.position++] = padding;
    this.buffer.fill(0, this.position, this.position + padding); // old contents of the buffer do not leave the process
    this.position += padding;
    if (given) {
      if (this.length + bytes.length > LIMITS.message) throw new Refusal(undefined, `it is larger than ${LIMITS.message} bytes`, true);
      this.between.push({ at: this.position - this.start, bytes });
      return;
    }
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }
}

function lengthOf(between: readonly Between[]): number {
  let length = 0;
  for (const { bytes } of between) length += bytes.length;
  return length;
}
