// Runs calls: one at a time in the order they came, and beside them those that mostly wait (`io`), streams and tasks.
//
//   EX1. A call is answered exactly once, also when its result cannot travel.
//   EX2. Calls of one client run in order; the next begins when the one before has settled.
//   EX3. Answers leave at the latest FLUSH_MS after they are made, also while the next call computes.
import { type Clock, Fifo, FlotillaError, isThenable, type RuntimeId, toError } from '../base/index.ts';
import type { Loaded, Shipped } from '../code/index.ts';
import type { Place, TaskPost } from '../kernel/index.ts';
import { type CallsOfWorker, type Current, RunningCall, runConcurrent, setSerial } from './current.ts';
import { Gauges } from './gauges.ts';
import { gather, isStreaming, valuesOf } from './generated.ts';
import { BATCH, type BatchOutcome, CALLER, CALLS, type Define, IO, STREAM, TASKS } from './protocol.ts';
import { withoutRefused } from './refusal.ts';
import { Spawns } from './spawns.ts';
import { Streams } from './streams.ts';

const FLUSH_MS = 1;
const YIELD_MS = 10;
/** The number that is asked for instead of a function's, to learn whether calls are answered. */
export const PROBE = 0;

/** Options of {@link Executor}. */
export interface ExecutorOptions {
  readonly post: TaskPost;
  readonly clock: Clock;
  readonly place: Place;
  readonly load: (shipped: Shipped) => Promise<Loaded>;
  /** Lets objects of the classes that units export travel. */
  readonly classes?: (units: readonly string[]) => Promise<void>;
  /** Keeps the value that the set-up of the host returned. */
  readonly keep?: (data: unknown) => void;
  readonly gauges?: Gauges;
  /** Those of the waiting calls that are to run elsewhere. */
  readonly recalled?: () => readonly number[];
  /** Gives other events of the thread a turn. */
  readonly turn: () => Promise<void>;
  /** Called when a cancelled call has settled. */
  readonly onSettled?: (call: number) => void;
  /** Goes on past a cancelled call that does not settle, where there is no process to end. */
  readonly abandons?: boolean;
}

interface Job {
  readonly peer: RuntimeId;
  readonly id: number;
  readonly fn: number;
  readonly args: readonly unknown[];
  readonly kind: 'call' | 'batch';
  cancelled: boolean;
  abandon?: () => void;
}

/** A function that a client has defined; `loaded` is set once its code is there. */
interface Defined {
  loaded: Loaded | undefined;
  readonly loading: Promise<Loaded>;
}

