// One application of a function: a promise for its result, or its values as they come.
import { Deferred, Fifo, FlotillaError, onAbort, type Timer, toError } from '../../base/index.ts';
import { type Kernel, PORT, type TaskRef } from '../../kernel/index.ts';
import type { CallOptions } from '../client/options.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Job, Member, Work } from '../dispatch/work.ts';
import type { WorkReport } from './work-report.ts';

const RETRIES = 2;
const NEW: Work['state'] = Object.freeze({ kind: 'new' });
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
  /** Calls that stream or report progress, by the worker's number for them. */
  readonly notices: Map<
    string,
    { item?(value: unknown): void; progress?(done: number, total: number | undefined, note: string | undefined): void }
  >;
}

/** No options at all: the way of most calls, and the shortest. */
export const PLAIN: CallOptions = Object.freeze({});

// A call without options. One small object for all it needs: there may be a million of them. What all have in common is the class's.
class PlainCall implements Work {
  readonly job: Job;
  readonly args: unknown;
  state: Work['state'] = NEW;
  strikes = 0;
  declare suspect?: boolean;
  readonly #resolve: (value: unknown) => void;

  constructor(job: Job, args: unknown, resolve: (value: unknown) => void) {
    this.job = job;
    this.args = args;
    this.#resolve = resolve;
  }

  get port(): number {
    return PORT.CALLS;
  }

  get method(): number {
    return this.job.id;
  }

  get weight(): number {
    return 1;
  }

  get io(): number {
    return 0;
  }

  get at(): undefined {
    return undefined;
  }

  get retries(): number {
    return RETRIES;
  }

  // A promise's two functions weigh more than the promise: one must do.
  settle(ok: boolean, value: unknown): void {
    this.#resolve(ok ? value : Promise.reject(value));
  }
}

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
  if (options === PLAIN) return new Promise((resolve) => submit(caller, new PlainCall(job, args, resolve)));
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const work: Work = {
      job,
      port: options.io === undefined ? PORT.CALLS : PORT.IO,
      method: job.id,
      args,
      weight: 1,
      io: options.io ?? 0,
      at: options.at,
      retries: options.retries ?? RETRIES,
      strikes: 0,
      state: { kind: 'new' },
      settle(ok, value) {
        timer?.cancel();
        off();
        if (ok) resolve(value);
        else reject(value);
      },
    };
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
    if (options.onProgress) watchProgress(caller, work, options.onProgress);
  });
}

/** Submits work; it is given to workers once its function's code is where it must be. */
export function submit(caller: Caller, work: Work): void {
  const refused = work.at === undefined ? undefined : caller.refuses(work.at);
  if (refused) return caller.dispatcher.refuse(work, refused);
  if (work.job.ready) caller.dispatcher.submit(work);
  else caller.dispatcher.expect(work, caller.prepare(work.job));
}

function watchProgress(caller: Caller, work: Work, onProgress: NonNullable<CallOptions['onProgress']>): void {
  onRunning(work, (member, call) => {
    const key = `${member.info.id} ${call}`;
    caller.notices.set(key, { progress: (done, total, note) => onProgress({ done, total, note, worker: member.info.name }) });
    return () => caller.notices.delete(key);
  });
}

// Calls `begin` each time the work starts to run somewhere, and what it returns when it stops running there.
function onRunning(work: Work, begin: (member: Member, call: number) => () => void): void {
  let state = work.state;
  let end: (() => void) | undefined;
  Object.defineProperty(work, 'state', {
    get: () => state,
    set: (next: Work['state']) => {
      end?.();
      end = undefined;
      state = next;
      if (next.kind === 'running') end = begin(next.member, next.call);
    },
  });
  if (state.kind === 'running') end = begin(state.member, state.call);
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
    const work: Work = {
      job,
      port: PORT.STREAM,
      method: job.id,
      args: this.#args,
      weight: 1,
      io: this.#options.io ?? 1,
      at: this.#options.at,
      retries: 0,
      strikes: 0,
      state: { kind: 'new' },
      settle: (ok, value) => {
        this.#end = { ok, value };
        this.#wake?.resolve();
      },
    };
    this.#work = work;
    onRunning(work, (member, call) => {
      const key = `${member.info.id} ${call}`;
      const { onProgress } = this.#options;
      this.#caller.notices.set(key, {
        item: (value) => {
          this.#waiting.push({ value: value as Y });
          this.#wake?.resolve();
        },
        progress: (done, total, note) => onProgress?.({ done, total, note, worker: member.info.name }),
      });
      return () => this.#caller.notices.delete(key);
    });
    submit(this.#caller, work);
    return work;
  }

  #taken(work: Work): void {
    if (++this.#read % STREAM_RETURN !== 0 || work.state.kind !== 'running') return;
    const { member, call } = work.state;
    this.#caller.kernel.message(member.info.id, PORT.STREAM, { call, more: STREAM_RETURN });
  }
}

/** What a caller's abort becomes: the reason itself, as everywhere in JavaScript. */
export function aborted(reason: unknown): Error {
  return toError(reason ?? new FlotillaError('ERR_ABORTED', 'The signal was aborted.'));
}
