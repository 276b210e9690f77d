// One machine's part in a cluster: starts, watches and ends worker processes for those to whom they are granted.
//
// Owns its places, what each client has here, and what is told of both. Does not own who may have them (the scheduler's
// business), nor processes and folders themselves (ground.ts).
//
//   HO1. A slot has at most one process. A newer epoch takes the slot from an older one.
//   HO2. What a client had here goes when it leaves or is lost: processes, folders. One that is only silent is waited for.
//   HO3. Nothing of a client starts before it says so, if it sets the host up first.
//   HO4. Who lets a client go has brought it all that its workers printed, unless that takes no more.
import { FlotillaError, type Log, type RuntimeId, randomFraction, SILENT, sleep } from '../base/index.ts';
import { GRACE_MS, type Runtime } from '../kernel/index.ts';
import { workerConfig } from './config.ts';
import type { Home } from './ground.ts';
import { factsOf } from './machine.ts';
import type { HostEvents, HostOptions } from './options.ts';
import { HostOwner } from './owner.ts';
import type { ChildHandler, Launched } from './process/contract.ts';
import { type Assignment, HOST, type HostFacts, type HostNotice, type HostPulse, type Offer, TENANT, WORKER } from './protocol.ts';
import { Slot, type SlotHost } from './slot.ts';
import { schedulerOf, Tenant, takenError } from './tenant.ts';

const PATIENCE_MS = 60_000;
/** A host that closes waits so long for clients to take what was printed. */
const LET_GO_MS = 5_000;
const INTERRUPTED_MS = GRACE_MS + 1_000;

/** The host of one runtime. */
export class Host implements SlotHost {
  readonly options: HostOptions;
  readonly events: HostEvents;
  readonly facts: HostFacts;
  /** Whether new clients are taken. */
  open = true;
  readonly owner = new HostOwner();
  /** The address of the only scheduler it may have. */
  exclusively: string | undefined;
  readonly #runtime: Runtime;
  readonly #log: Log;
  readonly #slots = new Map<number, Slot>();
  readonly #tenants = new Map<RuntimeId, Tenant>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;
  /** A client could not be taken as long as others are here. */
  #turnedAway = false;
  #nextTenant = 1;

