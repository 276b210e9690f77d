// What goes out to one peer: values are gathered into frames, frames into one write a turn.
//
// Owns the segment being written. Does not own ranges once they are posted.
//
//   OU1. Values of one kind to one target, one after another in a turn, share a frame and its dictionary.
//   OU2. An item that fails to encode leaves nothing behind, and ends the frame it would have been in.
//   OU3. A program that sends little in a turn may compute for long before the turn ends: its first value leaves at once, others
//        after LONG_MS.
//
// A write to a socket costs far more than the few bytes of a small value, so everything that one turn sends to a peer leaves as one
// range, in one write. Values are encoded straight into a segment that the session then sends from, without a copy; the segment
// is used again when the peer has acknowledged its last range. What lies in it:
//
//      | posted before | frame: a b c | frame: d | frame being written: e f .. |       free       |
//      0               #from                     encoder.start                 encoder.position
//
// A frame is closed by its length when a value of another kind or target follows (OU1); `flush` posts from #from to the last
// closed frame when the turn ends, or at FLUSH_BYTES, so that the peer works on the first part while the rest is written.

import type { Clock } from '../../base/index.ts';
import { Encoder, type Extensions, KIND, LENGTH_BYTES, LIMITS, takeGiven } from '../../wire/index.ts';
import { FIRST_TASK } from './door.ts';
import type { Range, Segment, Segments } from './range.ts';

const FRAME_BYTES = 48 << 10;
const FLUSH_BYTES = 64 << 10;
const LEAST_ROOM = 4 << 10;
const LONG_MS = 5;
const LOOK_EVERY = 8;

/** Where whole ranges go. `large` ranges hold exactly one frame, longer than may travel whole. */
export type PostRange = (range: Range, large: boolean) => void;

/** Gathers what is sent to one peer. */
export class Outgoing {
  readonly #encoder: Encoder;
  readonly #segments: Segments;
  readonly #clock: Clock;
  readonly #post: PostRange;
  #segment: Segment | undefined;
  #from = 0;
  #frames = 0;
  #kind = 0;
  #target = 0;
  #items = 0;
  #mark = 0;
  #deferred = false;
  #flushedAt = 0;
  #inTurn = 0;
  #inLastTurn = 0;

  constructor(options: { extensions: Extensions; segments: Segments; clock: Clock; post: PostRange }) {
    this.#encoder = new Encoder(options.extensions, Buffer.alloc(0));
    this.#encoder.allocate = (bytes) => options.segments.allocate(bytes);
    this.#segments = options.segments;
    this.#clock = options.clock;
    this.#post = options.post;
  }

  /** Begins an item; write it to the encoder, then `commit`, or `abandon` if that throws. */
  begin(kind: number, target: number): Encoder {
    const encoder = this.#encoder;
    const shared =
      this.#items > 0 &&
      kind === this.#kind &&
      target === this.#target &&
      kind !== KIND.DELIVER &&
      encoder.position - encoder.start < FRAME_BYTES; // OU1
    if (!shared) {
      this.#closeFrame();
      this.#room();
      encoder.beginFrame();
      encoder.position += LENGTH_BYTES;
      encoder.byte(kind);
      encoder.varint(target);
      encoder.beginPayload();
      this.#kind = kind;
      this.#target = target;
    }
    this.#mark = encoder.position - encoder.start;
    encoder.takes = target >= FIRST_TASK && (kind === KIND.MESSAGE || kind === KIND.DELIVER); // what may have to be sent again, a call, is copied
    return encoder;
  }

