// A program that has work done: runs functions on workers, here or on many machines.
//
// Owns its runtime, and when private also the scheduler and host in this process. Does not own what happens to calls
// (dispatch.ts) or who the workers are (crew.ts).
//
//   C1. close() waits for what runs, then leaves nothing: no process, folder, socket or timer.
//   C2. The verbs behave the same inline, on this machine, and on a cluster.
import { Deferred, FlotillaError, type Log, lineLog } from '../base/index.ts';
import { Library, type Loaded } from '../code/index.ts';
import type { Host, HostNotice } from '../host/index.ts';
import { GRACE_MS, type Kernel, nodeEnvironment, PORT, Runtime, type Task, type TaskRef, type TaskResult } from '../kernel/index.ts';
import { type ClusterEvent, Crew } from './crew.ts';
import { Dispatcher } from './dispatch.ts';
import { firstWorker } from './first-worker.ts';
import { MapRun } from './map.ts';
import { type CallOptions, type ClientOptions, checkCallOptions, checkClientOptions, checkMapOptions, type MapOptions } from './options.ts';
import { printLine } from './output.ts';
import { startInline, startLocal } from './private.ts';
import type { SchedulerNotice, WorkerNotice } from './protocol.ts';
import { mapResults, type Results } from './results.ts';
import { type Caller, isStreaming, PLAIN, RemoteValues, runCall } from './run.ts';
import { SchedulerLink } from './scheduler-link.ts';
import { spawnTask } from './spawn.ts';
import type { RemoteModule, RunResult, Verbs, WorkerReport } from './verbs.ts';
import type { Job, Member } from './work.ts';

const CLOSE_MS = 2_000;

/**
 * A program's way to have functions run: on this machine's cores, or on a cluster's.
 *
 * Close it when done: `await using`, or `close()`. Called `Client` in dispycos.
 *
 * @example
 * ```ts
 * await using client = await Client.connect({ inline: true });
 * console.log(await client.run((a: number, b: number) => a + b, 20, 22)); // => 42
 * for await (const square of client.map((n: number) => n * n, [1, 2, 3])) console.log(square); // => 1 4 9
 * ```
 */
