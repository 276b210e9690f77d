// One machine's part in a cluster: starts, watches and ends worker processes for those to whom they are granted.
//
// Owns its places, what each tenant has here, and what is told of both. Does not own who may have them (tenants.ts says whom it
// asks), nor processes and folders themselves (ground.ts).
//
//   HO1. A slot has at most one process. A newer epoch takes the slot from an older one.
//   HO2. What a client had here goes when it leaves or is lost: processes, folders. A client that is only silent is waited for.
//   HO3. Nothing of a client starts before it says so, if it sets the host up first.
//   HO4. A client that is let go has been brought all that its workers printed, unless it takes no more.
//   HO5. Processes that a tenant starts beside places have a limit, are neither offered nor reported as places, and go with it.
import { FlotillaError, type Log, type RuntimeId, randomFraction, SILENT, sleep } from '../base/index.ts';
import { GRACE_MS, type Runtime } from '../kernel/index.ts';
import { besideError } from './beside.ts';
import { workerConfig } from './config.ts';
import type { Home } from './ground.ts';
import { Holdings } from './holdings.ts';
import { factsOf } from './machine.ts';
import type { HostOptions } from './options.ts';
import type { ChildHandler, Launched } from './process/contract.ts';
import {
  type Assignment,
  HOST,
  type HostFacts,
  type HostNotice,
  type HostPulse,
  type Offer,
  TENANT,
  WORKER,
  type WorkerInfo,
} from './protocol.ts';
import { Slot, type SlotHost } from './slot.ts';
import { Tenant } from './tenant.ts';
import type { Tenants } from './tenants.ts';

const PATIENCE_MS = 60_000;
/** How long a host that closes waits for clients to take what their workers printed. */
const LET_GO_MS = 5_000;
const INTERRUPTED_MS = GRACE_MS + 1_000;

/** The host of one runtime. */
export class Host implements SlotHost {
  readonly options: HostOptions;
  readonly tenants: Tenants;
  readonly facts: HostFacts;
  /** Whether new clients are taken. */
  open = true;
  readonly #runtime: Runtime;
  readonly #log: Log;
  readonly #holdings = new Holdings();
  readonly #tenants = new Map<RuntimeId, Tenant>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;
  /** A client was turned away for want of room: when another has left, the host is offered again. */
  #turnedAway = false;
  #nextTenant = 1;

