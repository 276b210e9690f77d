// One stream of a worker process: read line by line, held back while nobody takes the lines, and read to its end after the process.
import type { Readable } from 'node:stream';
import type { Clock } from '../../base/index.ts';
import type { ChildHandler } from './contract.ts';
import { isInsides } from './ends.ts';

const LINE_BYTES = 16 << 10;
/** A process that has ended may have left its output open in another one: after so long without output, the stream is read no more. */
const QUIET_MS = 250;
const LOOKS = 5;
/** More than any pipe holds: output beyond it was not printed by the process that has ended. */
const MOST_LEFT = 16 << 20;

/** One stream of a process. */
export class Printed {
  /** Resolves when there is no more. */
  readonly done: Promise<void>;
  readonly #stream: Readable;
  #bytes = 0;
  #finishing = false;

  /** Calls `line` with each line, and hands it to `handler`. */
  constructor(stream: Readable, name: 'stdout' | 'stderr', handler: ChildHandler, line: (text: string) => void) {
    this.#stream = stream;
    let rest = '';
    const give = (text: string): void => {
      if (name === 'stderr' && isInsides(text)) return;
      line(text);
      handler.output(name, text);
    };
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      this.#bytes += chunk.length;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) give(text);
      if (rest.length > LINE_BYTES) {
        give(rest);
        rest = '';
      }
      const room = handler.untilRoom();
      if (!room || this.#finishing) return; // the rest is little, and the outbox holds it
      stream.pause();
      void room.then(() => stream.resume());
    });
    this.done = new Promise((resolve) => {
      const end = (): void => {
        if (rest) give(rest);
        rest = '';
        resolve();
      };
      stream.once('close', end);
      stream.once('error', end);
    });
  }

  /** Reads the rest after the process has ended. It counts looks, not time, because a thread that was busy has not listened meanwhile. */
  finish(clock: Clock): Promise<void> {
    this.#finishing = true;
    this.#stream.resume();
    const most = this.#bytes + MOST_LEFT;
    let seen = this.#bytes;
    let quiet = 0;
    const look = (): void => {
      quiet = seen === this.#bytes ? quiet + 1 : 0;
      seen = this.#bytes;
      if (quiet >= LOOKS || seen > most) this.#stream.destroy();
      else timer = clock.after(QUIET_MS / LOOKS, look);
    };
    let timer = clock.after(QUIET_MS / LOOKS, look);
    return this.done.then(() => timer.cancel());
  }
}
