// Starts and feeds the pulse thread of a runtime.
import { Worker } from 'node:worker_threads';
import type { Timer } from '../../base/index.ts';
import type { Runtime } from '../runtime.ts';

/** A thread that keeps up the pulse to watched addresses while this one computes. */
export class PulseThread {
  readonly #runtime: Runtime;
  readonly #beat = new Int32Array(new SharedArrayBuffer(4));
  readonly #watched = new Set<string>();
  #thread: Worker | undefined;
  #timer: Timer | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Keeps up the pulse to the runtime at an address, from now on. */
  watch(address: string): void {
    if (this.#watched.has(address)) return;
    this.#watched.add(address);
    this.#start().postMessage(address);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#thread?.terminate();
  }

  #start(): Worker {
    if (this.#thread) return this.#thread;
    const { hub, secret } = this.#runtime;
    const { identity, role, pulseMs, encrypt, certificate } = hub.options;
    this.#thread = new Worker(new URL('./pulse-thread.js', import.meta.url), {
      workerData: { identity: identity.privateKey, role, pulseMs, encrypt, certificate, secret, beat: this.#beat },
      execArgv: [],
    });
    this.#thread.unref();
    this.#thread.on('error', () => {});
    const tick = (): void => {
      Atomics.add(this.#beat, 0, 1);
      this.#timer = this.#runtime.environment.clock.after(pulseMs / 2, tick, { background: true });
    };
    tick();
    return this.#thread;
  }
}