export class Client implements Verbs, AsyncDisposable {
  readonly runtime: Runtime;
  readonly #options: ClientOptions;
  readonly #dispatcher: Dispatcher;
  readonly #library: Library;
  readonly #crew: Crew;
  readonly #caller: Caller;
  readonly #jobs = new WeakMap<(...args: never[]) => unknown, Job>();
  readonly #inline = new Map<number, Loaded>();
  readonly #moduleJobs = new Map<string, Job>();
  #nextJob = 1;
  #host: Host | undefined;
  #link: SchedulerLink | undefined;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  private constructor(runtime: Runtime, options: ClientOptions, log: Log) {
    this.runtime = runtime;
    this.#options = options;
    this.#library = new Library();
    this.#dispatcher = new Dispatcher(runtime.kernel);
    this.#crew = new Crew(runtime.kernel, this.#dispatcher, this.#library, log);
    this.#crew.onOutput = options.output === 'ignore' ? () => {} : typeof options.output === 'function' ? options.output : printLine;
    this.#caller = {
      kernel: runtime.kernel,
      dispatcher: this.#dispatcher,
      job: (fn) => this.#job(fn),
      prepare: (job) => this.#prepare(job),
      mapError: (error, member) => this.#mapError(error, member),
      notices: new Map(),
      tasks: new Set(),
    };
    this.#listen(runtime.kernel);
  }

  /**
   * Connects to workers: a shared scheduler's (`scheduler` or FLOTILLA_SCHEDULER), else this machine's cores.
   *
   * Waits for the first worker of a shared scheduler; this machine's own start while the program goes on. Rejects with ERR_OPTION_*, ERR_LINK_*, ERR_CLUSTER_NO_SCHEDULER, ERR_CLUSTER_NO_WORKERS or ERR_SECRET_FILE.
   */
  static async connect(options: ClientOptions = {}): Promise<Client> {
    checkClientOptions(options);
    options.signal?.throwIfAborted();
    const warn = options.warn ?? ((text: string) => process.stderr.write(`flotilla: ${text}\n`));
    const log = lineLog((line) => warn(line.replace(/^warning: /, '')), 'warn');
    const environment = nodeEnvironment();
    const address = options.scheduler === undefined ? process.env['FLOTILLA_SCHEDULER'] : options.scheduler;
    const shared = options.inline || address === undefined || address === '' || address === 'local' ? undefined : address;
    const given = typeof options.secret === 'string' ? Buffer.from(options.secret) : options.secret;
    const secret = given ?? (shared === undefined ? environment.random(32) : undefined);
    const runtime = await Runtime.start(
      {
        role: 'client',
        ...(secret === undefined ? {} : { secret }),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.pulse === undefined ? {} : { pulse: options.pulse }),
        ...(options.encrypt === undefined ? {} : { encrypt: options.encrypt }),
        log,
      },
      environment,
    );
    const client = new Client(runtime, options, log);
    try {
      if (options.inline) startInline(runtime, client.#dispatcher, client.#crew, client.#inline);
      else if (shared === undefined) client.#host = await startLocal(runtime, secret as Uint8Array, options, log);
      else client.#link = await SchedulerLink.open(runtime, client.#crew, client.#dispatcher, shared, options, warn);
      if (!options.inline) {
        const waiting = firstWorker({
          clock: environment.clock,
          crew: client.#crew,
          dispatcher: client.#dispatcher,
          options,
          warn,
          local: shared === undefined,
          explain: () => client.#link?.explain(),
          closing: client.#closing.signal,
        });
        // This machine's processes start while the program goes on; what it asks for meanwhile waits for them.
        if (shared === undefined) waiting.catch((error: Error) => client.#dispatcher.fail(error));
        else await waiting;
      }
      return client;
    } catch (error) {
      await client.close({ timeout: 0 });
      throw error;
    }
  }

  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): RunResult<R> {
    return this.#run(fn, args, PLAIN) as RunResult<R>;
  }

  map<T, A extends unknown[], R>(
    fn: (item: T, ...args: A) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { readonly args: A },
  ): Results<T, Awaited<R>>;
  map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): Results<T, Awaited<R>>;
  map<T, R>(fn: (item: T, ...args: never[]) => R, items: Iterable<T> | AsyncIterable<T>, options: MapOptions = {}): Results<T, Awaited<R>> {
    return this.#map(fn, items, options, {});
  }

  spawn<M, A extends unknown[], R>(fn: (self: Task<M>, ...args: A) => R, ...args: A): Promise<TaskRef<M, TaskResult<R>>> {
    return this.#spawn(fn, args, {}) as Promise<TaskRef<M, TaskResult<R>>>;
  }

  /** The same verbs with options. */
  with(options: CallOptions): Verbs {
    checkCallOptions(options);
    return {
      run: ((fn: (...args: never[]) => unknown, ...args: unknown[]) => this.#run(fn, args, options)) as Verbs['run'],
      map: ((fn: (item: unknown, ...args: never[]) => unknown, items: Iterable<unknown>, mapOptions: MapOptions = {}) =>
        this.#map(fn, items, mapOptions, options)) as Verbs['map'],
      spawn: ((fn: (...args: never[]) => unknown, ...args: unknown[]) => this.#spawn(fn, args, options)) as Verbs['spawn'],
    };
  }

  /**
   * The exports of a module, to be run on workers; the module itself is not loaded here.
   *
   * `client.module<typeof import('./job.ts')>(new URL('./job.ts', import.meta.url)).work(1)`
   */
  module<M>(url: URL | string): RemoteModule<M> {
    return new Proxy(Object.create(null) as object, {
      get: (_target, name) =>
        typeof name === 'string' && name !== 'then'
          ? (...args: unknown[]) => runCall(this.#caller, this.#moduleFunction(String(url), name), args, {})
          : undefined,
    }) as RemoteModule<M>;
  }

  /** Every worker that this client has or had, and what it did. */
  workers(): readonly WorkerReport[] {
    const live = new Map(this.#dispatcher.members.map((member) => [member.info.name, member]));
    return [...this.#crew.history].map(([name, { host, done, lost }]) => ({ name, host, lost, done: done + (live.get(name)?.done ?? 0) }));
  }

  /** What this client has done: items of `map` count one each. */
  get counters(): {
    readonly done: number;
    readonly failed: number;
    readonly retried: number;
    readonly waiting: number;
    readonly running: number;
  } {
    return { ...this.#dispatcher.tally, waiting: this.#dispatcher.waiting, running: this.#dispatcher.running };
  }

  /** Changes of hosts and workers, from now on. */
  events(options: { signal?: AbortSignal } = {}): AsyncIterable<ClusterEvent> {
    return this.#crew.events.read(options);
  }

  /** Calls back for each change of hosts and workers; returns what stops it. */
  onEvent(listener: (event: ClusterEvent) => void): () => void {
    return this.#crew.events.on(listener);
  }

  /**
   * Waits for calls that wait or run, ends tasks, and leaves: workers, folders and sessions are gone when it resolves.
   *
   * `timeout` bounds the wait for calls. Idempotent.
   */
  close(options: { timeout?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(options.timeout);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeout: number | undefined): Promise<void> {
    const { clock } = this.runtime.environment;
    const idle = this.#dispatcher.idle();
    if (timeout === undefined) await idle;
    else {
      const late = new Deferred<void>();
      const timer = clock.after(timeout, () => late.resolve());
      await Promise.race([idle, late.promise]);
      timer.cancel();
    }
    this.#dispatcher.fail(new FlotillaError('ERR_CLOSED', 'The client was closed.'));
    await this.#endTasks();
    this.#closing.abort(new FlotillaError('ERR_CLOSED', 'The client was closed.'));
    this.#crew.closing = true;
    await this.#link?.close(CLOSE_MS);
    await this.#host?.close();
    await this.runtime.close();
  }

  async #endTasks(): Promise<void> {
    const tasks = [...this.#caller.tasks];
    for (const task of tasks) task.terminate('the client closes');
    const late = new Deferred<void>();
    const timer = this.runtime.environment.clock.after(GRACE_MS + CLOSE_MS, () => late.resolve());
    await Promise.race([Promise.all(tasks.map((task) => task.ended)), late.promise]);
    timer.cancel();
  }

  #listen(kernel: Kernel): void {
    kernel.serve(PORT.CLIENT, {
      message: (peer, value) => {
        const notice = value as HostNotice | SchedulerNotice | WorkerNotice;
        switch (notice.kind) {
          case 'item':
            return this.#caller.notices.get(`${peer} ${notice.call}`)?.item?.(notice.value);
          case 'progress':
            return this.#caller.notices.get(`${peer} ${notice.call}`)?.progress?.(notice.done, notice.total, notice.note);
          case 'grant':
          case 'revoke':
            return this.#crew.granted(notice);
          default:
            return this.#crew.heard(peer, notice);
        }
      },
    });
    kernel.onEnded = (peer, end) => {
      this.#host?.peerEnded(peer);
      this.#link?.peerEnded(peer, end);
      this.#crew.peerEnded(peer, end);
    };
    kernel.onOffline = (peer, offline) => this.#crew.peerOffline(peer, offline);
  }

  #run(fn: (...args: never[]) => unknown, args: readonly unknown[], options: CallOptions): unknown {
    this.#checkOpen(fn, 'run');
    return isStreaming(fn) ? new RemoteValues(this.#caller, fn, args, options) : runCall(this.#caller, fn, args, options);
  }

  #map<T, R>(
    fn: (item: T, ...args: never[]) => unknown,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions,
    callOptions: CallOptions,
  ): Results<T, Awaited<R>> {
    this.#checkOpen(fn as (...args: never[]) => unknown, 'map');
    checkMapOptions(options);
    if (typeof items !== 'object' || items === null || !(Symbol.iterator in items || Symbol.asyncIterator in items)) {
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `client.map: the items must be iterable; they are ${items === null ? 'null' : typeof items}.`,
      );
    }
    return mapResults(() => new MapRun<T>(this.#caller, fn as (...args: never[]) => unknown, items, { ...callOptions, ...options }));
  }

  #spawn(fn: (...args: never[]) => unknown, args: readonly unknown[], options: CallOptions): Promise<TaskRef<unknown>> {
    this.#checkOpen(fn, 'spawn');
    return spawnTask(this.#caller, fn, args, options);
  }

  #checkOpen(fn: unknown, verb: string): void {
    if (this.#closed) throw new FlotillaError('ERR_CLOSED', `client.${verb}: the client is closed.`);
    if (typeof fn !== 'function')
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `client.${verb}: the first argument must be a function; it is ${fn === null ? 'null' : typeof fn}.`,
      );
  }

  #job(fn: (...args: never[]) => unknown): Job {
    let job = this.#jobs.get(fn);
    if (!job) {
      job = this.#newJob(fn, fn.name || 'anonymous');
      this.#jobs.set(fn, job);
    }
    return job;
  }

  #newJob(fn: (...args: never[]) => unknown, label: string): Job {
    return {
      id: this.#nextJob++,
      fn,
      label,
      shipped: undefined,
      serviceMs: undefined,
      refusedBy: new Map(),
      prepared: undefined,
      ready: false,
    };
  }

  #moduleFunction(url: string, name: string): (...args: never[]) => unknown {
    const key = `${url}#${name}`;
    let job = this.#moduleJobs.get(key);
    if (!job) {
      const stand = (): void => {};
      job = this.#newJob(stand, name);
      this.#moduleJobs.set(key, job);
      this.#jobs.set(stand, job);
      this.#library.standFor(stand, url, name);
    }
    return job.fn;
  }

  #prepare(job: Job): Promise<void> {
    if (!this.#options.inline) return this.#crew.prepare(job);
    this.#inline.set(job.id, job.fn as unknown as Loaded);
    job.shipped = { label: job.label, unit: String(job.id), name: '', path: [] };
    job.ready = true;
    return Promise.resolve();
  }

  #mapError(thrown: unknown, member: Member | undefined): unknown {
    if (!(thrown instanceof Error)) return thrown;
    for (let error: unknown = thrown, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth++) {
      if (typeof error.stack === 'string') error.stack = this.#library.mapStack(error.stack);
    }
    if (member && !Object.hasOwn(thrown, 'worker'))
      Object.defineProperty(thrown, 'worker', { value: member.info.name, enumerable: false, configurable: true });
    return thrown;
  }
}
