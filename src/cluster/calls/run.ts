// One application of a function: a promise for its result, or its values as they come.
import { Deferred, Fifo, FlotillaError, onAbort, type Timer, toError } from '../../base/index.ts';
import type { Kernel, TaskRef } from '../../kernel/index.ts';
import { STREAM } from '../../worker/index.ts';
import type { CallOptions } from '../client/options.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Job } from '../dispatch/job.ts';
import { termsOf } from '../dispatch/order.ts';
import { type Member, newCall, newWork, type Promised, type Work } from '../dispatch/work.ts';
import type { Follower, Notices } from './notices.ts';
import type { WorkReport } from './work-report.ts';

const STREAM_RETURN = 16;

/** Something that runs calls of one client. */
export interface Caller {
  readonly kernel: Kernel;
  readonly dispatcher: Dispatcher;
  /** The function as a job whose code is, or is being, given to the hosts. */
  job(fn: (...args: never[]) => unknown): Job;
  prepare(job: Job): Promise<void>;
  /** Why nothing will ever run at a place; undefined if it may. */
  refuses(at: string): Error | undefined;
  /** An error of a worker, with its stack in the user's own files and its place. */
  mapError(error: unknown, member: Member | undefined): unknown;
  /** Spawned tasks that have not ended. */
  readonly tasks: Set<TaskRef<unknown>>;
  /** Tells of tasks. */
  readonly report: WorkReport;
  /** What workers say of calls that stream or report progress. */
  readonly notices: Notices;
}

/** No options at all: the way of most calls, and the shortest. */
export const PLAIN: CallOptions = Object.freeze({});

/** Runs a function on a worker. Rejects with what it threw, or with an error of ours. */
export function runCall(
  caller: Caller,
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  options: CallOptions,
): Promise<unknown> {
  const { signal, timeout } = options;
  if (signal?.aborted) return Promise.reject(aborted(signal.reason));
  const job = caller.job(fn);
  if (options === PLAIN) return new Promise((resolve) => submit(caller, newCall(job, args, resolve)));
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const { onProgress } = options;
    const promised: Promised = {
      settle(ok, value) {
        timer?.cancel();
        off();
        if (ok) resolve(value);
        else reject(value);
      },
      ...(onProgress && { moved: caller.notices.follow({ progress: progressOf(onProgress) }) }),
    };
    const work = newWork({ kind: 'call', job, args, weight: 1, ...termsOf(options) }, promised);
    const off = onAbort(signal, () => caller.dispatcher.cancel(work, aborted(signal?.reason)));
    if (timeout !== undefined) {
      timer = caller.kernel.clock.after(timeout, () => {
        const end =
          work.state.kind === 'waiting'
            ? `begun within ${timeout} ms: no worker that it may have was free. client.explain() says what each of them does`
            : `done within ${timeout} ms; it was stopped`;
        caller.dispatcher.cancel(work, new FlotillaError('ERR_TIMEOUT', `'${job.label}' was not ${end}.`));
      });
    }
    submit(caller, work);
  });
}

// Tells of a call's progress, and who reports it.
function progressOf(onProgress: NonNullable<CallOptions['onProgress']>): Follower['progress'] {
  return (done, total, note, { info: { name: worker } }) => onProgress({ done, total, note, worker });
}

/** Submits work; it is given to workers once its function's code is where it must be. */
export function submit(caller: Caller, work: Work): void {
  const refused = work.at === undefined ? undefined : caller.refuses(work.at);
  if (refused) return caller.dispatcher.refuse(work, refused);
  if (work.job.ready) caller.dispatcher.submit(work);
  else caller.dispatcher.expect(work, caller.prepare(work.job));
}

/** The values of a generator that runs on a worker. A bounded number of them waits here or on the way. */
export class RemoteValues<Y> implements AsyncIterable<Y>, AsyncDisposable {
  readonly #caller: Caller;
  readonly #fn: (...args: never[]) => unknown;
  readonly #args: readonly unknown[];
  readonly #options: CallOptions;
  readonly #waiting = new Fifo<{ readonly value: Y }>();
  #work: Work | undefined;
  #end: { readonly ok: boolean; readonly value: unknown } | undefined;
  #wake: Deferred<void> | undefined;
  #read = 0;

  constructor(caller: Caller, fn: (...args: never[]) => unknown, args: readonly unknown[], options: CallOptions) {
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
    const job = this.#caller.job(this.#fn);
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
    const terms = termsOf(this.#options, { io: 1, retries: 0 }); // never again: some of its values have been read already
    const work = newWork({ kind: 'stream', job, args: this.#args, weight: 1, ...terms, retries: 0 }, promised);
    this.#work = work;
    submit(this.#caller, work);
    return work;
  }

  #taken(work: Work): void {
    if (++this.#read % STREAM_RETURN !== 0 || work.state.kind !== 'running') return;
    const { member, call } = work.state;
    this.#caller.kernel.message(member.info.id, STREAM, { kind: 'taken', call, more: STREAM_RETURN });
  }
}

/** What a caller's abort becomes: the reason itself, as everywhere in JavaScript. */
export function aborted(reason: unknown): Error {
  return toError(reason ?? new FlotillaError('ERR_ABORTED', 'The signal was aborted.'));
}
