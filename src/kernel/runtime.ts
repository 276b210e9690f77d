// One process's kernel: its tasks, names, sessions, addresses and files. Opens and closes everything, in order.
import { join } from 'node:path';
import { FlotillaError, type Log, type RuntimeId, sleep } from '../base/index.ts';
import { shortAddress } from '../transport/index.ts';
import { type Channel, type ChannelOptions, createChannel } from './channels/port.ts';
import { CloseHooks } from './close-hooks.ts';
import { type Environment, nodeEnvironment } from './environment.ts';
import type { FileOutcome, SendFileOptions } from './files/contract.ts';
import { FileReceiver } from './files/receive.ts';
import { FileSender } from './files/send.ts';
import { Condition, EventFlag, Lock, Semaphore } from './locks/locks.ts';
import type { ChannelName, Located, LocateOptions, Name } from './names/name.ts';
import { Finder } from './peers/finder.ts';
import { type PeerOptions, Peers, type PeersAt, type Where } from './peers/peers.ts';
import { locateAt } from './peers/search.ts';
import type { PeerStatus } from './peers/status.ts';
import { Kernel } from './post/kernel.ts';
import type { Travelling } from './references/classes.ts';
import { datagramsOf, isOpen, type Listening, type Listens, type RuntimeOptions } from './runtime-options.ts';
import type { Served } from './services/port.ts';
import type { Service } from './services/service-name.ts';
import { Hub } from './sessions/hub.ts';
import type { PeerInfo } from './sessions/hub-options.ts';
import type { Links } from './sessions/links.ts';
import { type Start, startOf } from './start.ts';
import { ownPlace } from './tasks/place.ts';
import type { TaskRef, WaitOptions } from './tasks/reference.ts';
import type { Spawner, TaskFunction, TaskGenerator, TaskResult } from './tasks/self.ts';
import { swapTask } from './tasks/swap.ts';
import { TASK_OPTIONS, type TaskOptions } from './tasks/table.ts';
import { GRACE_MS } from './tasks/task.ts';
import type { TaskPost } from './tasks/task-post.ts';
import { carriedTo, carry } from './threads/own-carrier.ts';

/**
 * One process's part of the system: it runs tasks, and reaches other runtimes. Called `Pycos` in pycos.
 *
 * Close it when done: `await using`, or `close()`; `finish()` waits for its tasks first.
 *
 * @example
 * ```ts
 * await using runtime = await Runtime.start({ name: 'demo' });
 * const echo = runtime.spawn(async (self: Task<string>) => (await self.receive()).toUpperCase());
 * echo.send('hello');
 * console.log(await echo.result); // => HELLO
 * ```
 */
export class Runtime implements AsyncDisposable {
  /** For the tests of this package; rooms above have `post` and `links`. @internal */
  readonly hub: Hub;
  /** @internal */
  readonly kernel: Kernel;
  /** The post by which the rooms above ask, tell and hear. @internal */
  readonly post: TaskPost;
  /** The sessions, as far as the rooms above may act on them. @internal */
  readonly links: Links;
  readonly environment: Environment;
  readonly log: Log;
  /** The valid secrets, the current one first. @internal */
  readonly secrets: readonly Uint8Array[];
  readonly #finder: Finder;
  readonly #peers: Peers;
  readonly #sender: FileSender;
  readonly #receiver: FileReceiver;
  readonly #hooks: CloseHooks;
  #closed: Promise<void> | undefined;

  private constructor(hub: Hub, kernel: Kernel, environment: Environment, { secrets, log, places }: Start, options: RuntimeOptions) {
    this.hub = hub;
    this.kernel = kernel;
    this.post = kernel;
    this.links = hub;
    this.environment = environment;
    this.secrets = secrets;
    this.log = log;
    this.#finder = new Finder(hub, kernel, { datagrams: datagramsOf(options, places), seeds: options.seeds ?? [] });
    this.#finder.ignoring = options.ignorePeers ?? false;
    this.#peers = new Peers(hub, kernel, this.#finder);
    this.#sender = new FileSender(kernel, environment);
    this.#hooks = new CloseHooks(environment, log);
    this.#receiver = new FileReceiver(kernel, environment, { dir: options.filesDir ?? '', maxSize: options.maxFileSize });
  }