/** The executor of one worker, or of an inline client. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #post: TaskPost;
  readonly #functions = new Map<number, Defined>();
  readonly #queue = new Fifo<Job>();
  readonly #aborts = new Map<string, AbortController>();
  readonly #calls: CallsOfWorker;
  readonly #streams: Streams;
  readonly #gauges: Gauges;
  #busy = false;
  #done = 0;
  #running: Job | undefined;
  #flushedAt = 0;
  #interrupted: Error | undefined;
  /** The client that it works for: the first peer that defines a function. */
  client: RuntimeId | undefined;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#post = options.post;
    this.#streams = new Streams(options);
    this.#gauges = options.gauges ?? new Gauges();
    this.#calls = {
      post: this.#post,
      place: options.place,
      abort: (peer, id) => this.#aborts.get(key(peer, id)) ?? this.#abortFor(peer, id),
    };
    const cancel = (peer: RuntimeId, id: number, reason: unknown): void => this.#cancel(peer, id, reason);
    this.#post.open(CALLS, {
      message: (peer, define) => {
        this.client ??= peer;
        this.#define(define);
      },
      request: (peer, id, fn, args) =>
        fn === PROBE ? this.#probe(peer, id) : this.#enqueue({ peer, id, fn: Number(fn), args, kind: 'call', cancelled: false }),
      cancel,
    });
    this.#post.open(BATCH, {
      request: (peer, id, fn, args) => this.#enqueue({ peer, id, fn: Number(fn), args, kind: 'batch', cancelled: false }),
      cancel,
    });
    this.#post.open(IO, { request: (peer, id, fn, args) => void this.#runIo(peer, id, Number(fn), args), cancel });
    this.#post.open(STREAM, {
      request: (peer, id, fn, args) => void this.#runStream(peer, id, Number(fn), args),
      message: (_peer, taken) => this.#streams.credit(taken),
      cancel,
    });
    const { post, turn } = options;
    const spawns = new Spawns({ post, turn, gauges: this.#gauges, onSettled: (peer, call) => this.#stopped(peer, call) });
    post.serve(
      TASKS,
      {
        spawn: (asked, fn, args) => spawns.start(asked, this.#function(fn), args),
        classes: (_asked, units) => this.#prepares(this.#options.classes?.(units)),
        setUp: ({ peer }, fn, args, ofHost) => this.#prepares(this.#setUp(peer, fn, args, ofHost)),
      },
      { cancel: (peer, id) => spawns.cancel(peer, id) },
    );
  }

  /** Interrupts all that runs, and begins nothing more. */
  interrupt(error: Error): void {
    this.#interrupted = error;
    this.#queue.clear();
    const running = this.#running;
    if (running && !this.#aborts.has(key(running.peer, running.id))) this.#abortFor(running.peer, running.id);
    for (const abort of this.#aborts.values()) abort.abort(error);
    running?.abandon?.();
    for (const task of [...this.#post.tasks.all()]) task.terminate(error.message);
  }

  #define({ fn, shipped }: Define): void {
    const loading = this.#options.load(shipped);
    this.#prepares(loading).catch(() => {});
    const entry: Defined = { loaded: undefined, loading };
    this.#functions.set(fn, entry);
    loading.then(
      (loaded) => {
        entry.loaded = loaded;
      },
      () => {},
    );
  }

  #function(fn: number): Loaded | Promise<Loaded> {
    const entry = this.#functions.get(fn);
    if (entry) return entry.loaded ?? entry.loading;
    return Promise.reject(
      new FlotillaError('ERR_CODE_MISSING', `Worker '${this.#options.place.worker.name}' was not told of the function it should run.`),
    );
  }

  #enqueue(job: Job): void {
    if (this.#interrupted) return; // its client runs it elsewhere
    this.#queue.push(job);
    if (this.#busy) return;
    this.#busy = true;
    this.#options.clock.defer(() => void this.#drain());
  }

  async #prepares<T>(preparing: T | Promise<T>): Promise<T> {
    this.#gauges.preparing(1);
    try {
      return await preparing;
    } finally {
      this.#gauges.preparing(-1);
    }
  }

  // A probe takes the way of a call, so that its answer proves that calls are answered. It is counted nowhere.
  #probe(peer: RuntimeId, id: number): void {
    const queue = new Fifo<{ peer: RuntimeId; id: number }>();
    queue.push({ peer, id });
    this.#options.clock.defer(async () => {
      const probe = await queue.shift();
      if (probe) this.#post.answer(probe.peer, probe.id, true, true);
    });
  }

  // EX2
  async #drain(): Promise<void> {
    const { clock } = this.#options;
    this.#gauges.running(1);
    let turnedAt = clock.now();
    this.#flushedAt = turnedAt;
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      if (this.#gauges.begin(job.id)) this.#recall();
      if (job.cancelled) continue;
      this.#running = job;
      const fn = this.#functions.get(job.fn)?.loaded ?? this.#function(job.fn);
      if (typeof fn === 'function' && job.kind === 'call') {
        const pending = this.#call(job, fn);
        if (pending) await pending;
      } else await this.#other(job, fn);
      this.#running = undefined;
      this.#done++;
      const now = clock.now();
      if (now - this.#flushedAt > FLUSH_MS) this.#flush(now); // EX3
      if (now - turnedAt > YIELD_MS && this.#queue.size > 0) {
        await this.#options.turn();
        turnedAt = clock.now();
      }
    }
    setSerial(undefined);
    this.#busy = false;
    this.#gauges.running(-1);
    this.#gauges.done(this.#done);
    this.#done = 0;
  }

  // Skips recalled calls without an answer: the client that recalled them runs them elsewhere.
  #recall(): void {
    const recalled = new Set(this.#options.recalled?.() ?? []);
    if (recalled.size > 0) for (const job of this.#queue) if (recalled.has(job.id)) job.cancelled = true;
  }

  #flush(now: number): void {
    this.#post.flush();
    this.#flushedAt = now;
  }

  // Runs a call; returns a promise only if the result must be waited for, because each wait costs more than a short call.
  #call(job: Job, fn: Loaded): PromiseLike<void> | undefined {
    const call = this.#current(job.peer, job.id);
    setSerial(call);
    let result: unknown;
    try {
      result = fn(...job.args);
    } catch (error) {
      this.#answer(job, false, toError(error));
      return undefined;
    }
    if (!isThenable(result)) {
      this.#answer(job, true, result);
      return undefined;
    }
    const settled = result.then(
      (value) => this.#answer(job, true, value),
      (error: unknown) => this.#answer(job, false, toError(error)),
    );
    return this.#options.abandons ? Promise.race([settled, abandonment(job)]) : settled;
  }

  async #other(job: Job, fn: Loaded | Promise<Loaded>): Promise<void> {
    try {
      const loaded = await fn;
      if (job.cancelled) return this.#answer(job, false, undefined);
      if (job.kind === 'call') await this.#call(job, loaded);
      else this.#answerBatch(job, await this.#batch(job, loaded));
    } catch (error) {
      this.#answer(job, false, toError(error));
    }
  }

  async #batch(job: Job, fn: Loaded): Promise<BatchOutcome> {
    const { clock } = this.#options;
    const [items, args] = job.args as [unknown[], unknown[]];
    const values: unknown[] = [];
    const failed: [number, unknown][] = [];
    const many = isStreaming(fn);
    setSerial(this.#current(job.peer, job.id));
    const started = clock.now();
    for (let i = 0; i < items.length && !job.cancelled; i++) {
      try {
        const result = args.length === 0 ? fn(items[i]) : fn(items[i], ...args);
        if (many) values.push(await gather(result, () => !job.cancelled));
        else values.push(isThenable(result) ? await result : result);
      } catch (error) {
        values.push(undefined);
        failed.push([i, toError(error)]);
      }
    }
    return { values, failed, elapsed: clock.now() - started };
  }

  // EX1
  #answer(job: Job, ok: boolean, value: unknown): void {
    if (!this.#isWanted(job)) return;
    if (!ok && value === this.#interrupted) return; // its client runs it elsewhere
    this.#post.answer(job.peer, job.id, ok, value);
  }

  // Whether the client still waits for the answer; if not, it is told only that the call runs no more.
  #isWanted(job: Job): boolean {
    if (this.#aborts.size > 0) this.#aborts.delete(key(job.peer, job.id));
    if (job.cancelled) this.#stopped(job.peer, job.id);
    return !job.cancelled;
  }

  // One result that cannot travel fails its own item, not the batch.
  #answerBatch(job: Job, outcome: BatchOutcome): void {
    if (!this.#isWanted(job)) return;
    try {
      this.#post.answerOrThrow(job.peer, job.id, outcome);
    } catch {
      this.#post.answer(job.peer, job.id, true, withoutRefused(outcome, this.#post));
    }
  }

  async #runIo(peer: RuntimeId, id: number, fn: number, args: readonly unknown[]): Promise<void> {
    if (this.#interrupted) return;
    this.#abortFor(peer, id);
    const call = this.#current(peer, id);
    this.#gauges.running(1);
    try {
      const loaded = await this.#function(fn);
      const value = await runConcurrent(call, () => {
        const result = loaded(...args);
        return isStreaming(loaded) ? gather(result, () => !call.signal.aborted) : result;
      });
      this.#settled(peer, id, true, value);
    } catch (error) {
      this.#settled(peer, id, false, toError(error));
    } finally {
      this.#gauges.running(-1);
      this.#gauges.done();
    }
  }

  async #runStream(peer: RuntimeId, id: number, fn: number, args: unknown[]): Promise<void> {
    this.#abortFor(peer, id);
    const call = this.#current(peer, id);
    this.#gauges.running(1);
    try {
      const loaded = await this.#function(fn);
      await runConcurrent(call, () => this.#streams.send(peer, id, call, valuesOf(loaded(...args))));
      this.#settled(peer, id, true, undefined);
    } catch (error) {
      this.#settled(peer, id, false, toError(error));
    } finally {
      this.#gauges.running(-1);
      this.#gauges.done();
    }
  }

  // A set-up is alone on its worker, because nothing else has been sent yet; so it has the number 0.
  async #setUp(peer: RuntimeId, fn: number, args: readonly unknown[], ofHost: boolean): Promise<void> {
    this.#abortFor(peer, 0);
    const call = this.#current(peer, 0);
    try {
      const data = await runConcurrent(call, async () => (await this.#function(fn))(...args));
      if (ofHost) this.#options.keep?.(data);
    } finally {
      this.#aborts.delete(key(peer, 0));
    }
  }

  #settled(peer: RuntimeId, id: number, ok: boolean, value: unknown): void {
    const abort = this.#aborts.get(key(peer, id));
    this.#aborts.delete(key(peer, id));
    if (!ok && value === this.#interrupted) return;
    if (abort?.signal.aborted) this.#stopped(peer, id);
    else this.#post.answer(peer, id, ok, value);
  }

  #cancel(peer: RuntimeId, id: number, reason: unknown): void {
    const error = reason instanceof Error ? reason : new FlotillaError('ERR_CALL_CANCELLED', 'The call was cancelled.');
    for (const job of this.#queue) {
      if (job.id !== id || job.peer !== peer) continue;
      job.cancelled = true;
      this.#stopped(peer, id);
      return;
    }
    if (this.#running?.id === id && this.#running.peer === peer) this.#running.cancelled = true;
    const abort = this.#aborts.get(key(peer, id)) ?? (this.#running?.id === id ? this.#abortFor(peer, id) : undefined);
    abort?.abort(error);
    if (this.#running?.id === id) this.#running.abandon?.();
    if (!abort || this.#options.abandons) this.#stopped(peer, id);
  }

  // Tells the client that a cancelled call runs no more; it gives this worker nothing until then.
  #stopped(peer: RuntimeId, call: number): void {
    this.#post.message(peer, CALLER, { kind: 'stopped', call });
    this.#options.onSettled?.(call);
  }

  #abortFor(peer: RuntimeId, id: number): AbortController {
    const abort = new AbortController();
    this.#aborts.set(key(peer, id), abort);
    return abort;
  }

  // Signals are made when asked for: most calls never look.
  #current(peer: RuntimeId, id: number): Current {
    return new RunningCall(this.#calls, peer, id);
  }
}

function abandonment(job: Job): Promise<void> {
  return new Promise((resolve) => {
    job.abandon = resolve;
  });
}

function key(peer: RuntimeId, id: number): string {
  return `${peer} ${id}`;
}
