// A buffer that is written from front to back and grows, moving only the frame being written.
import { LIMITS } from './limits.ts';
import { Refusal } from './refuse.ts';

const FIRST_BYTES = 64 << 10;

/** Writes bytes and numbers. `start` is where the frame being written begins; a growing buffer is replaced, and the frame moves to its front. */
export class ByteWriter {
  buffer: Buffer;
  position = 0;
  start = 0;
  origin = 0;

  /** Where a larger buffer comes from. */
  allocate: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafeSlow(bytes);

  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)) {
    this.buffer = buffer;
  }

  /** Begins a frame at the position: what is before it belongs to others, what is after it moves when the buffer grows. */
  beginFrame(): void {
    this.start = this.position;
    this.origin = this.position;
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
    if (used + bytes > LIMITS.message) throw new Refusal(undefined, `it is larger than ${LIMITS.message} bytes`, true);
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

  /** Seven bits a byte, lowest first; up to 2 ** 53. */
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
}