  /** Starts a runtime. Rejects with ERR_OPTION_*, ERR_SECRET_FILE, ERR_LINK_ADDRESS, ERR_LINK_PORT_IN_USE or ERR_DISCOVERY. */
  static start(options: RuntimeOptions & Listens, environment?: Environment): Promise<Runtime & Listening>;
  static start(options?: RuntimeOptions, environment?: Environment): Promise<Runtime>;
  static async start(options: RuntimeOptions = {}, environment: Environment = nodeEnvironment()): Promise<Runtime> {
    const started = startOf(options, environment);
    const { log, places } = started;
    let kernel: Kernel | undefined;
    let runtime: Runtime | undefined;
    const value = (): Kernel => kernel as Kernel;
    const hub: Hub = new Hub({ ...started.hub, ignores: () => runtime?.ignorePeers ?? false, events: carriedTo(value) });
    kernel = new Kernel({ clock: environment.clock, carrier: carry(hub, environment, value), log });
    const made = new Runtime(hub, kernel, environment, started, options);
    runtime = made;
    kernel.place = ownPlace(
      () => made.name,
      (name) => join(made.filesDir, name),
    );
    try {
      for (const place of places) await hub.listen(place);
      if (options.name === undefined && hub.addresses[0]) hub.options.name = shortAddress(environment.networks, hub.addresses[0]);
      runtime.#receiver.settings.dir ||= environment.files.received(runtime.name);
      kernel.peers.set(hub.id, { id: hub.id, name: runtime.name, role: hub.options.role, addresses: hub.addresses });
      if (hub.addresses.length > 0 && hub.options.role === 'runtime')
        log[isOpen(options, places) ? 'info' : 'debug'](`Runtime '${runtime.name}' listens at ${hub.addresses.join(', ')}.`);
      await runtime.#finder.start();
    } catch (error) {
      await runtime.#finder.close();
      await hub.close(0);
      throw error;
    }
    return runtime;
  }

  /** The id of this start; a restarted program has another. */
  get id(): RuntimeId {
    return this.hub.id;
  }

  get name(): string {
    return this.hub.options.name;
  }

  /** @internal */
  get secret(): Uint8Array {
    return this.secrets[0] as Uint8Array;
  }

  /** The addresses at which this runtime can be dialled. */
  get locations(): readonly string[] {
    return this.hub.addresses;
  }

  /** The first of {@link locations}; undefined if it listens nowhere. */
  get location(): string | undefined {
    return this.hub.addresses[0];
  }

  /** Takes no new peers, and neither makes nor answers announcements. */
  get ignorePeers(): boolean {
    return this.#finder.ignoring;
  }

  set ignorePeers(value: boolean) {
    this.#finder.ignoring = value;
  }

  /** The folder for received files. */
  get filesDir(): string {
    return this.#receiver.settings.dir;
  }

  set filesDir(dir: string) {
    this.#receiver.settings.dir = dir;
  }

