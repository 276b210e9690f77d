// Encoded frames on their way out: bytes that lie in a buffer until the other side has acknowledged them.

/** Whole frames, one after another, in a buffer. */
export interface Range {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly frames: number;
  /** Called once when the bytes are needed no longer. */
  readonly release: (() => void) | undefined;
}

const SEGMENT_BYTES = 256 << 10;
const KEPT = 32;

/** Buffers that are used again once every range in them is released. */
export class Segments {
  readonly #free: Buffer[] = [];

  /** A buffer of SEGMENT_BYTES and the count of its users. */
  take(): Segment {
    return new Segment(this.#free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES), (buffer) => {
      if (this.#free.length < KEPT) this.#free.push(buffer);
    });
  }

  /** A buffer made elsewhere, used once. */
  adopt(buffer: Buffer): Segment {
    return new Segment(buffer, () => {});
  }
}

/** One buffer, given back when it is closed and nobody uses it. */
export class Segment {
  readonly buffer: Buffer;
  readonly #giveBack: (buffer: Buffer) => void;
  #users = 1;

  constructor(buffer: Buffer, giveBack: (buffer: Buffer) => void) {
    this.buffer = buffer;
    this.#giveBack = giveBack;
  }

  readonly release = (): void => {
    if (--this.#users === 0) this.#giveBack(this.buffer);
  };

  use(): () => void {
    this.#users++;
    return this.release;
  }
}
