// A program that has work done: runs functions on workers, here or on many machines.
//
// Owns its runtime, and without a shared scheduler also the scheduler and host in this process. Does not own the work on its way
// (dispatch/), the hosts and workers (crew/), or how the client comes to them (join.ts).
//
//   CT1. close() waits for calls under way, then leaves nothing: no process, folder, socket or timer; every host is free.
//   CT2. The verbs behave the same inline, on this machine, and on a cluster.
import { FlotillaError } from '../../base/index.ts';
import { Library } from '../../code/index.ts';
import type { Environment, Post, Runtime, Task, TaskGenerator, TaskRef, TaskResult } from '../../kernel/index.ts';
import { PLAIN } from '../calls/caller.ts';
import type { Calls } from '../calls/calls.ts';
import { runCall } from '../calls/run.ts';
import type { Mapped, RemoteModule, RunResult, Verbs } from '../calls/verbs.ts';
import { partsOf } from '../crew/components.ts';
import { countersOf } from '../dispatch/tally.ts';
import type { Counters } from '../protocol.ts';
import { type Assembly, assemble, type Ingredients } from './assemble.ts';
import { CLOSE_MS, endTasks, untilDone } from './closing.ts';
import { type Controlled, Controls } from './controls.ts';
import { openDoors } from './door.ts';
import { explainWork } from './explain.ts';
import { type Joined, join, startRuntime } from './join.ts';
import {
  type CallOptions,
  type ClientOptions,
  type CloseClientOptions,
  checkCallOptions,
  checkClientOptions,
  checkCloseOptions,
  type MapOptions,
} from './options.ts';

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
  readonly #parts: Assembly;
  readonly #calls: Calls;
  readonly #warn: (text: string) => void;
  #joined: Joined | undefined;
  #scheduled = false;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  private constructor(from: Ingredients) {
    super();
    const { runtime, options, warn } = from;
    this.runtime = runtime;
    this.#options = options;
    this.#warn = warn;
    this.#parts = assemble(from);
    const { crew, orders, calls, dispatcher, rules, limits } = this.#parts;
    this.#calls = calls;
    this.controlled = {
      crew,
      orders,
      report: calls.report,
      restartWorkers: options.restartWorkers ?? false,
      sendFile: (to, path, sent) => runtime.sendFile(to, path, sent),
      allocate: async (given) => {
        limits.lift(rules.add(given));
        await this.#joined?.again();
      },
      explain: () => explainWork(dispatcher, crew),
    };
    this.#listen(runtime.post);
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

  /** Connects in another environment than this process's own, as tests do. @internal */
  static async in(options: ClientOptions, world?: Environment, library = new Library()): Promise<Client> {
    checkClientOptions(options);
    partsOf(options.components ?? []);
    options.signal?.throwIfAborted();
    const { runtime, mode, since, log, warn } = await startRuntime(options, world);
    const client = new Client({ runtime, options, library, log, warn });
    const { provision } = client.#parts;
    try {
      await provision.build();
      client.#joined = await join(mode, {
        runtime,
        options,
        since,
        log,
        warn,
        parts: client.#parts,
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
    return this.#calls.run(fn, args, PLAIN);
  }

  map<T, A extends unknown[], R>(
    fn: (item: T, ...args: A) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { readonly args: A },
  ): Mapped<T, R>;
  map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): Mapped<T, R>;
  map<T, R>(fn: (item: T, ...args: never[]) => R, items: Iterable<T> | AsyncIterable<T>, options: MapOptions = {}): Mapped<T, R> {
    return this.#calls.map(fn, items, options, PLAIN);
  }

  spawn<M, A extends unknown[], V>(fn: TaskGenerator<M, A, V>, ...args: A): Promise<TaskRef<M, V>>;
  spawn<M, A extends unknown[], R>(fn: (self: Task<M>, ...args: A) => R, ...args: A): Promise<TaskRef<M, TaskResult<R>>>;
  spawn<M, A extends unknown[], R>(fn: (self: Task<M>, ...args: A) => R, ...args: A): Promise<TaskRef<M, TaskResult<R>>> {
    return this.#calls.spawn(fn, args, PLAIN);
  }

  /** The verbs with these options. */
  with(options: CallOptions): Verbs {
    checkCallOptions(options);
    return this.#calls.with(options);
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
          ? (...args: unknown[]) => runCall(this.#calls, this.#parts.jobs.exported(String(url), name), args, PLAIN)
          : undefined,
    }) as RemoteModule<M>;
  }

  /** How much this client was asked to do, and how it ended; items of `map` count one each. */
  get counters(): Counters {
    return countersOf(this.#parts.dispatcher);
  }

  /**
   * Waits for calls that wait or run (those with `io` only if `awaitIo`), interrupts tasks, and leaves: when it resolves, workers, folders
   * and sessions are gone, and every host is free for others. A call that nothing could run for ten seconds is given up (ERR_CLOSED), and
   * says why. Idempotent.
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
    const { crew, dispatcher } = this.#parts;
    const { clock } = this.runtime.environment;
    const closing = { clock, crew, dispatcher, tasks: this.#calls.tasks, options: this.#options };
    this.#calls.end();
    if (!terminate) await untilDone(closing, awaitIo, timeout);
    dispatcher.cancelAll(closed);
    await endTasks(closing);
    await this.#leave('the client closed', closed);
  }

  // Leaves, whatever the reason: hosts are told first, listeners last, so that they hear of everything that ends before. CT1
  async #leave(reason: string, error: FlotillaError): Promise<void> {
    const { crew } = this.#parts;
    this.#closing.abort(error);
    crew.leaveAll();
    await this.#joined?.link?.close(CLOSE_MS);
    crew.dissolve(reason);
    await this.#joined?.close();
    crew.events.emit({ kind: 'client-closed', reason });
    crew.events.end();
    await this.runtime.close();
  }

  #listen(post: Post): void {
    const { crew, orders, rules, dispatcher } = this.#parts;
    openDoors(post, {
      crew,
      orders,
      notices: this.#calls.notices,
      restartWorkers: this.controlled.restartWorkers,
      allocate: (offer) => rules.decide(offer),
      explain: () => explainWork(dispatcher, crew),
      admitted: () => this.#admitted(),
      stopped: () => dispatcher.pump(),
      closed: (reason) => this.#closedBy('the scheduler', reason),
    });
    crew.bars.on(({ station: { name }, reason }) => this.#closedBy(`its last host, '${name}',`, reason));
    this.runtime.links.keepers.add((peer) => orders.keeps(peer));
    post.on({
      offline: (peer) => orders.peerOffline(peer, true),
      online: (peer) => orders.peerOffline(peer, false),
      ended: (peer, end) => crew.peerEnded(peer, end),
    });
  }

  // Tells of the client's turn once. A restarted scheduler admits its clients again, and that is no news.
  #admitted(): void {
    if (!this.#scheduled) this.#parts.crew.events.emit({ kind: 'client-scheduled' });
    this.#scheduled = true;
  }

  #closedBy(who: string, reason: string): void {
    if (this.#closed) return;
    this.#warn(`${who} has closed this client: ${reason}`);
    const error = new FlotillaError(
      'ERR_CLUSTER_CLOSED',
      `This client was closed by ${who.replace(/,$/, '')}: ${reason}. Connect again to go on.`,
    );
    this.#calls.end();
    this.#parts.dispatcher.cancelAll(error);
    this.#closed = this.#leave(reason, error);
  }
}
