// One machine's part in a cluster: starts, watches and ends worker processes for those to whom they are granted.
//
// Owns worker processes, their folders and the store of code. Does not own who may have them (the scheduler's business).
//
//   H1. A slot has at most one process. A newer epoch takes the slot from an older one.
//   H2. What a client had here goes when it leaves or is lost: processes, folders.
//   H3. A worker that ends by itself is replaced after a back-off, as long as its slot is granted.
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Backoff, FlotillaError, type Log, type RuntimeId, randomFraction, SILENT, type Timer } from '../base/index.ts';
import { Store, type UnitHead } from '../code/index.ts';
import { type Asked, PORT, type Runtime } from '../kernel/index.ts';
import { Child, startError, type WorkerConfig } from './child.ts';
import { hostFolder, userFolder } from './folder.ts';
import type { Assignment, HostNotice, Offer } from './protocol.ts';

/** Options of {@link Host}. */
export interface HostOptions {
  readonly name: string;
  readonly workers: number;
  /** The program of a worker process. */
  readonly entry: string;
  /** The secret, which workers need to be reached. */
  readonly secret: Uint8Array;
  /** Where workers listen: an address without port. None: they are reached through this host. */
  readonly listen?: readonly string[];
  readonly advertise?: string;
  readonly encrypt?: 'auto' | 'always';
  /** Heap limit of a worker in MiB; by default Node's own. */
  readonly heap?: number;
  readonly log?: Log;
  /** Hears when slots are free again. */
  readonly onFree?: (client: RuntimeId, slots: readonly number[], epoch: number) => void;
}

interface Slot {
  readonly number: number;
  readonly client: RuntimeId;
  readonly epoch: number;
  readonly backoff: Backoff;
  child: Child | undefined;
  worker: RuntimeId | undefined;
  startedAt: number;
  retry: Timer | undefined;
  ended: boolean;
}

interface Tenant {
  readonly id: RuntimeId;
  readonly folder: string;
  attached: boolean;
  readonly held: HostNotice[];
}

const STEADY_MS = 10_000;
const MOST_HELD = 1_000;

/** The host of one runtime. */
export class Host {
  readonly options: HostOptions;
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #store: Store;
  readonly #log: Log;
  readonly #slots = new Map<number, Slot>();
  readonly #tenants = new Map<RuntimeId, Tenant>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;
  /** The runtime that may grant this host's places. */
  scheduler: RuntimeId | undefined;

  constructor(runtime: Runtime, options: HostOptions) {
    this.#runtime = runtime;
    this.options = options;
    this.#log = options.log ?? SILENT;
    this.#folder = hostFolder(runtime.environment.random);
    this.#store = new Store(join(userFolder(), 'store'));
    runtime.kernel.serveMethods(PORT.HOST, {
      assign: ({ peer }, assignment: Assignment) => this.#byScheduler(peer, () => this.assign(assignment)),
      dismiss: ({ peer }, client: RuntimeId) => this.#byScheduler(peer, () => this.drop(client)),
      attach: ({ peer }) => this.#attach(peer),
      provide: ({ peer }, units: UnitHead[]) => this.#provide(peer, units),
      put: ({ peer }, hash: string, text: string) => this.#put(peer, hash, text),
      release: ({ peer }, slots: number[]) => this.release(peer, slots),
      detach: ({ peer }) => this.drop(peer),
      kill: (asked, worker: RuntimeId, reason: string) => this.#kill(asked, worker, reason),
    });
  }

