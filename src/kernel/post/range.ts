// Encoded frames on their way out: bytes that lie in a buffer until the other side has acknowledged them.

/** Whole frames, one after another, in a buffer. */
export interface Range {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly frames: number;
  /** Bytes that a value gave away instead of being copied; they belong before the buffer's byte `at`. Only large ranges have them. */
  readonly given?: readonly { readonly at: number; readonly bytes: Buffer }[];
  /** Called once when the bytes are needed no longer. */
  readonly release: (() => void) | undefined;
}

/** Gives the bytes of a range from a place on, one piece after another. */
export function piecesOf({ buffer, end, given = [] }: Range, from: number): Buffer[] {
  const pieces: Buffer[] = [];
  let position = from;
  for (const { at, bytes } of given) {
    pieces.push(buffer.subarray(position, at), bytes);
    position = at;
  }
  pieces.push(buffer.subarray(position, end));
  return pieces.filter((piece) => piece.length > 0);
}

/** Counts the bytes of a range from a place on. */
export function bytesOf({ end, given = [] }: Range, from: number): number {
  return given.reduce((sum, { bytes }) => sum + bytes.length, end - from);
}

const SEGMENT_BYTES = 256 << 10;
const KEPT = 32;
const LONG_BYTES = 256 << 10;
/** The units of long buffers that are kept: 32 MiB in all. */
const MOST_UNITS = 128;

/** Buffers that are used again once every range in them is released. */
export class Segments {
  readonly #free: Buffer[] = [];
  readonly #long = new Map<number, Buffer[]>();
  #longUnits = 0;

  /** Gives a buffer of SEGMENT_BYTES, with the count of its users. */
  take(): Segment {
    return new Segment(this.#free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES), (buffer) => {
      if (this.#free.length < KEPT) this.#free.push(buffer);
    });
  }

  /** Gives a buffer for a frame that outgrew its segment. Long buffers are kept too, because fresh memory is slow to touch first. */
  allocate(bytes: number): Buffer {
    if (bytes > LONG_BYTES * MOST_UNITS) return Buffer.allocUnsafeSlow(bytes);
    const units = Math.ceil(bytes / LONG_BYTES);
    const kept = this.#long.get(units)?.pop();
    if (kept) this.#longUnits -= units;
    return kept ?? Buffer.allocUnsafeSlow(units * LONG_BYTES);
  }

  /** Makes a segment of a buffer that `allocate` gave. */
  adopt(buffer: Buffer): Segment {
    return new Segment(buffer, (free) => {
      const units = free.length / LONG_BYTES;
      if (!Number.isInteger(units) || this.#longUnits + units > MOST_UNITS) return;
      this.#longUnits += units;
      const list = this.#long.get(units);
      if (list) list.push(free);
      else this.#long.set(units, [free]);
    });
  }
}

/** One buffer, which is given back when it is closed and no range uses it. */
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
