// References to services, by which their tasks are started and called.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import type { Asks } from '../post/door.ts';
import type { Post } from '../post/post.ts';
import { SERVICES, type ServicesDoor } from '../protocol.ts';
import { Reference, type RefHome, type RefWire } from '../references/ref-base.ts';
import type { TaskEnded, TaskRef, WaitOptions } from '../tasks/reference.ts';

/** The extension by which references to services travel. */
export const SERVICE_CODE = 3;

/** Options of {@link ServiceRef.close}. */
export interface CloseService extends WaitOptions {
  /** Whether tasks started through the reference that still run are ended or left alone; `terminate` by default. */
  readonly running?: 'terminate' | 'detach';
}

/**
 * A reference to a service: starts its function as tasks of the runtime that serves it, with typed arguments.
 *
 * Tasks belong to the reference through which they were started: they are terminated with `close()`, unless detached, and when the
 * runtime that started them is gone. Called `RPS` in pycos.
 */
export interface ServiceRef<in M = never, in A extends unknown[] = never, out R = unknown> extends AsyncDisposable {
  readonly name: string;
  readonly id: string;
  readonly runtime: RuntimeId;
  /** Starts a task there. Rejects with ERR_SERVICE_ARGUMENTS, ERR_SERVICE_CLOSED, ERR_SESSION_LOST or the function's error. */
  readonly spawn: (...args: A) => Promise<TaskRef<M, R>>;
  /** Starts a task there and resolves with its result; rejects as `spawn`, and with the error that the task threw. */
  readonly call: (...args: A) => Promise<R>;
  /** The same service with a timeout or signal for each call, at which the task there is terminated. */
  with(options: WaitOptions): ServiceRef<M, A, R>;
  /** Has a task get a {@link TaskEnded} for each task that is started through this reference from now on; returns how to end it. */
  monitor(watcher: TaskRef<TaskEnded<R>>): () => void;
  /** Gives the reference up. Idempotent. Where the service is served there is one reference, which can be used again. */
  close(options?: CloseService): Promise<void>;
}

/** The parts of a runtime that a reference to a service needs. */
export interface ServiceRefHome extends Post, RefHome {
  readonly services: {
    /** Gives a number to a reference that this runtime holds. */
    nextReference(): number;
  };
}

interface Shared {
  /** The number of the reference among those of its runtime. */
  readonly number: number;
  readonly watchers: Set<TaskRef<TaskEnded<never>>>;
  closed: boolean;
}

/** A service of any runtime. Requests to a service of this runtime take the same way as others. */
export class AnyServiceRef extends Reference implements ServiceRef<unknown, unknown[], unknown> {
  readonly code = SERVICE_CODE;
  declare readonly home: ServiceRefHome;
  readonly #wait: WaitOptions;
  readonly #shared: Shared;
  #asks: Asks<ServicesDoor> | undefined;

  constructor(
    home: ServiceRefHome,
    place: { runtime: string; number: number; name: string },
    wire?: RefWire,
    wait: WaitOptions = {},
    shared?: Shared,
  ) {
    super(home, place, wire);
    this.#wait = wait;
    this.#shared = shared ?? { number: home.services.nextReference(), watchers: new Set(), closed: false };
  }

  readonly spawn = async (...args: unknown[]): Promise<TaskRef<unknown>> => {
    const ref = (await this.#ask('spawn', args)) as TaskRef<unknown>;
    for (const watcher of this.#shared.watchers) await ref.notify(watcher as TaskRef<TaskEnded>);
    return ref;
  };

  readonly call = async (...args: unknown[]): Promise<unknown> => {
    if (this.#shared.watchers.size === 0) return this.#ask('call', args);
    return (await this.spawn(...args)).finish(this.#wait);
  };

  with(options: WaitOptions): AnyServiceRef {
    return new AnyServiceRef(this.home, this, this.wire, options, this.#shared);
  }

  monitor(watcher: TaskRef<TaskEnded<never>>): () => void {
    this.#shared.watchers.add(watcher);
    return () => this.#shared.watchers.delete(watcher);
  }

  async close({ running = 'terminate', ...wait }: CloseService = {}): Promise<void> {
    if (this.#shared.closed) return;
    const own = this.runtime === this.home.id; // a service here has one reference, which all of this runtime share, so it stays usable
    this.#shared.closed = !own;
    const gone = !own && !this.home.peers.has(this.runtime);
    if (!gone) await this.home.at(this.runtime, SERVICES, wait).close(this.#shared.number, running === 'terminate');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().catch(() => {}); // it rejects when the runtime that served it is gone, and its tasks with it
  }

  #ask(method: 'spawn' | 'call', args: unknown[]): Promise<unknown> {
    if (this.#shared.closed) {
      return Promise.reject(new FlotillaError('ERR_SERVICE_CLOSED', `This reference to the service '${this.name}' has been closed.`));
    }
    this.#asks ??= this.home.at(this.runtime, SERVICES, this.#wait);
    return this.#asks[method](this.number, this.#shared.number, args);
  }
}