  /** What this host offers to a scheduler. */
  get offer(): Offer {
    const held = [...this.#slots.values()].map((slot) => ({ client: slot.client, slots: [slot.number], epoch: slot.epoch }));
    return { name: this.options.name, workers: this.options.workers, addresses: this.#runtime.locations, held };
  }

  get running(): number {
    return [...this.#slots.values()].filter((slot) => slot.worker !== undefined).length;
  }

  /** Gives slots to a client and starts their workers. H1 */
  assign({ client, slots, epoch }: Assignment): void {
    if (this.#closed) return;
    for (const number of slots) {
      const held = this.#slots.get(number);
      if (number < 1 || number > this.options.workers || (held && held.epoch >= epoch)) continue;
      if (held) this.#end(held, 'its place was granted to another client');
      const random = (): number => randomFraction(this.#runtime.environment.random);
      const slot: Slot = {
        number,
        client,
        epoch,
        backoff: new Backoff({ firstMs: 100, mostMs: 10_000, random }),
        child: undefined,
        worker: undefined,
        startedAt: 0,
        retry: undefined,
        ended: false,
      };
      this.#slots.set(number, slot);
      this.#tenant(client);
      this.#start(slot);
    }
  }

  /** Takes slots back from a client. */
  release(client: RuntimeId, slots: readonly number[]): void {
    for (const number of slots) {
      const slot = this.#slots.get(number);
      if (slot?.client !== client) continue;
      this.#end(slot, 'its place was given back');
      this.options.onFree?.(client, [number], slot.epoch);
    }
  }

  /** A client is gone: so is all it had here. H2 */
  drop(client: RuntimeId): Promise<void> {
    const tenant = this.#tenants.get(client);
    if (!tenant) return Promise.resolve();
    this.#tenants.delete(client);
    const mine = [...this.#slots.values()].filter((slot) => slot.client === client);
    const gone = mine.map((slot) => this.#end(slot, 'its client left'));
    const leaving = Promise.all(gone)
      .then(() => rm(tenant.folder, { recursive: true, force: true, maxRetries: 3 }))
      .catch((error: Error) => this.#log.warn(`${tenant.folder} could not be removed: ${error.message}`))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    for (const slot of mine) this.options.onFree?.(client, [slot.number], slot.epoch);
    return leaving;
  }

  /** Tells the host that a peer's session has ended. */
  peerEnded(peer: RuntimeId): void {
    void this.drop(peer);
  }

  /** Ends every worker and removes every folder. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#tenants.keys()].map((client) => this.drop(client)));
    await Promise.all(this.#leaving);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #byScheduler<T>(peer: RuntimeId, act: () => T): T {
    if (peer === this.scheduler) return act();
    throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', `Host '${this.options.name}' takes orders from its scheduler only.`);
  }

  #tenant(client: RuntimeId): Tenant {
    let tenant = this.#tenants.get(client);
    if (!tenant) {
      const folder = join(this.#folder, client.slice(0, 12));
      mkdirSync(join(folder, 'code'), { recursive: true, mode: 0o700 });
      tenant = { id: client, folder, attached: false, held: [] };
      this.#tenants.set(client, tenant);
    }
    return tenant;
  }

  #granted(client: RuntimeId): Tenant {
    const tenant = this.#tenants.get(client);
    if (tenant) return tenant;
    throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', `Host '${this.options.name}' has granted nothing to this client.`);
  }

  #attach(client: RuntimeId): { name: string; folder: string } {
    const tenant = this.#granted(client);
    tenant.attached = true;
    for (const notice of tenant.held.splice(0)) this.#runtime.kernel.message(client, PORT.CLIENT, notice);
    return { name: this.options.name, folder: tenant.folder };
  }

  #notify(client: RuntimeId, notice: HostNotice): void {
    const tenant = this.#tenants.get(client);
    if (!tenant) return;
    if (tenant.attached) this.#runtime.kernel.message(client, PORT.CLIENT, notice);
    else if (tenant.held.length < MOST_HELD) tenant.held.push(notice);
  }

  async #provide(client: RuntimeId, units: readonly UnitHead[]): Promise<string[]> {
    const tenant = this.#granted(client);
    const missing = this.#store.missing(units.map((unit) => unit.hash));
    if (missing.length === 0) await this.#store.provide(tenant.folder, units);
    return missing;
  }

  async #put(client: RuntimeId, hash: string, text: string): Promise<void> {
    this.#granted(client);
    await this.#store.put(hash, text);
  }

  #kill({ peer }: Asked, worker: RuntimeId, reason: string): void {
    const slot = [...this.#slots.values()].find((candidate) => candidate.worker === worker && candidate.client === peer);
    void slot?.child?.kill(reason);
  }

  #start(slot: Slot): void {
    const name = `${this.options.name}/${slot.number}`;
    const tenant = this.#tenants.get(slot.client);
    if (slot.ended || this.#closed || !tenant) return;
    const cwd = join(tenant.folder, String(slot.number));
    mkdirSync(cwd, { recursive: true, mode: 0o700 });
    const config: WorkerConfig = {
      name,
      secret: Buffer.from(this.options.secret).toString('hex'),
      folder: tenant.folder,
      cwd,
      listen: this.options.listen ?? [],
      advertise: this.options.advertise,
      pulse: this.#runtime.hub.options.pulseMs,
      encrypt: this.options.encrypt ?? 'auto',
      host: this.options.name,
      slot: slot.number,
    };
    slot.startedAt = this.#runtime.environment.clock.now();
    const child = new Child(
      this.options.entry,
      config,
      {
        output: (stream, text) => this.#notify(slot.client, { kind: 'output', worker: name, stream, text }),
        ended: (reason, lastLines) => this.#ended(slot, child, name, reason, lastLines),
      },
      this.options.heap === undefined ? [] : [`--max-old-space-size=${this.options.heap}`],
    );
    slot.child = child;
    this.#runtime.hub
      .adopt(child.conn, 'listener')
      .then((id) => this.#ready(slot, child, name, id))
      .catch((error: Error) => void child.kill(`it did not greet: ${error.message}`));
  }

  #ready(slot: Slot, child: Child, name: string, id: RuntimeId): void {
    if (slot.child !== child || slot.ended) return void child.kill('it came too late');
    slot.worker = id;
    const addresses = this.#runtime.kernel.peers.get(id)?.addresses ?? [];
    this.#notify(slot.client, {
      kind: 'worker-ready',
      worker: {
        id,
        name,
        host: this.#runtime.id,
        hostName: this.options.name,
        slot: slot.number,
        epoch: slot.epoch,
        pid: child.pid,
        addresses,
      },
    });
  }

  // H3
  #ended(slot: Slot, child: Child, name: string, reason: string, lastLines: readonly string[]): void {
    if (slot.child !== child) return;
    const worker = slot.worker;
    slot.child = undefined;
    slot.worker = undefined;
    if (worker) {
      this.#runtime.hub.end(worker, { kind: 'gone', message: reason, lost: 'worker' });
      this.#notify(slot.client, { kind: 'worker-ended', worker, name, reason, lastLines });
    } else if (!slot.ended) this.#notify(slot.client, { kind: 'worker-failed', name, reason: startError(name, reason, lastLines).message });
    if (slot.ended || this.#closed) return;
    const { clock } = this.#runtime.environment;
    if (worker && clock.now() - slot.startedAt > STEADY_MS) slot.backoff.reset();
    const wait = slot.backoff.tries === 0 && worker ? 0 : slot.backoff.next();
    if (wait === 0) slot.backoff.next();
    this.#log.info(`Worker ${name} ended: ${reason}. It is replaced.`);
    slot.retry = clock.after(wait, () => this.#start(slot));
  }

  #end(slot: Slot, reason: string): Promise<void> {
    slot.ended = true;
    slot.retry?.cancel();
    this.#slots.delete(slot.number);
    const worker = slot.worker;
    return (slot.child?.kill(reason) ?? Promise.resolve()).then(() => {
      if (worker) this.#runtime.hub.end(worker, { kind: 'gone', message: reason, lost: 'worker' });
    });
  }
}
