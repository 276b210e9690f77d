// A program that has work done: runs functions on workers, here or on many machines.
//
// Owns its runtime, and when private also the scheduler and host in this process. Does not own what happens to calls
// (dispatch/), who the workers are (crew.ts), or how it comes to them (join.ts).
//
//   CT1. close() waits for what runs, then leaves nothing: no process, folder, socket or timer; every host is free.
//   CT2. The verbs behave the same inline, on this machine, and on a cluster.
import { FlotillaError, type Log, type RuntimeId, toError } from '../../base/index.ts';
import { Library, type Loaded } from '../../code/index.ts';
import type { Environment, Kernel, Runtime, Task, TaskGenerator, TaskRef, TaskResult } from '../../kernel/index.ts';
import { isStreaming } from '../../worker/index.ts';
import { MapRun } from '../calls/map.ts';
import { Notices } from '../calls/notices.ts';
import { mapResults } from '../calls/results.ts';
import { type Caller, PLAIN, RemoteValues, runCall } from '../calls/run.ts';
import { spawnTask } from '../calls/spawn.ts';
import { WorkReport } from '../calls/work-report.ts';
import { allocationsOf, decide, type HostAllocation } from '../crew/allocation.ts';
import { partsOf } from '../crew/components.ts';
import { Crew } from '../crew/crew.ts';
import type { CrewClient } from '../crew/crew-client.ts';
import { Limits } from '../crew/limits.ts';
import { Orders } from '../crew/orders.ts';
import { Places } from '../crew/places.ts';
import { Provision } from '../crew/provision.ts';
import { asSetUp } from '../crew/set-up.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Job } from '../dispatch/job.ts';
import { WorkQueue } from '../dispatch/queue.ts';
import { countersOf } from '../dispatch/tally.ts';
import type { Member } from '../dispatch/work.ts';
import type { Counters, HostOffer } from '../protocol.ts';
import { CLOSE_MS, endTasks, untilDone } from './closing.ts';
import { type Controlled, Controls } from './controls.ts';
import { openDoors } from './door.ts';
import { explainWork } from './explain.ts';
import { type Joined, join, startRuntime } from './join.ts';
import { joinNames } from './join-names.ts';
import {
  type CallOptions,
  type ClientOptions,
  type CloseClientOptions,
  checkCallOptions,
  checkClientOptions,
  checkCloseOptions,
  checkMapOptions,
  type MapOptions,
} from './options.ts';
import { printLine } from './output.ts';
import type { Mapped, RemoteModule, RunResult, Verbs } from './verbs.ts';

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
export class Client extends Controls implements Verbs, AsyncDisposable {
  readonly runtime: Runtime;
  protected readonly controlled: Controlled;
  readonly #options: ClientOptions;
  readonly #dispatcher: Dispatcher;
  readonly #library: Library;
  readonly #crew: Crew;
  readonly #limits = new Limits();
  readonly #provision: Provision;
  readonly #caller: Caller;
  readonly #warn: (text: string) => void;
  readonly #jobs = new WeakMap<(...args: never[]) => unknown, Job>();
  readonly #inline = new Map<number, Loaded>();
  readonly #moduleJobs = new Map<string, Job>();
  #allocations: readonly HostAllocation[];
  #joined: Joined | undefined;
  #scheduled = false;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  private constructor(runtime: Runtime, options: ClientOptions, library: Library, log: Log, warn: (text: string) => void) {
    super();
    this.runtime = runtime;
    this.#options = options;
    this.#warn = warn;
    this.#library = library;
    const mapError: Caller['mapError'] = (error, member) => this.#mapError(error, member);
    this.#dispatcher = new Dispatcher({ kernel: runtime.kernel, queue: new WorkQueue(), mapError });
    this.#allocations = allocationsOf(options.hosts ?? []);
    const { disableHosts = false, disableWorkers = false, restartWorkers = false, abandonZombieHosts = false } = options;
    const crewClient: CrewClient = {
      runtime,
      dispatcher: this.#dispatcher,
      library: this.#library,
      provision: () => this.#provision,
      log,
      options: { disableHosts, disableWorkers, restartWorkers, abandonZombieHosts },
      limits: this.#limits,
    };
    this.#crew = new Crew(crewClient);
    joinNames(runtime, this.#crew);
    this.#provision = new Provision({
      runtime,
      library: this.#library,
      parts: partsOf(options.components ?? []),
      hostSetUp: asSetUp('hostSetUp', options.hostSetUp),
      workerSetUp: asSetUp('workerSetUp', options.workerSetUp),
      stations: () => this.#crew.stations.values(),
      workers: () => (options.inline ? [] : this.#crew.members.keys()),
      log,
    });
    this.#crew.onOutput = options.output === 'ignore' ? () => {} : typeof options.output === 'function' ? options.output : printLine;
    const report = new WorkReport(runtime.environment.clock, this.#crew.events, this.#dispatcher);
    const orders = new Orders(this.#crew, crewClient);
    this.controlled = {
      crew: this.#crew,
      orders,
      report,
      restartWorkers,
      sendFile: (to, path, sent) => runtime.sendFile(to as { id: RuntimeId }, path, sent),
      allocate: async (allocation) => {
        this.#allocations = [...allocationsOf([allocation]), ...(this.#allocations.length > 0 ? this.#allocations : [{ host: '*' }])];
        this.#limits.lift(allocationsOf([allocation])[0]?.host ?? '*');
        await this.#joined?.again(this.#allocations);
      },
      explain: () => explainWork(this.#dispatcher, this.#crew),
    };
    const only = () => this.#joined?.only;
    const { clock } = runtime.environment;
    const places = new Places({ clock, crew: this.#crew, dispatcher: this.#dispatcher, warn, only });
    this.#caller = {
      kernel: runtime.kernel,
      dispatcher: this.#dispatcher,
      report,
      job: (fn) => this.#job(fn),
      prepare: (job) => this.#prepare(job),
      refuses: (at) => places.refuses(at),
      mapError,
      notices: new Notices(),
      tasks: new Set(),
    };
    report.tell(options, warn);
    this.#listen(runtime.kernel, orders);
  }

  /**
   * Connects to workers: a shared scheduler's (`scheduler` or FLOTILLA_SCHEDULER), else this machine's cores.
   *
   * Waits for its turn and for the first worker of a cluster, unless hosts or workers are disabled; this machine's own start while the
   * program goes on. Rejects with ERR_OPTION_*, ERR_LINK_*, ERR_CLUSTER_NO_SCHEDULER, ERR_CLUSTER_NO_WORKERS, ERR_CODE_*,
   * ERR_HOST_SET_UP, ERR_SECRET_FILE or the signal's reason. Called `schedule` in dispycos.
   */
  static connect(options: ClientOptions = {}): Promise<Client> {
    return Client.in(options);
  }

  /** In another environment than this process's own. @internal */
  static async in(options: ClientOptions, world?: Environment, library = new Library()): Promise<Client> {
    checkClientOptions(options);
    partsOf(options.components ?? []);
    options.signal?.throwIfAborted();
    const { runtime, mode, since, log, warn, keeper } = await startRuntime(options, world);
    const client = new Client(runtime, options, library, log, warn);
    keeper.keeps = (peer) => client.controlled.orders.keeps(peer);
    try {
      await client.#provision.build();
      client.#joined = await join(mode, {
        runtime,
        options,
        since,
        log,
        warn,
        crew: client.#crew,
        dispatcher: client.#dispatcher,
        allocations: client.#allocations,
        limits: client.#limits,
        inline: client.#inline,
        closing: client.#closing.signal,
        simulated: world !== undefined,
      });
      await client.#joined.begun;
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
  ): Mapped<T, R>;
  map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): Mapped<T, R>;
  map<T, R>(fn: (item: T, ...args: never[]) => R, items: Iterable<T> | AsyncIterable<T>, options: MapOptions = {}): Mapped<T, R> {
    return this.#map(fn, items, options, {});
  }

  spawn<M, A extends unknown[], V>(fn: TaskGenerator<M, A, V>, ...args: A): Promise<TaskRef<M, V>>;
  spawn<M, A extends unknown[], R>(fn: (self: Task<M>, ...args: A) => R, ...args: A): Promise<TaskRef<M, TaskResult<R>>>;
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

  /** What this client was asked to do, and what became of it: items of `map` count one each. */
  get counters(): Counters {
    return countersOf(this.#dispatcher);
  }

  /**
   * Waits for calls that wait or run (those with `io` only if `awaitIo`), interrupts tasks, and leaves: when it resolves, workers, folders
   * and sessions are gone, and every host is free for others. What nothing could run for ten seconds is given up (ERR_CLOSED), and says
   * why. Idempotent.
   */
  close(options: CloseClientOptions = {}): Promise<void> {
    checkCloseOptions(options);
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close({ timeout, awaitIo = false, terminate = false }: CloseClientOptions): Promise<void> {
    const closed = new FlotillaError('ERR_CLOSED', 'The client was closed.');
    const { clock } = this.runtime.environment;
    const closing = { clock, crew: this.#crew, dispatcher: this.#dispatcher, tasks: this.#caller.tasks, options: this.#options };
    if (!terminate) await untilDone(closing, awaitIo, timeout);
    this.#dispatcher.cancelAll(closed);
    await endTasks(closing);
    await this.#leave('the client closed', closed);
  }

  // Whatever ends a client, its hosts are told, and its listeners last of all. CT1
  async #leave(reason: string, error: FlotillaError): Promise<void> {
    this.#closing.abort(error);
    this.#crew.closing = true;
    await this.#joined?.link?.close(CLOSE_MS);
    this.#crew.dissolve(reason);
    await this.#joined?.close();
    this.#crew.events.emit({ kind: 'client-closed', reason });
    this.#crew.events.end();
    await this.runtime.close();
  }

  #listen(kernel: Kernel, orders: Orders): void {
    openDoors(kernel, {
      crew: this.#crew,
      orders,
      notices: this.#caller.notices,
      restartWorkers: this.controlled.restartWorkers,
      allocate: (offer) => this.#allocate(offer),
      explain: () => explainWork(this.#dispatcher, this.#crew),
      admitted: () => this.#admitted(),
      stopped: () => this.#dispatcher.pump(),
      closed: (reason) => this.#closedBy('the scheduler', reason),
    });
    this.#crew.onBarred = ({ name }, reason) => this.#closedBy(`its last host, '${name}',`, reason);
    kernel.onEnded = (peer, end) => {
      this.#joined?.peerEnded(peer, end);
      this.#crew.peerEnded(peer, end);
    };
    kernel.onOffline = (peer, offline) => orders.peerOffline(peer, offline);
  }

  // A restarted scheduler admits its clients again.
  #admitted(): void {
    if (!this.#scheduled) this.#crew.events.emit({ kind: 'client-scheduled' });
    this.#scheduled = true;
  }

  #closedBy(who: string, reason: string): void {
    if (this.#closed) return;
    this.#warn(`${who} has closed this client: ${reason}`);
    const error = new FlotillaError(
      'ERR_CLUSTER_CLOSED',
      `This client was closed by ${who.replace(/,$/, '')}: ${reason}. Connect again to go on.`,
    );
    this.#dispatcher.cancelAll(error);
    this.#closed = this.#leave(reason, error);
  }

  async #allocate(offer: HostOffer): Promise<{ take: number; why: string }> {
    try {
      const { take, why } = await decide(this.#allocations, offer, this.runtime.environment.resolve);
      if (take === 0) this.#crew.events.emit({ kind: 'host-ignored', host: offer.name, info: offer, reason: why });
      return { take, why };
    } catch (error) {
      this.#warn(`the allocation of host '${offer.name}' failed, and it is not used: ${toError(error).message}`);
      throw error;
    }
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
  ): Mapped<T, R> {
    this.#checkOpen(fn as (...args: never[]) => unknown, 'map');
    checkMapOptions(options, items);
    const run = (): MapRun<T> => new MapRun<T>(this.#caller, fn as (...args: never[]) => unknown, items, { ...callOptions, ...options });
    return mapResults(run, isStreaming(fn as (...args: never[]) => unknown));
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
      const first = this.#options.inline ? fn : (this.#library.firstAt(fn) as typeof fn);
      job = this.#jobs.get(first) ?? this.#provision.newJob(first);
      this.#jobs.set(first, job);
      this.#jobs.set(fn, job);
    }
    return job;
  }

  #moduleFunction(url: string, name: string): (...args: never[]) => unknown {
    const key = `${url}#${name}`;
    let job = this.#moduleJobs.get(key);
    if (!job) {
      const stand = (): void => {};
      job = this.#provision.newJob(stand, name);
      this.#moduleJobs.set(key, job);
      this.#jobs.set(stand, job);
      this.#library.standFor(stand, url, name);
    }
    return job.fn;
  }

  #prepare(job: Job): Promise<void> {
    if (!this.#options.inline) return this.#provision.prepare(job);
    this.#inline.set(job.id, job.fn as unknown as Loaded); // CT2
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
