// The three verbs of one client: each makes work of a request and its options.
//
// Owns the spawned tasks that have not ended, and the followers of calls under way. Does not own which work runs where (dispatch/).
//
//   VB1. A call for a place that can never come fails at once, instead of waiting for it.
//   VB2. Work is given to workers once its function's code is on the hosts.
//   VB3. Once the client has closed, every verb throws.
import { FlotillaError } from '../../base/index.ts';
import type { Post, Task, TaskRef, TaskResult } from '../../kernel/index.ts';
import { isStreaming } from '../../worker/index.ts';
import { type CallOptions, checkMapOptions, type MapOptions } from '../client/options.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Job } from '../dispatch/job.ts';
import type { Work } from '../dispatch/work.ts';
import type { Caller } from './caller.ts';
import { MapRun } from './map.ts';
import { Notices } from './notices.ts';
import { mapResults } from './results.ts';
import { runCall } from './run.ts';
import { spawnTask } from './spawn.ts';
import { RemoteValues } from './values.ts';
import type { Mapped, MapResult, MapValue, RunResult, Verbs } from './verbs.ts';
import type { WorkReport } from './work-report.ts';

/** The parts of a client that calls need. */
export interface CallsOptions {
  readonly post: Post;
  readonly dispatcher: Dispatcher;
  readonly jobs: Caller['jobs'];
  /** Brings a function's code to the hosts. */
  readonly code: { prepare(job: Job): Promise<void> };
  /** Knows why nothing will ever run at a place. */
  readonly places: { refuses(at: string): Error | undefined };
  readonly report: WorkReport;
}

/** The calls of one client. */
export class Calls implements Caller {
  readonly post: Post;
  readonly dispatcher: Dispatcher;
  readonly jobs: Caller['jobs'];
  readonly report: WorkReport;
  /** Notices of workers about calls that stream or report progress. */
  readonly notices = new Notices();
  /** Spawned tasks that have not ended. */
  readonly tasks = new Set<TaskRef<unknown>>();
  readonly #code: CallsOptions['code'];
  readonly #places: CallsOptions['places'];
  #ended = false;

  constructor({ post, dispatcher, jobs, code, places, report }: CallsOptions) {
    this.post = post;
    this.dispatcher = dispatcher;
    this.jobs = jobs;
    this.report = report;
    this.#code = code;
    this.#places = places;
  }

  /** Runs a function on a worker. */
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options: CallOptions): RunResult<R> {
    this.#check(fn, 'run');
    return (isStreaming(fn) ? new RemoteValues(this, fn, args, options) : runCall(this, fn, args, options)) as RunResult<R>;
  }

  /** Runs a function over many items; it begins when its results are read. */
  map<T, R>(
    fn: (item: T, ...args: never[]) => R,
    items: Iterable<T> | AsyncIterable<T>,
    mapOptions: MapOptions,
    options: CallOptions,
  ): Mapped<T, R> {
    this.#check(fn, 'map');
    checkMapOptions(mapOptions, items);
    return mapResults<T, MapValue<R>, MapResult<R>>(() => new MapRun<T>(this, fn, items, { ...options, ...mapOptions }), isStreaming(fn));
  }

  /** Starts a function as a task on a worker. */
  spawn<M, A extends unknown[], R>(
    fn: (self: Task<M>, ...args: A) => R,
    args: A,
    options: CallOptions,
  ): Promise<TaskRef<M, TaskResult<R>>> {
    this.#check(fn, 'spawn');
    return spawnTask(this, fn, args, options) as Promise<TaskRef<M, TaskResult<R>>>;
  }

  /** The verbs with options. */
  with(options: CallOptions): Verbs {
    return {
      run: (fn, ...args) => this.run(fn, args, options),
      map: <T, R>(fn: (item: T, ...args: never[]) => R, items: Iterable<T> | AsyncIterable<T>, mapOptions: MapOptions = {}) =>
        this.map(fn, items, mapOptions, options),
      spawn: <M, A extends unknown[], R>(fn: (self: Task<M>, ...args: A) => R, ...args: A) => this.spawn(fn, args, options),
    };
  }

  /** Refuses all verbs from now on. VB3 */
  end(): void {
    this.#ended = true;
  }

  /** Why nothing will ever run at a place; undefined if it may. VB1 */
  refuses(at: string | undefined): Error | undefined {
    return at === undefined ? undefined : this.#places.refuses(at);
  }

  /** Resolves when a job's code is on the hosts; the client is not idle until then. */
  prepared(job: Job): Promise<void> {
    return this.dispatcher.until(this.#code.prepare(job));
  }

  /** Submits work. VB1, VB2 */
  submit(work: Work): void {
    const refused = this.refuses(work.at);
    if (refused) return this.dispatcher.refuse(work, refused);
    if (work.job.ready) this.dispatcher.submit(work);
    else this.dispatcher.expect(work, this.#code.prepare(work.job));
  }

  #check(fn: unknown, verb: string): void {
    if (this.#ended) throw new FlotillaError('ERR_CLOSED', `client.${verb}: the client is closed.`);
    if (typeof fn !== 'function')
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `client.${verb}: the first argument must be a function; it is ${fn === null ? 'null' : typeof fn}.`,
      );
  }
}
