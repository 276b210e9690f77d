// One process's kernel: its tasks, its sessions, its addresses. Opens and closes everything, in order.
import { type Clock, checkNumber, checkOptions, FlotillaError, type Log, mintRuntimeId, type RuntimeId, shortId } from '../base/index.ts';
import { Keys, parseAddress, type Role } from '../transport/index.ts';
import { eachFrame, LENGTH_BYTES, readVarint } from '../wire/index.ts';
import { type Environment, nodeEnvironment } from './environment.ts';
import { Kernel } from './kernel.ts';
import type { Carrier } from './sessions/carrier.ts';
import { Hub } from './sessions/hub.ts';
import type { Range } from './sessions/range.ts';
import type { TaskRef } from './tasks/reference.ts';
import type { TaskFunction } from './tasks/task.ts';

/** Options of {@link Runtime.start}. */
export interface RuntimeOptions {
  /** A name for people; by default made from the id. */
  readonly name?: string;
  /** Addresses to be dialled at, as `tcp://HOST:PORT`; port 0 takes any. None by default: a runtime that only dials needs none. */
  readonly listen?: string | readonly string[];
  /** The host name or address that others are told, where it differs from the one listened at. */
  readonly advertise?: string;
  /** The secret shared by all who may connect; by default that of `~/.flotilla/secret`. */
  readonly secret?: string | Uint8Array;
  /** Milliseconds between signs of life, 500 to 100000; 2000 by default. A peer silent for five is lost. */
  readonly pulse?: number;
  /** `auto` encrypts all that leaves the machine; `always`, everything. */
  readonly encrypt?: 'auto' | 'always';
  readonly log?: Log;
  /** What this runtime is to others. @internal */
  readonly role?: Role;
  /** Whether a silent peer is held rather than lost. @internal */
  readonly keeps?: (peer: RuntimeId) => boolean;
}

const OPTION_NAMES = ['name', 'listen', 'advertise', 'secret', 'pulse', 'encrypt', 'log', 'role', 'keeps'];
const PULSE_MS = 2_000;
const LEAST_PULSE_MS = 500;
const MOST_PULSE_MS = 100_000;
const CONNECT_MS = 10_000;

/**
 * One process's part of the system: it runs tasks, and reaches other runtimes. Called `Pycos` in pycos.
 *
 * Close it when done: `await using`, or `close()`.
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
  /** @internal */
  readonly hub: Hub;
  /** @internal */
  readonly kernel: Kernel;
  readonly environment: Environment;
  readonly log: Log | undefined;
  /** @internal */
  readonly secret: Uint8Array;
  #closed: Promise<void> | undefined;

  private constructor(hub: Hub, kernel: Kernel, environment: Environment, secret: Uint8Array, log: Log | undefined) {
    this.hub = hub;
    this.kernel = kernel;
    this.environment = environment;
    this.secret = secret;
    this.log = log;
  }

  /** Starts a runtime. Rejects with ERR_OPTION_*, ERR_SECRET_FILE, ERR_LINK_ADDRESS or ERR_LINK_PORT_IN_USE. */
  static async start(options: RuntimeOptions = {}, environment: Environment = nodeEnvironment()): Promise<Runtime> {
    checkOptions('Runtime.start', options, OPTION_NAMES);
    checkNumber('Runtime.start', 'pulse', options.pulse, LEAST_PULSE_MS, MOST_PULSE_MS);
    const secret =
      options.secret === undefined
        ? environment.secret()
        : typeof options.secret === 'string'
          ? Buffer.from(options.secret)
          : options.secret;
    if (secret.length === 0) throw new FlotillaError('ERR_OPTION_INVALID', "Runtime.start: 'secret' is empty.");
    const id = mintRuntimeId(environment.random);
    let kernel: Kernel | undefined;
    const value = (): Kernel => kernel as Kernel;
    const hub: Hub = new Hub({
      id,
      name: options.name ?? `runtime-${shortId(id)}`,
      role: options.role ?? 'runtime',
      keys: new Keys(secret),
      environment,
      pulseMs: options.pulse ?? PULSE_MS,
      encrypt: options.encrypt ?? 'auto',
      keeps: options.keeps ?? (() => false),
      ...(options.log ? { log: options.log } : {}),
      events: {
        frame: (...frame) => value().frame(...frame),
        opened: (peer) => value().opened(peer),
        offline: (peer) => value().offline(peer),
        online: (peer) => value().online(peer),
        ended: (peer, end) => value().ended(peer, end),
        room: (peer) => value().room(peer),
      },
    });
    kernel = new Kernel({
      clock: environment.clock,
      carrier: carry(hub, environment, value),
      ...(options.log ? { log: options.log } : {}),
    });
    kernel.peers.set(id, { id, name: hub.options.name, role: hub.options.role, addresses: [] });
    const runtime = new Runtime(hub, kernel, environment, secret, options.log);
    try {
      for (const text of [options.listen ?? []].flat()) await hub.listen(parseAddress(text, 0), options.advertise);
    } catch (error) {
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

  /** Where this runtime can be dialled. */
  get locations(): readonly string[] {
    return this.hub.addresses;
  }

  /** The runtimes it has an open session with. */
  get peers(): readonly { readonly id: RuntimeId; readonly name: string }[] {
    return [...this.kernel.peers.values()].filter((peer) => peer.id !== this.id);
  }

  /** Starts a function as a task of this runtime: `fn(self, ...args)`. */
  spawn<M, A extends unknown[], R>(fn: TaskFunction<M, A, R>, ...args: A): TaskRef<M, Awaited<R>> {
    if (this.#closed) throw new FlotillaError('ERR_CLOSED', `The runtime '${this.name}' is closed.`);
    return this.kernel.spawn(fn, args);
  }

  /** Opens a session with the runtime at an address. Rejects with ERR_LINK_* or ERR_TIMEOUT. */
  async connect(location: string, options: { timeout?: number; signal?: AbortSignal } = {}): Promise<RuntimeId> {
    if (this.#closed) throw new FlotillaError('ERR_CLOSED', `The runtime '${this.name}' is closed.`);
    return this.hub.connect(parseAddress(location), {
      timeoutMs: options.timeout ?? CONNECT_MS,
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }

  /** Ends its tasks, says goodbye to its peers and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const task of this.kernel.tasks) task.terminate('the runtime closes');
    this.kernel.flush();
    await this.hub.close();
  }
}

function carry(hub: Hub, { clock }: Environment, kernel: () => Kernel): Carrier {
  return {
    id: hub.id,
    name: hub.options.name,
    get addresses() {
      return hub.addresses;
    },
    acknowledges: false,
    post(peer, range, large) {
      if (peer === hub.id) loopBack(range, large, clock, kernel);
      else hub.post(peer, range, large);
    },
    hasRoom: (peer) => hub.session(peer)?.hasRoom ?? true,
    reach: (peer, addresses, via) => hub.reach(peer, addresses, via),
    mailbox() {},
  };
}

// What a runtime sends to itself takes the same way as all else, but for the link.
function loopBack(range: Range, large: boolean, clock: Clock, kernel: () => Kernel): void {
  const bytes = Buffer.from(range.buffer.subarray(range.start, range.end));
  range.release?.();
  clock.defer(() => {
    const { id } = kernel();
    if (large) {
      const target = readVarint(bytes, LENGTH_BYTES + 1, bytes.length);
      kernel().frame(id, bytes[LENGTH_BYTES] as number, target.value, bytes, target.next, bytes.length, false);
    } else
      eachFrame(bytes, 0, bytes.length, (kind, target, buffer, start, end) => kernel().frame(id, kind, target, buffer, start, end, false));
  });
}