  commit(): void {
    const encoder = this.#encoder;
    this.#items++;
    if (encoder.buffer !== this.#segment?.buffer) this.#moved();
    if (encoder.length > LIMITS.whole) this.#flushLarge();
    else if (encoder.position - this.#from > FLUSH_BYTES) this.flush();
    else this.#flushSoon();
  }

  // OU3. To look at the time costs as much as to write a small value: in a turn that sends much, that is done now and then.
  #flushSoon(): void {
    const count = ++this.#inTurn;
    if (!this.#deferred) {
      this.#deferred = true;
      this.#clock.defer(this.#onDeferred);
      if (this.#inLastTurn <= 1) this.flush();
    } else if ((count <= LOOK_EVERY || count % LOOK_EVERY === 0) && this.#clock.now() - this.#flushedAt > LONG_MS) this.flush();
  }

  /** Takes back the item begun last. OU2 */
  abandon(): void {
    const encoder = this.#encoder;
    encoder.back(this.#mark);
    if (encoder.buffer !== this.#segment?.buffer) this.#moved();
    if (this.#items > 0) this.#closeFrame();
    else encoder.position = encoder.start;
  }

  /** Posts what is gathered. */
  flush(): void {
    this.#closeFrame();
    const encoder = this.#encoder;
    if (this.#frames === 0) return;
    this.#flushedAt = this.#clock.now();
    const range: Range = {
      buffer: encoder.buffer,
      start: this.#from,
      end: encoder.position,
      frames: this.#frames,
      release: this.#segment?.use(),
    };
    this.#from = encoder.position;
    this.#frames = 0;
    this.#post(range, false);
  }

  readonly #onDeferred = (): void => {
    this.#deferred = false;
    this.#inLastTurn = this.#inTurn;
    this.#inTurn = 0;
    this.flush();
  };

  #closeFrame(): void {
    if (this.#items === 0) return;
    const { buffer, start, position } = this.#encoder;
    buffer.writeUInt32BE(position - start - LENGTH_BYTES, start);
    this.#items = 0;
    this.#frames++;
  }

  #room(): void {
    const encoder = this.#encoder;
    if (this.#segment && encoder.buffer.length - encoder.position >= LEAST_ROOM) return;
    this.flush();
    this.#segment?.release();
    this.#segment = this.#segments.take();
    encoder.use(this.#segment.buffer);
    this.#from = 0;
  }

  // A frame that outgrew the segment has been moved, alone, to the front of a longer buffer by the encoder, since moving those
  // before it would be a copy for nothing. They are whole, so they are posted from where they lie, first, which keeps the order;
  // then the longer buffer becomes the segment. The encoder knows its new buffer only: where the old frames end is found by
  // their lengths.
  //
  //      old   | posted before | frame | frame |              posted now, given back when acknowledged
  //      new   | frame being written, grown ....  |  free  |  #from = 0
  #moved(): void {
    const encoder = this.#encoder;
    const old = this.#segment;
    if (old && this.#frames > 0) {
      const end = this.#endOfFrames(old.buffer);
      const range: Range = { buffer: old.buffer, start: this.#from, end, frames: this.#frames, release: old.use() };
      this.#frames = 0;
      this.#post(range, false);
    }
    old?.release();
    this.#segment = this.#segments.adopt(encoder.buffer);
    this.#from = 0;
  }

  #endOfFrames(buffer: Buffer): number {
    let end = this.#from;
    for (let i = 0; i < this.#frames; i++) end += LENGTH_BYTES + buffer.readUInt32BE(end);
    return end;
  }

  // A frame longer than LIMITS.whole would keep everything behind it waiting, so the session sends it in parts that take turns
  // with other traffic (transfer.ts). It takes one frame a range for that: those before it are posted as a range of their own,
  // then it, alone, with what the program gave away and which lies in no segment (`given`). A buffer that grew very long is let
  // go, instead of being filled with small values and held until the last of them is acknowledged.
  #flushLarge(): void {
    const encoder = this.#encoder;
    const start = encoder.start;
    if (this.#frames > 0) {
      const range: Range = { buffer: encoder.buffer, start: this.#from, end: start, frames: this.#frames, release: this.#segment?.use() };
      this.#frames = 0;
      this.#post(range, false);
    }
    this.#closeFrame();
    this.#frames = 0;
    const { buffer, position: end, between } = encoder;
    const bytes = takeGiven(between.map((one) => one.bytes));
    const given = between.map(({ at }, i) => ({ at: start + at, bytes: bytes[i] as Buffer }));
    const large: Range = { buffer, start, end, given, frames: 1, release: this.#segment?.use() };
    this.#from = encoder.position;
    this.#post(large, true);
    if (encoder.buffer.length > FLUSH_BYTES * 16) {
      this.#segment?.release();
      this.#segment = undefined;
      encoder.use(Buffer.alloc(0));
      this.#from = 0;
    }
  }
}
