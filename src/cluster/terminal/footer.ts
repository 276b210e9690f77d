// The footer: lines that stay at the bottom of a terminal, such as the bars of long jobs. All other output goes above them.
//
// Owns the last lines of one terminal while there are any. Does not own their text.
//
//   FT1. Before other output is written, the bottom is erased; the output has lines of its own, and the bottom is drawn again below it.
//   FT2. No state of the terminal is changed, not even for a moment: a program that is killed leaves a terminal that works.
import type { Clock } from '../../base/index.ts';

type Stream = NodeJS.WriteStream;

// The codes that move the cursor and erase lines; none changes how the terminal works. FT2
const erase = (rows: number): string => `\r${rows > 1 ? `\u001b[${rows - 1}A` : ''}\u001b[J`;

/** The bottom of one terminal. */
export class Footer {
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #write: Stream['write'];
  readonly #unhook: (() => void)[];
  readonly #onExit = (): void => this.end();
  #lines: readonly string[] = [];
  #drawn = 0;
  /** Whether the latest output has not ended its line. */
  #within = false;
  #waits = false;

  /** Hooks the streams of one terminal: all that is written to them goes above the lines, which are shown on the first stream. */
  constructor(streams: readonly [Stream, ...Stream[]], clock: Clock) {
    this.#stream = streams[0];
    this.#clock = clock;
    this.#write = this.#stream.write;
    this.#unhook = streams.map((stream) => this.#hook(stream));
    process.once('exit', this.#onExit);
  }

  get columns(): number {
    return this.#stream.columns || 80;
  }

  /** Shows other lines, none of them wider than the terminal: one that wraps cannot be erased. */
  show(lines: readonly string[]): void {
    this.#lines = lines;
    if (!this.#within) this.#draw();
  }

  /** Leaves the lines where they are; output from now on goes below them. */
  end(): void {
    process.off('exit', this.#onExit);
    for (const unhook of this.#unhook.splice(0)) unhook();
    if (this.#within) this.#raw('\n');
    this.#within = false;
    if (this.#lines.length > 0) this.#draw();
    if (this.#drawn > 0) this.#raw('\n');
    this.#drawn = 0;
    this.#lines = [];
  }

  #draw(): void {
    this.#raw((this.#drawn > 0 ? erase(this.#drawn) : '') + this.#lines.join('\n'));
    this.#drawn = this.#lines.length;
  }

  // Makes room for output before it is written. FT1
  #before(text: string | Uint8Array): void {
    if (text.length === 0) return;
    if (this.#drawn > 0) this.#raw(erase(this.#drawn));
    this.#drawn = 0;
    this.#within = text.at(-1) !== (typeof text === 'string' ? '\n' : 10);
    if (this.#within || this.#waits) return;
    this.#waits = true;
    // Draws the bottom once for all output of this turn.
    this.#clock.defer(() => {
      this.#waits = false;
      if (!this.#within && this.#drawn === 0 && this.#lines.length > 0) this.#draw();
    });
  }

  #raw(text: string): void {
    this.#write.call(this.#stream, text);
  }

  #hook(stream: Stream): () => void {
    const { write } = stream;
    const hooked = ((text: string | Uint8Array, ...rest: never[]): boolean => {
      if (this.#lines.length > 0) this.#before(text);
      return write.call(stream, text, ...rest);
    }) as Stream['write'];
    stream.write = hooked;
    return () => {
      if (stream.write === hooked) stream.write = write; // else another hook was set later, which calls this one
    };
  }
}
