// A process that is started ahead, so that the next worker is there at once.
//
// Owns the process until it is taken. Does not own what it becomes, nor the one that was taken.
//
//   SR1. There is at most one, and it holds up nobody's end: neither the process nor its streams keep this one alive.
//   SR2. One that ends by itself is forgotten; the next is started when one is asked for again, not at once, or a machine that
//        can start none would try for ever.
import { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/index.ts';
import { killGroup, type Started } from './child.ts';

/** A spare is started when what was just asked for is on its way. */
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

  /** Starts one soon, unless there is one. SR1 */
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

  /** Ends it, for good. */
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
      return; // whoever wants one is told why there is none
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