  constructor(runtime: Runtime, options: HostOptions, events: HostEvents) {
    this.#runtime = runtime;
    this.clock = runtime.environment.clock;
    this.options = options;
    this.events = events;
    this.facts = options.facts ?? factsOf(options.name, options.workers);
    this.#log = options.log ?? SILENT;
    const { kernel } = runtime;
    runtime.keepPeers((peer, quiet) => quiet && this.#tenants.has(peer)); // HO2
    kernel.on({
      offline: (peer) => this.#peerOffline(peer, true),
      online: (peer) => this.#peerOffline(peer, false),
      ended: (peer) => this.#peerEnded(peer),
    });
    kernel.serve(
      HOST,
      {
        assign: ({ peer }, assignment) => this.#byScheduler(peer, () => this.assign(assignment)),
        enlist: ({ peer }) => this.#enlist(peer),
        owner: () => schedulerOf(kernel, this.scheduler),
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
        close: ({ peer }, slot, restart) => this.#mine(peer, slot)?.close('its client closed it', restart),
        interrupt: ({ peer }, slot, reason, restart) => this.#interrupt(this.#mine(peer, slot), reason, restart),
        detach: ({ peer }) => this.drop(peer, 'its client left'),
      },
      { message: (peer, heard) => this.#slotOf(peer)?.heard(heard) },
    );
  }

  readonly clock: SlotHost['clock'];

  /** The runtime that may grant this host's places. */
  get scheduler(): RuntimeId | undefined {
    return this.owner.id;
  }

  readonly random = (): number => randomFraction(this.#runtime.environment.random);

  /** What this host offers to a scheduler. */
  get offer(): Offer {
    const held = [...this.#slots.values()].map((slot) => ({ client: slot.client, slots: [slot.number], epoch: slot.epoch }));
    return { facts: this.facts, addresses: this.#runtime.locations, open: this.open && !this.#closed, clients: this.options.clients, held };
  }

  get report(): HostPulse {
    const now = this.clock.now();
    return { availability: this.options.ground.availability(), slots: [...this.#slots.values()].map((slot) => slot.report(now)) };
  }

  /** The clients it works for, by id. */
  get clients(): readonly { readonly id: RuntimeId; readonly name: string; readonly slots: number }[] {
    return [...this.#tenants.keys()].map((id) => ({
      id,
      name: this.#runtime.kernel.peers.get(id)?.name ?? id.slice(0, 8),
      slots: this.#of(id).length,
    }));
  }

  /** A client's place on the disk. */
  homeOf(client: RuntimeId): Home | undefined {
    return this.#tenants.get(client)?.home;
  }

  /** Gives slots to a client and starts their workers. HO1, HO3 */
  assign({ client, slots, epoch, hold = false }: Assignment): void {
    if (this.#closed || !this.open) throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', `Host '${this.options.name}' takes nobody now.`);
    const tenant = this.#tenant(client);
    tenant.expect(() => void this.drop(client, 'it never came'));
    for (const number of slots) {
      const held = this.#slots.get(number);
      if (number < 1 || number > this.options.workers || (held && held.epoch >= epoch)) continue;
      if (held) void held.end('its place was granted to another client');
      const slot = new Slot(this, { number, client, stay: tenant, epoch, name: `${this.options.name}/${number}` });
      this.#slots.set(number, slot);
      if (!hold || tenant.begun) slot.start();
    }
  }

  /** Takes slots back from a client. Resolves when it has been brought all that was printed there. HO4 */
  async release(client: RuntimeId, slots: readonly number[]): Promise<void> {
    const given = slots.flatMap((number) => this.#mine(client, number) ?? []);
    const ends = given.map(async (slot) => {
      this.#slots.delete(slot.number);
      await slot.end('its place was given back');
      this.events.freed(client, [slot.number], slot.epoch, false);
      await slot.stay.outbox.untilRoom();
    });
    // A client that has nothing here any more, and does not come for more, leaves nothing.
    if (this.#of(client).length === 0) ends.push(this.drop(client, 'it gave everything back'));
    await Promise.all(ends);
  }

  /** A client is gone: so is all it had here. Resolves when it has been brought all that was printed, if it is still there. HO2, HO4 */
  drop(client: RuntimeId, reason = 'its client left', restMs = 0): Promise<void> {
    const tenant = this.#tenants.get(client);
    if (!tenant) return Promise.resolve();
    this.#notify(client, { kind: 'dismissed', tenancy: tenant.number, reason });
    this.#tenants.delete(client);
    const mine = this.#of(client);
    for (const { number } of mine) this.#slots.delete(number);
    const leaving = Promise.all([tenant.close(), ...mine.map((slot) => slot.end(reason))])
      .then(() => this.options.ground.leave(tenant.home))
      .catch((error: Error) => this.#log.warn(`${tenant.home.folder} could not be removed: ${error.message}`))
      .finally(() => {
        this.#leaving.delete(leaving);
        const free = (): void => {
          for (const { number, epoch } of mine) this.events.freed(client, [number], epoch, restMs > 0);
        };
        if (restMs > 0) this.clock.after(restMs, free, { background: true });
        else free();
        this.events.left(client);
        if (this.#turnedAway) this.events.vacant?.();
        this.#turnedAway = false;
      });
    this.#leaving.add(leaving);
    this.#pace();
    return leaving.then(() => tenant.outbox.untilRoom());
  }

  /** Asks clients (one by name or id, or all) to leave: what runs may end. Those that are not attached are dropped. */
  ask(reason: string, which?: string, forGood = false): void {
    for (const client of this.#named(which)) {
      if (this.#tenants.get(client)?.attached) this.#notify(client, { kind: 'host-leaving', reason, forGood });
      else void this.drop(client, reason);
    }
  }

  /** Interrupts what clients have here, kills what has not ended after the grace period, and closes them; `forGood`: they do not come again. */
  async interrupt(reason: string, which?: string, forGood = false): Promise<void> {
    const clients = this.#named(which);
    this.ask(reason, which, forGood);
    for (const client of clients) for (const slot of this.#of(client)) this.#interrupt(slot, reason, false);
    const end = this.clock.now() + INTERRUPTED_MS;
    const busy = (): boolean => clients.some((client) => this.#of(client).some((slot) => slot.worker !== undefined));
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
      if (tenant.attached && tenant.beats()) this.#notify(client, { kind: 'availability', availability: report.availability });
    // Only the client knows what it has just sent to a worker: it gives back what is idle, and a call on its way is not lost.
    const idle = most > 0 ? report.slots.filter(({ idleMs }) => idleMs > most) : [];
    for (const client of new Set(idle.map((place) => place.client))) {
      const slots = idle.filter((place) => place.client === client).map(({ slot }) => slot);
      this.#notify(client, { kind: 'idle', host: this.#runtime.id, slots, reason: `it had no work for ${Math.round(most / 1000)} s` });
    }
    return report;
  }

  // A peer's session has ended. The scheduler may notice later: what is free at once would be granted to the dead.
  #peerEnded(peer: RuntimeId): void {
    this.#tenants.get(peer)?.outbox.end();
    if (this.#tenants.has(peer)) void this.drop(peer, 'its client is gone', this.#runtime.hub.options.pulseMs);
    if (peer === this.scheduler) for (const wanted of this.owner.leave()) this.events.free?.(wanted);
  }

  // A client fell silent, or is heard again. HO2
  #peerOffline(peer: RuntimeId, offline: boolean): void {
    const tenant = this.#tenants.get(peer);
    if (!tenant) return;
    tenant.patience?.cancel();
    tenant.patience = undefined;
    if (!offline) return;
    const ms = this.options.settings?.clientTimeout ?? PATIENCE_MS;
    this.#log.warn(`A client has fallen silent; it is waited for, for ${Math.round(ms / 1000)} s.`);
    tenant.patience = this.clock.after(ms, () =>
      this.#runtime.hub.end(peer, { kind: 'silent', message: `it was silent for ${ms / 1000} s` }),
    );
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
    const { options } = this;
    const { home } = slot.stay;
    const { hub, location, environment } = this.#runtime;
    const config = workerConfig(options, slot, {
      folder: home.folder,
      cwd: this.options.ground.room(home, slot.number),
      location,
      pulse: hub.options.pulseMs,
      networks: environment.networks,
    });
    return this.options.ground.launch(config, home, handler);
  }

  greet(child: Launched): Promise<RuntimeId> {
    return this.#runtime.hub.adopt(child.conn, 'listener');
  }

  ready(slot: Slot, id: RuntimeId, pid: number): void {
    const { number, name, epoch } = slot;
    const addresses = this.#runtime.kernel.peers.get(id)?.addresses ?? [];
    const worker = { id, name, host: this.#runtime.id, hostName: this.options.name, slot: number, epoch, pid, addresses };
    this.#tell(slot, { kind: 'worker-ready', worker });
  }

  ended(slot: Slot, worker: RuntimeId, reason: string, lastLines: readonly string[], onPurpose: boolean): void {
    this.#runtime.hub.end(worker, { kind: 'gone', message: reason, lost: 'worker' });
    const { name, number, diesOf } = slot;
    if (onPurpose) return this.#tell(slot, { kind: 'worker-closed', worker, name, slot: number, reason });
    this.#tell(slot, {
      kind: 'worker-ended',
      worker,
      name,
      reason: diesOf?.reason ?? reason,
      lastLines,
      blameless: diesOf !== undefined,
      terminated: diesOf?.task,
    });
    this.#log.info(`Worker ${name} ended: ${reason}.`);
  }

  failed(slot: Slot, reason: string): void {
    this.#tell(slot, { kind: 'worker-failed', name: slot.name, reason });
  }

  #byScheduler<T>(peer: RuntimeId, act: () => T): T {
    if (peer === this.scheduler) return act();
    throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', `Host '${this.options.name}' takes orders from its scheduler only.`);
  }

  #enlist(peer: RuntimeId): Offer {
    const { kernel } = this.#runtime;
    const mine = this.scheduler === undefined && this.exclusively === undefined;
    if (!mine && this.scheduler !== peer) {
      this.owner.want(peer);
      throw takenError(this.options.name, this.scheduler && kernel.peers.get(this.scheduler), this.exclusively);
    }
    if (this.scheduler !== peer)
      this.#log.info(`Works for the ${kernel.peers.get(peer)?.role ?? 'scheduler'} '${kernel.peers.get(peer)?.name ?? peer}'.`);
    this.owner.id = peer;
    return this.offer;
  }

  #tenant(client: RuntimeId): Tenant {
    let tenant = this.#tenants.get(client);
    if (!tenant) {
      const before = this.#turnedAway;
      this.#turnedAway = true; // unless there is room for it
      tenant = new Tenant(client, this.#nextTenant++, this.#runtime.kernel, this, this.options);
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
    tenant.attach();
    const [lowest, most] = this.options.pulse ?? [0, Number.POSITIVE_INFINITY];
    tenant.pulse = pulse && Math.min(Math.max(pulse, lowest), most);
    this.#pace();
    for (const notice of tenant.held.splice(0)) this.#runtime.kernel.message(client, TENANT, notice);
    return { pulse: tenant.pulse ?? 0, tenancy: tenant.number };
  }

  // As often as the most watchful client wants.
  #pace(): void {
    if (!this.options.pulse) return;
    const wanted = [...this.#tenants.values()].flatMap(({ pulse }) => (pulse === undefined ? [] : [pulse]));
    this.#runtime.hub.pace(Math.min(this.options.pulse[1], ...wanted));
  }

  #begin(client: RuntimeId, slots: readonly number[]): void {
    this.#granted(client).begun = true;
    for (const number of slots) this.#mine(client, number)?.start();
  }

  // Takes back what a client knows nothing of, unless that is of a later epoch; returns which of it is not there.
  #withdraw(client: RuntimeId, slots: readonly number[], epoch: number): number[] {
    const epochOf = (number: number): number | undefined => this.#mine(client, number)?.epoch;
    const notThere = slots.filter((number) => epochOf(number) === undefined);
    const there = slots.filter((number) => (epochOf(number) ?? Number.POSITIVE_INFINITY) <= epoch);
    if (there.length > 0) void this.release(client, there);
    return notThere;
  }

  #interrupt(slot: Slot | undefined, reason: string, restart: boolean): void {
    if (!slot?.worker) return;
    slot.closingSoon(reason, restart);
    this.#runtime.kernel.message(slot.worker, WORKER, { kind: 'interrupt', reason });
  }

  #notify(client: RuntimeId, notice: HostNotice): void {
    const tenant = this.#tenants.get(client);
    if (!tenant) return;
    if (!tenant.attached) tenant.hold(notice);
    else if (this.#runtime.kernel.peers.has(client)) this.#runtime.kernel.message(client, TENANT, notice);
  }

  // What is left of an earlier stay is nothing to the next.
  #tell({ client, stay }: Slot, notice: HostNotice): void {
    if (this.#tenants.get(client) === stay) this.#notify(client, notice);
  }

  #of(client: RuntimeId): Slot[] {
    return [...this.#slots.values()].filter((slot) => slot.client === client);
  }

  #mine(client: RuntimeId, number: number): Slot | undefined {
    const slot = this.#slots.get(number);
    return slot?.client === client ? slot : undefined;
  }

  #slotOf(worker: RuntimeId): Slot | undefined {
    for (const slot of this.#slots.values()) if (slot.worker === worker) return slot;
    return undefined;
  }

  #named(which: string | undefined): RuntimeId[] {
    return this.clients.filter(({ id, name }) => which === undefined || name === which || id.startsWith(which)).map(({ id }) => id);
  }
}
