// The processes of a tenant's own on a host, beside the places that are granted to it.
//
// Owns these processes, by numbers below zero, which no place has. Does not own the stay that they belong to, nor decide how many
// there may be.
//
//   BS1. A process counts from when it is asked for until it is gone, so that no more begin than there may be at a time.
//   BS2. A process that ends is not followed by another: its tenant is told, and decides.
//   BS3. These processes end with the stay of their tenant, and none begins after that.
import { Deferred, FlotillaError, type RuntimeId } from '../base/index.ts';
import type { ChildHandler, Launched } from './process/contract.ts';
import type { WorkerInfo } from './protocol.ts';
import { Slot, type SlotHost, type Stay } from './slot.ts';

/** One such process: the slot that runs it, and the promise that its tenant waits for. */
interface Own {
  readonly slot: Slot;
  readonly started: Deferred<WorkerInfo>;
}

/** The processes beside places of one stay. */
export class Beside implements SlotHost {
  readonly clock: SlotHost['clock'];
  readonly random: () => number;
  readonly #host: SlotHost;
  readonly #tenant: RuntimeId;
  readonly #stay: Stay;
  readonly #own = new Map<number, Own>();
  #last = 0;
  #closed = false;

  constructor(host: SlotHost, tenant: RuntimeId, stay: Stay) {
    this.#host = host;
    this.#tenant = tenant;
    this.#stay = stay;
    this.clock = host.clock;
    this.random = host.random;
  }

  /** How many processes there are, those that still begin included. BS1 */
  get size(): number {
    return this.#own.size;
  }

  get slots(): readonly Slot[] {
    return [...this.#own.values()].map(({ slot }) => slot);
  }

  /** Starts a process; resolves when it has greeted. Rejects with ERR_HOST_START. BS1, BS2 */
  start(name: string): Promise<WorkerInfo> {
    if (this.#closed) return Promise.reject(new FlotillaError('ERR_HOST_START', `Process ${name} did not start: its tenant has left.`)); // BS3
    const number = --this.#last;
    const slot = new Slot(this, { number, client: this.#tenant, stay: this.#stay, epoch: 0, name, once: true });
    const started = new Deferred<WorkerInfo>();
    this.#own.set(number, { slot, started });
    slot.start();
    return started.promise;
  }

  /** Ends a process. Resolves when it is gone. */
  async end(number: number, reason: string): Promise<void> {
    const own = this.#own.get(number);
    if (!own) return;
    await own.slot.end(reason);
    this.#gone(own.slot, reason);
  }

  /** Ends all processes, and starts no more. BS3 */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#own.keys()].map((number) => this.end(number, 'its tenant left')));
  }

  launch(slot: Slot, handler: ChildHandler): Launched {
    return this.#host.launch(slot, handler);
  }

  greet(child: Launched): Promise<RuntimeId> {
    return this.#host.greet(child);
  }

  ready(slot: Slot, worker: RuntimeId, pid: number): void {
    this.#own.get(slot.number)?.started.resolve(this.info(slot, worker, pid));
  }

  info(slot: Slot, worker: RuntimeId, pid: number): WorkerInfo {
    return this.#host.info(slot, worker, pid);
  }

  ended(slot: Slot, worker: RuntimeId, reason: string, lastLines: readonly string[], onPurpose: boolean): void {
    this.#gone(slot, reason);
    this.#host.ended(slot, worker, reason, lastLines, onPurpose);
  }

  failed(slot: Slot, reason: string): void {
    this.#gone(slot, reason);
  }

  // Forgets a process. A tenant that still waits for it to begin is told why it does not.
  #gone(slot: Slot, reason: string): void {
    const own = this.#own.get(slot.number);
    this.#own.delete(slot.number);
    own?.started.reject(new FlotillaError('ERR_HOST_START', reason));
  }
}

/** The error for a tenant that may start no more processes. */
export function besideError(host: string, most: number): FlotillaError {
  const text =
    most === 0 ? 'starts no processes beside the places that are granted' : `lets nobody have more than ${most} beside places at a time`;
  return new FlotillaError('ERR_HOST_PROCESSES', `Host '${host}' ${text}.`);
}