  /** Gives senders folders of their own instead of `filesDir`; `placed` hears of each file that is in its place. @internal */
  receiveFor(dirOf: (peer: RuntimeId) => string | undefined, placed?: (peer: RuntimeId, path: string) => void): void {
    Object.assign(this.#receiver.settings, { dirOf, placed });
  }

  /** The most bytes of a received file; undefined: no limit. */
  get maxFileSize(): number | undefined {
    return this.#receiver.settings.maxSize;
  }

  set maxFileSize(bytes: number | undefined) {
    this.#receiver.settings.maxSize = bytes;
  }

  /** Starts a function as a task of this runtime: `fn(self, ...args)`. Generator functions end at a yield. */
  spawn<M, A extends unknown[], V>(fn: TaskGenerator<M, A, V>, ...args: A): TaskRef<M, V>;
  spawn<M, A extends unknown[], R>(fn: TaskFunction<M, A, R>, ...args: A): TaskRef<M, TaskResult<R>>;
  spawn<M, A extends unknown[], R>(fn: TaskFunction<M, A, R>, ...args: A): TaskRef<M, TaskResult<R>> {
    this.#check();
    return this.kernel.tasks.spawn(fn, args);
  }

  /** Starts tasks with a name, or as daemons. Throws ERR_OPTION_*. */
  with(options: TaskOptions): Spawner {
    TASK_OPTIONS.check(options);
    const spawn = <M, A extends unknown[], R>(fn: TaskFunction<M, A, R>, ...args: A): TaskRef<M, TaskResult<R>> => {
      this.#check();
      return this.kernel.tasks.spawn(fn, args, options);
    };
    return { spawn: spawn as Spawner['spawn'] };
  }

  /**
   * Replaces the function of a task of this runtime that is `swappable`, at its next wait; its mailbox, names and watchers stay.
   * Resolves with whether the task took it; a task that is not swappable within `answerTimeout` did not. Rejects with
   * ERR_TASK_UNKNOWN for a task of another runtime. Called `hot_swap` in pycos.
   */
  swap<M, A extends unknown[], R>(task: TaskRef<M, unknown>, fn: TaskFunction<M, A, R>, ...args: A): Promise<boolean> {
    return swapTask(this.kernel, task as TaskRef<never>, fn as never, args, this.hub.options.answerMs);
  }

  /** Finds a task, channel or service by name, here or at any peer. Rejects with ERR_NAME_UNKNOWN, ERR_OPTION_INVALID or the signal's reason. */
  async locate<N extends Name | string>(name: N, options: LocateOptions = {}): Promise<Located<N>> {
    this.#check();
    const { at } = options;
    if (at === undefined) return (await this.kernel.locate(name, options)) as Located<N>;
    const { kernel: post, environment } = this;
    return (await locateAt({ post, environment, peers: this.#peers }, name, { ...options, at })) as Located<N>;
  }

  /** Finds a runtime by its name: this one, a peer, or one that comes later. Rejects with ERR_NAME_UNKNOWN after the timeout. */
  locatePeer(name: string, options: WaitOptions = {}): Promise<PeerInfo> {
    this.#check();
    return this.#peers.locate(name, options);
  }

  /** Makes a channel, and registers its name unless told not to. Throws ERR_NAME_TAKEN. */
  channel<M, O = M>(name: ChannelName<M, O>, options: ChannelOptions<M, O> = {}): Channel<M, O> {
    this.#check();
    return createChannel(this.kernel, name, options);
  }

  /** Offers a service to peers and to this runtime. Throws ERR_NAME_TAKEN. */
  serve<M, A extends unknown[], R>(service: Service<M, A, R>): Served<M, A, R> {
    this.#check();
    return this.kernel.services.serve(service);
  }

  /** Lets objects of a class travel with their class; both sides register it, under one name. Throws ERR_NAME_TAKEN. */
  registerClass(made: Travelling, name?: string): void {
    this.kernel.classes.register(made, name);
  }

  /** The runtimes that this one has an open session with. */
  peers(): readonly PeerInfo[] {
    return [...this.kernel.peers.values()].filter((peer) => peer.id !== this.id);
  }

  /** Gives the peers that are here, then each that comes or goes. */
  peerEvents(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<PeerStatus> {
    return this.#peers.events.read({ ...options, first: this.#peers.present() });
  }

  /** Sends a task the peers that are here, then each change, until it ends or the function returned is called. */
  peerStatus(task: TaskRef<PeerStatus>): () => void {
    return this.#peers.tell(task);
  }

  /** Opens a session with the runtime at an address. Rejects with ERR_LINK_* or ERR_TIMEOUT. */
  async connect(location: string, options: WaitOptions = {}): Promise<RuntimeId> {
    this.#check();
    return this.#peers.connect(location, options);
  }

  /**
   * Makes runtimes peers: the one at `HOST:PORT`, or all of a machine that is given without a port and that answer at its shared
   * udp port. Resolves with those it has a session with; rejects with ERR_LINK_*, ERR_PEERS_IGNORED or ERR_TIMEOUT. It is not
   * needed at both sides.
   */
  peer<W extends string>(where: W, options: PeerOptions = {}): Promise<PeersAt<W>> {
    this.#check();
    return this.#peers.add(where, options) as Promise<PeersAt<W>>;
  }

  /** Says goodbye to a peer, once it has all that was sent, and does not look for it again. */
  async closePeer(peer: Where, options: WaitOptions = {}): Promise<void> {
    await this.#peers.part(peer, options.timeout ?? this.hub.options.answerMs);
  }

  /** Looks for runtimes nearby again, now; without `discover`, does nothing. Called `discover_peers()` in pycos. */
  discoverPeers(): void {
    this.#finder.again();
  }

  /** Sends a file to a peer. Resolves with `sent`, `present` or `differs`; rejects with ERR_FILE_*, ERR_SESSION_LOST or ERR_TIMEOUT. */
  async sendFile(to: Where, path: string, options: SendFileOptions = {}): Promise<FileOutcome> {
    this.#check();
    return this.#sender.send(await this.#peers.idOf(to, {}), path, options);
  }

  /** Deletes a file that was sent to a peer, and folders that are empty then; gives whether it was there. Rejects with ERR_FILE_*. */
  async deleteFile(at: Where, name: string, options: { readonly dir?: string; readonly timeout?: number } = {}): Promise<boolean> {
    this.#check();
    return this.#sender.delete(await this.#peers.idOf(at, {}), name, options.dir ?? '', options.timeout);
  }

  /** Makes a flag for something that tasks of this runtime wait for until it has happened. */
  event(): EventFlag {
    return new EventFlag(this.environment.clock);
  }

  /** Makes a lock, which one task holds at a time. */
  lock(): Lock {
    return new Lock(this.environment.clock);
  }

  /** Makes a condition: tasks wait under a lock (a new one by default) for others to say that something has changed. */
  condition(lock: Lock = this.lock()): Condition {
    return new Condition(this.environment.clock, lock);
  }

  /** Makes a semaphore, which so many tasks hold at a time. */
  semaphore(places = 1): Semaphore {
    return new Semaphore(this.environment.clock, places);
  }

  /**
   * Calls back once before the runtime is gone, higher priorities first: when it closes, before it says goodbye to its peers, or when the
   * program ends without that. By `process.exit` or an uncaught error a hook runs only up to its first wait; by a signal it
   * does not run. Returns a function that takes it back. Called `atexit` in pycos.
   */
  onClose(hook: () => unknown, priority = 0): () => void {
    return this.#hooks.add(hook, priority);
  }

  /** Waits until only daemons run; resolves with whether that came within the timeout. */
  async join({ timeout }: { readonly timeout?: number } = {}): Promise<boolean> {
    const idle = this.kernel.tasks.idle().then(() => true);
    if (timeout === undefined) return idle;
    const stop = new AbortController();
    const late = sleep(this.environment.clock, timeout, stop.signal).then(() => false);
    late.catch(() => {});
    return Promise.race([idle, late]).finally(() => stop.abort());
  }

  /** Waits for all tasks that are not daemons, then closes. */
  async finish(): Promise<void> {
    await this.join();
    await this.close();
  }

  /**
   * Ends its tasks, gives them the grace period to clean up, says goodbye to its peers and closes everything. Idempotent; does not
   * reject: an error that a hook threw is in the log.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.#closed) throw new FlotillaError('ERR_CLOSED', `The runtime '${this.name}' is closed.`);
  }

  async #close(): Promise<void> {
    const { tasks } = this.kernel;
    const stop = new AbortController();
    for (const task of [...tasks.all()]) task.terminate('the runtime closes');
    if (tasks.size > 0) await Promise.race([tasks.empty(), sleep(this.environment.clock, GRACE_MS, stop.signal).catch(() => {})]);
    stop.abort();
    await this.#hooks.run();
    await this.#finder.close();
    await this.#receiver.close();
    for (const channel of [...this.kernel.channels.values()]) channel.close();
    this.kernel.flush();
    await this.hub.close();
  }
}
