// A running call as its function sees it: its signal, its place, how it reports.
import { AsyncLocalStorage } from 'node:async_hooks';
import { FlotillaError, type RuntimeId } from '../base/index.ts';
import type { Place, TaskPost } from '../kernel/index.ts';
import { CALLER } from './protocol.ts';

/** A running call: its signal, its place, and how it reports. */
export interface Current extends Place {
  /** Aborts when the call is cancelled, or its worker is asked to end. */
  readonly signal: AbortSignal;
  /** Where the worker can be found: `tcp://HOST:PORT/N`. */
  readonly location: string;
  /** Tells the client how far the call is: the `onProgress` of `client.with` hears it. */
  progress(done: number, total?: number, note?: string): void;
  /** Tells the client's user a line: it comes where the worker's printed lines come, as stream `log`. */
  log(text: string): void;
}

/** The parts that all calls of a worker share. */
export interface CallsOfWorker {
  readonly post: TaskPost;
  readonly place: Place;
  abort(peer: RuntimeId, id: number): AbortController;
}

/** One running call. There are hundreds of thousands a second, and few ask, so each part is made when it is asked for. */
export class RunningCall implements Current {
  readonly #calls: CallsOfWorker;
  readonly #peer: RuntimeId;
  readonly #id: number;

  constructor(calls: CallsOfWorker, peer: RuntimeId, id: number) {
    this.#calls = calls;
    this.#peer = peer;
    this.#id = id;
  }

  get worker(): Place['worker'] {
    return this.#calls.place.worker;
  }

  get host(): Place['host'] {
    return this.#calls.place.host;
  }

  get file(): Place['file'] {
    return this.#calls.place.file;
  }

  get import(): Place['import'] {
    return this.#calls.place.import;
  }

  get sendFile(): Place['sendFile'] {
    return this.#calls.place.sendFile;
  }

  get location(): string {
    return this.#calls.post.tasks.location;
  }

  get signal(): AbortSignal {
    return this.#calls.abort(this.#peer, this.#id).signal;
  }

  // The function that is returned works on its own, too: `const { log, progress } = here()`.
  get log(): Current['log'] {
    return (text) => this.#calls.post.message(this.#peer, CALLER, { kind: 'log', text: String(text) });
  }

  get progress(): Current['progress'] {
    return (done, total, note) => {
      const { post } = this.#calls;
      post.message(this.#peer, CALLER, { kind: 'progress', call: this.#id, done, total, note });
      post.flush();
    };
  }
}

const KEY = Symbol.for('flotilla.current');

interface Holder {
  serial: Current | undefined;
  readonly storage: AsyncLocalStorage<Current>;
  concurrent: number;
}

// The holder is one per process, because shipped code may load another copy of this module, which must see the same call.
const scope = globalThis as { [KEY]?: Holder };
scope[KEY] ??= { serial: undefined, storage: new AsyncLocalStorage(), concurrent: 0 };
const held: Holder = scope[KEY];

/**
 * The call that is running, from inside a function that a client runs: its signal, its worker, its progress.
 *
 * Outside of any call it is undefined.
 *
 * @example
 * ```ts
 * console.log(current()); // => undefined
 * ```
 */
export function current(): Current | undefined {
  return (held.concurrent > 0 ? held.storage.getStore() : undefined) ?? held.serial;
}

/**
 * The call that is running, for functions that only ever run in one. Throws ERR_CALL_NONE outside of any.
 *
 * @example
 * ```ts
 * await using client = await Client.connect({ inline: true });
 * console.log(await client.run(() => here().worker.name)); // => inline
 * ```
 */
export function here(): Current {
  const call = current();
  if (call) return call;
  throw new FlotillaError('ERR_CALL_NONE', 'here() was asked outside of any call: it is for functions that a client runs.');
}

/** Sets the call that runs now, of those that run one at a time. */
export function setSerial(call: Current | undefined): void {
  held.serial = call;
}

/** Runs a call beside others. */
export function runConcurrent<T>(call: Current, run: () => T): T {
  held.concurrent = 1;
  return held.storage.run(call, run);
}
