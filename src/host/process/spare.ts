// A process that is started ahead, so that the next worker is there at once.
//
// Owns the process until it is taken. Does not own the worker that it becomes.
//
//   SR1. There is at most one, and it holds up nobody's end: neither the process nor its streams keep this one alive.
//   SR2. A spare that ends by itself is forgotten; the next is started when one is asked for again, not at once, or a machine that
//        can start none would try for ever.
import { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/index.ts';
import { killGroup, type Started } from './child.ts';

/** A spare starts so much later, because it must not slow the worker that was just asked for. */
const SPARE_MS = 250;

/** Keeps one started process. */
export class Spare {
  readonly #clock: Clock;
  readonly #start: () => Started;
  #ready: Started | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, start: () => Started) {
    this.#clock = clock;
    this.#start = start;
  }

  /** Starts a spare soon, unless there is one. SR1 */
  prepare(): void {
    if (this.#ready || this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(SPARE_MS, () => this.#make(), { background: true });
  }

  /** Gives the process away, if there is one. */
  take(): Started | undefined {
    const taken = this.#ready;
    this.#ready = undefined;
    taken?.process.ref();
    return taken;
  }

  /** Ends the spare, and starts no more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    if (this.#ready) killGroup(this.#ready.process.pid ?? 0);
  }

  #make(): void {
    if (this.#closed || this.#ready) return;
    let made: Started;
    try {
      made = this.#start();
    } catch {
      return; // the next worker is started without it, and its client is told why that fails
    }
    // SR2
    const gone = (): void => {
      if (this.#ready === made) this.#ready = undefined;
    };
    void made.failed.then(gone);
    made.process.once('exit', gone);
    for (const stream of made.process.stdio) if (stream instanceof Socket) stream.unref();
    made.process.unref();
    this.#ready = made;
  }
}
