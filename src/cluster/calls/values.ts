// The values of a generator that runs on a worker, as they come.
import { Deferred, Fifo, FlotillaError, onAbort } from '../../base/index.ts';
import { STREAM } from '../../worker/index.ts';
import type { CallOptions } from '../client/options.ts';
import type { AnyFunction } from '../dispatch/job.ts';
import { termsOf } from '../dispatch/order.ts';
import { newWork, type Promised, type Work } from '../dispatch/work.ts';
import { aborted, type Caller, progressOf } from './caller.ts';
import type { Follower } from './notices.ts';

const STREAM_RETURN = 16;

/** The values of a generator that runs on a worker. Credit bounds how many of them wait here or on the way. */
export class RemoteValues<Y> implements AsyncIterable<Y>, AsyncDisposable {
  readonly #caller: Caller;
  readonly #fn: AnyFunction;
  readonly #args: readonly unknown[];
  readonly #options: CallOptions;
  readonly #waiting = new Fifo<{ readonly value: Y }>();
  #work: Work | undefined;
  #end: { readonly ok: boolean; readonly value: unknown } | undefined;
  #wake: Deferred<void> | undefined;
  #read = 0;

  constructor(caller: Caller, fn: AnyFunction, args: readonly unknown[], options: CallOptions) {
    this.#caller = caller;
    this.#fn = fn;
    this.#args = args;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Y, void, void> {
    const { signal } = this.#options;
    if (this.#work) throw new FlotillaError('ERR_CLOSED', 'The values of a call can be read once.');
    signal?.throwIfAborted();
    const work = this.#start();
    const off = onAbort(signal, () => this.#caller.dispatcher.cancel(work, aborted(signal?.reason)));
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next) {
          this.#taken(work);
          yield next.value;
        } else if (this.#end) {
          if (this.#end.ok) return;
          throw this.#end.value;
        } else {
          this.#wake = new Deferred();
          await this.#wake.promise;
        }
      }
    } finally {
      off();
      await this[Symbol.asyncDispose]();
    }
  }

  /** Stops the generator, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#work && !this.#end)
      this.#caller.dispatcher.cancel(this.#work, new FlotillaError('ERR_CALL_CANCELLED', 'The values are not read any more.'));
  }

  #start(): Work {
    const job = this.#caller.jobs.of(this.#fn);
    const { onProgress } = this.#options;
    const heard: Follower = {
      item: (value) => {
        this.#waiting.push({ value: value as Y });
        this.#wake?.resolve();
      },
      progress: onProgress && progressOf(onProgress),
    };
    const promised: Promised = {
      settle: (ok, value) => {
        this.#end = { ok, value };
        this.#wake?.resolve();
      },
      moved: this.#caller.notices.follow(heard),
    };
    const terms = termsOf(this.#options, { io: 1, retries: 0 }); // no retries: some values may have been read already
    const work = newWork({ kind: 'stream', job, args: this.#args, weight: 1, ...terms, retries: 0 }, promised);
    this.#work = work;
    this.#caller.submit(work);
    return work;
  }

  #taken(work: Work): void {
    if (++this.#read % STREAM_RETURN !== 0 || work.state.kind !== 'running') return;
    const { member, call } = work.state;
    this.#caller.post.message(member.info.id, STREAM, { kind: 'taken', call, more: STREAM_RETURN });
  }
}