  constructor(runtime: Runtime, options: HostOptions, tenants: Tenants) {
    this.#runtime = runtime;
    this.clock = runtime.environment.clock;
    this.options = options;
    this.tenants = tenants;
    this.facts = options.facts ?? factsOf(options.name, options.workers);
    this.#log = options.log ?? SILENT;
    const { post } = runtime;
    runtime.links.keepers.add((peer, quiet) => quiet && this.#tenants.has(peer)); // HO2
    post.on({
      offline: (peer) => this.#peerOffline(peer, true),
      online: (peer) => this.#peerOffline(peer, false),
      ended: (peer) => this.#peerEnded(peer),
    });
    post.serve(
      HOST,
      {
        assign: ({ peer }, assignment) => this.#byScheduler(peer, () => this.assign(assignment)),
        enlist: ({ peer }) => {
          tenants.enlist(peer);
          return this.offer;
        },
        owner: () => tenants.owner(),
        dismiss: ({ peer }, client) => this.#byScheduler(peer, () => this.drop(client, 'the scheduler has closed its client')),
        withdraw: ({ peer }, client, slots, epoch) => this.#byScheduler(peer, () => this.#withdraw(client, slots, epoch)),
        attach: ({ peer }, pulse) => this.#attach(peer, pulse),
        provide: ({ peer }, units) => this.#granted(peer).provide(units),
        put: ({ peer }, hash, text) => this.#granted(peer).put(hash, text),
        install: ({ peer }, name) => this.options.ground.store.install(this.#granted(peer).home.folder, name),
        prepare: ({ peer }) => void this.#granted(peer).setUp().start(),
        prepared: ({ peer }) => this.#granted(peer).endSetUp(),
        begin: ({ peer }, slots) => this.#begin(peer, slots),
        release: ({ peer }, slots) => this.release(peer, slots),
        close: ({ peer }, slot, restart) => this.#holdings.mine(peer, slot)?.close('its client closed it', restart),
        interrupt: ({ peer }, slot, reason, restart) => this.#interrupt(this.#holdings.mine(peer, slot), reason, restart),
        detach: ({ peer }) => this.drop(peer, 'its client left'),
        start: ({ peer }, name) => this.#startBeside(peer, name),
        end: ({ peer }, number, reason) => this.#endBeside(peer, number, reason),
      },
      { message: (peer, heard) => this.#slotOf(peer)?.heard(heard) },
    );
  }

  readonly clock: SlotHost['clock'];

  readonly random = (): number => randomFraction(this.#runtime.environment.random);

  /** The offer of this host to a scheduler. */
  get offer(): Offer {
    const { clients } = this.options;
    const open = this.open && !this.#closed;
    return { facts: this.facts, addresses: this.#runtime.locations, open, clients, held: this.#holdings.granted };
  }

  get report(): HostPulse {
    return { availability: this.options.ground.availability(), slots: this.#holdings.report(this.clock.now()) };
  }

  /** The clients it works for, by id. */
  get clients(): readonly { readonly id: RuntimeId; readonly name: string; readonly slots: number }[] {
    return [...this.#tenants.keys()].map((id) => ({
      id,
      name: this.#runtime.post.peers.get(id)?.name ?? id.slice(0, 8),
      slots: this.#holdings.of(id).length,
    }));
  }

  /** The folder of a client, and the account of its workers. */
  homeOf(client: RuntimeId): Home | undefined {
    return this.#tenants.get(client)?.home;
  }

  /** Gives slots to a client and starts their workers. HO1, HO3 */
  assign({ client, slots, epoch, hold = false }: Assignment): void {
    this.#checkOpen();
    const tenant = this.#tenant(client);
    tenant.expect(() => void this.drop(client, 'it never came'));
    for (const number of slots) {
      const held = this.#holdings.get(number);
      if (number < 1 || number > this.options.workers || (held && held.epoch >= epoch)) continue;
      if (held) void held.end('its place was granted to another client');
      const slot = new Slot(this, { number, client, stay: tenant, epoch, name: `${this.options.name}/${number}` });
      this.#holdings.add(slot);
      if (!hold || tenant.begun) slot.start();
    }
  }

  /** Takes slots back from a client. Resolves when the client has been brought all that was printed there. HO4 */
  async release(client: RuntimeId, slots: readonly number[]): Promise<void> {
    const given = slots.flatMap((number) => this.#holdings.mine(client, number) ?? []);
    const ends = given.map(async (slot) => {
      this.#holdings.remove(slot);
      await slot.end('its place was given back');
      this.tenants.freed(client, [slot.number], slot.epoch, false);
      await slot.stay.outbox.untilRoom();
    });
    await Promise.all([...ends, this.#dropEmpty(client)]);
  }

  /** Ends all that a client had here. Resolves when the client has been brought all that was printed, if it is still there. HO2, HO4 */
  drop(client: RuntimeId, reason = 'its client left', restMs = 0): Promise<void> {
    const tenant = this.#tenants.get(client);
    if (!tenant) return Promise.resolve();
    this.#notify(client, { kind: 'dismissed', tenancy: tenant.number, reason });
    this.#tenants.delete(client);
    const mine = this.#holdings.of(client);
    for (const slot of mine) this.#holdings.remove(slot);
    const leaving = Promise.all([tenant.close(), ...mine.map((slot) => slot.end(reason))])
      .then(() => this.options.ground.leave(tenant.home))
      .catch((error: Error) => this.#log.warn(`${tenant.home.folder} could not be removed: ${error.message}`))
      .finally(() => {
        this.#leaving.delete(leaving);
        const free = (): void => {
          for (const { number, epoch } of mine) this.tenants.freed(client, [number], epoch, restMs > 0);
        };
        if (restMs > 0) this.clock.after(restMs, free, { background: true });
        else free();
        this.tenants.left(client);
        if (this.#turnedAway) this.tenants.vacant();
        this.#turnedAway = false;
      });
    this.#leaving.add(leaving);
    this.#pace();
    return leaving.then(() => tenant.outbox.untilRoom());
  }

  /** Asks clients (one by name or id, or all) to leave; their running work may end. A client that is not attached is dropped. */
  ask(reason: string, which?: string, forGood = false): void {
    for (const client of this.#named(which)) {
      if (this.#tenants.get(client)?.attached) this.#notify(client, { kind: 'host-leaving', reason, forGood });
      else void this.drop(client, reason);
    }
  }

  /** Interrupts the work of clients, kills what outlives the grace period, and drops the clients; `forGood`: they do not come again. */
  async interrupt(reason: string, which?: string, forGood = false): Promise<void> {
    const clients = this.#named(which);
    this.ask(reason, which, forGood);
    for (const client of clients) for (const slot of this.#all(client)) this.#interrupt(slot, reason, false);
    const end = this.clock.now() + INTERRUPTED_MS;
    const busy = (): boolean => clients.some((client) => this.#all(client).some((slot) => slot.worker !== undefined));
    while (busy() && this.clock.now() < end) await sleep(this.clock, 50);
    await Promise.all(clients.map((client) => this.drop(client, reason)));
  }

  /** Resolves when no client has anything here. */
  async empty(): Promise<void> {
    while (this.#tenants.size > 0) await sleep(this.clock, 100);
    await Promise.all(this.#leaving);
  }

  /** Tells clients how much is free, and which of their workers have been idle for too long. To be called at every pulse. */
  tick(): HostPulse {
    const { report } = this;
    const { zombiePeriod: most = 0 } = this.options.settings ?? {};
    for (const [client, tenant] of this.#tenants)
      if (tenant.beats()) this.#notify(client, { kind: 'availability', availability: report.availability });
    // The client itself gives idle places back: only it knows of a call on its way to them, which would else be lost.
    const idle = most > 0 ? report.slots.filter(({ idleMs }) => idleMs > most) : [];
    for (const client of new Set(idle.map((place) => place.client))) {
      const slots = idle.filter((place) => place.client === client).map(({ slot }) => slot);
      this.#notify(client, { kind: 'idle', host: this.#runtime.id, slots, reason: `it had no work for ${Math.round(most / 1000)} s` });
    }
    return report;
  }

  // A peer's session has ended. Its places rest for a pulse, because a scheduler that notices later would grant them to the dead again.
  #peerEnded(peer: RuntimeId): void {
    this.#tenants.get(peer)?.outbox.end();
    if (this.#tenants.has(peer)) void this.drop(peer, 'its client is gone', this.#runtime.links.options.pulseMs);
  }

  // A client fell silent, or is heard again. HO2
  #peerOffline(peer: RuntimeId, offline: boolean): void {
    const tenant = this.#tenants.get(peer);
    if (!tenant) return;
    if (!offline) return tenant.heard();
    const ms = this.options.settings?.clientTimeout ?? PATIENCE_MS;
    this.#log.warn(`A client has fallen silent; it is waited for, for ${Math.round(ms / 1000)} s.`);
    tenant.silent(ms, () => this.#runtime.links.end(peer, { kind: 'silent', message: `it was silent for ${ms / 1000} s` }));
  }

  /** Ends every worker and removes every folder. */
  async close(): Promise<void> {
    this.#closed = true;
    const drops = Promise.all([...this.#tenants.keys()].map((client) => this.drop(client, 'its host closes')));
    const stop = new AbortController();
    await Promise.race([drops, sleep(this.clock, LET_GO_MS, stop.signal).catch(() => {})]);
    stop.abort();
    await Promise.all(this.#leaving);
    await this.options.ground.close();
  }

  launch(slot: Slot, handler: ChildHandler): Launched {
    const { home } = slot.stay;
    const { links, location, environment } = this.#runtime;
    const config = workerConfig(this.options, slot, {
      folder: home.folder,
      cwd: this.options.ground.room(home, slot.number),
      location,
      pulse: links.options.pulseMs,
      networks: environment.networks,
    });
    return this.options.ground.launch(config, home, handler);
  }

  greet(child: Launched): Promise<RuntimeId> {
    return this.#runtime.links.adopt(child.conn, 'listener');
  }

  ready(slot: Slot, id: RuntimeId, pid: number): void {
    this.#tell(slot, { kind: 'worker-ready', worker: this.info(slot, id, pid) });
  }

  info({ number, name, epoch }: Slot, id: RuntimeId, pid: number): WorkerInfo {
    const addresses = this.#runtime.post.peers.get(id)?.addresses ?? [];
    return { id, name, host: this.#runtime.id, hostName: this.options.name, slot: number, epoch, pid, addresses };
  }

  ended(slot: Slot, worker: RuntimeId, reason: string, lastLines: readonly string[], onPurpose: boolean): void {
    this.#runtime.links.end(worker, { kind: 'gone', message: reason, lost: 'worker' });
    this.#tell(slot, slot.endNotice(worker, reason, lastLines, onPurpose));
    if (!onPurpose) this.#log.info(`Worker ${slot.name} ended: ${reason}.`);
  }

  failed(slot: Slot, reason: string): void {
    this.#tell(slot, { kind: 'worker-failed', name: slot.name, reason });
  }

  #byScheduler<T>(peer: RuntimeId, act: () => T): T {
    if (this.tenants.grants(peer)) return act();
    throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', `Host '${this.options.name}' takes orders from its scheduler only.`);
  }

  #checkOpen(): void {
    if (this.#closed || !this.open) throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', `Host '${this.options.name}' takes nobody now.`);
  }

  // HO5
  async #startBeside(peer: RuntimeId, name: string): Promise<WorkerInfo> {
    this.#checkOpen();
    const most = this.tenants.processes(peer);
    const known = this.#tenants.get(peer);
    if ((known?.beside.size ?? 0) >= most) throw besideError(this.options.name, most);
    const tenant = known ?? this.#tenant(peer);
    if (!known) tenant.attach(); // a peer that asks is here
    try {
      return await tenant.beside.start(name);
    } catch (error) {
      void this.#dropEmpty(peer);
      throw error;
    }
  }

  async #endBeside(peer: RuntimeId, number: number, reason: string): Promise<void> {
    const tenant = this.#tenants.get(peer);
    await tenant?.beside.end(number, reason);
    await tenant?.outbox.untilRoom(); // HO4
    if (this.#tenants.get(peer) === tenant) await this.#dropEmpty(peer);
  }

  // Drops a tenant that has nothing here any more, so that its folder does not stay.
  #dropEmpty(client: RuntimeId): Promise<void> {
    return this.#all(client).length > 0 ? Promise.resolve() : this.drop(client, 'it gave everything back');
  }

  #tenant(client: RuntimeId): Tenant {
    let tenant = this.#tenants.get(client);
    if (!tenant) {
      const before = this.#turnedAway;
      this.#turnedAway = true; // stays so when the next line throws, for want of room
      tenant = new Tenant(client, this.#nextTenant++, this.#runtime.post, this, this.options);
      this.#turnedAway = before;
      this.#tenants.set(client, tenant);
    }
    return tenant;
  }

  #granted(client: RuntimeId): Tenant {
    const tenant = this.#tenants.get(client);
    if (tenant) return tenant;
    throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', `Host '${this.options.name}' has granted nothing to this client.`);
  }

  #attach(client: RuntimeId, pulse: number | undefined): { pulse: number; tenancy: number } {
    const tenant = this.#granted(client);
    const [lowest, most] = this.options.pulse ?? [0, Number.POSITIVE_INFINITY];
    tenant.attach(pulse && Math.min(Math.max(pulse, lowest), most));
    this.#pace();
    for (const notice of tenant.held.splice(0)) this.#runtime.post.message(client, TENANT, notice);
    return { pulse: tenant.pulse ?? 0, tenancy: tenant.number };
  }

  // Signs of life go out as often as the most watchful client wants.
  #pace(): void {
    if (!this.options.pulse) return;
    const wanted = [...this.#tenants.values()].flatMap(({ pulse }) => (pulse === undefined ? [] : [pulse]));
    this.#runtime.links.pace(Math.min(this.options.pulse[1], ...wanted));
  }

  #begin(client: RuntimeId, slots: readonly number[]): void {
    this.#granted(client).begun = true;
    for (const number of slots) this.#holdings.mine(client, number)?.start();
  }

  // Takes back places that a client knows nothing of, unless a later epoch granted them; returns those that it does not hold.
  #withdraw(client: RuntimeId, slots: readonly number[], epoch: number): number[] {
    const { lacking, held } = this.#holdings.known(client, slots, epoch);
    if (held.length > 0) void this.release(client, held);
    return lacking;
  }

  #interrupt(slot: Slot | undefined, reason: string, restart: boolean): void {
    if (!slot?.worker) return;
    slot.closingSoon(reason, restart);
    this.#runtime.post.message(slot.worker, WORKER, { kind: 'interrupt', reason });
  }

  #notify(client: RuntimeId, notice: HostNotice): void {
    const tenant = this.#tenants.get(client);
    if (!tenant) return;
    if (!tenant.attached) tenant.hold(notice);
    else if (this.#runtime.post.peers.has(client)) this.#runtime.post.message(client, TENANT, notice);
  }

  // A slot of an earlier stay may end late; the next stay of the client is not told of it.
  #tell({ client, stay }: Slot, notice: HostNotice): void {
    if (this.#tenants.get(client) === stay) this.#notify(client, notice);
  }

  // All processes of a tenant, at places and beside them.
  #all(client: RuntimeId): Slot[] {
    return [...this.#holdings.of(client), ...(this.#tenants.get(client)?.beside.slots ?? [])];
  }

  #slotOf(worker: RuntimeId): Slot | undefined {
    const beside = [...this.#tenants.values()].flatMap((tenant) => tenant.beside.slots);
    return this.#holdings.where(worker) ?? beside.find((slot) => slot.worker === worker);
  }

  #named(which: string | undefined): RuntimeId[] {
    return this.clients.filter(({ id, name }) => which === undefined || name === which || id.startsWith(which)).map(({ id }) => id);
  }
}
