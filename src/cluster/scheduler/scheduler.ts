// Grants workers of hosts to clients, and is never on a call's path.
//
// Owns the schedule's state, and the reports of hosts and clients. Does not own processes (hosts do) or calls (clients do).
//
//   SC1. A host takes grants of one scheduler only; a host that belongs to another is asked again when it is free.
//   SC2. A client that has allocations is asked about each host, once, before anything of it is granted.
//   SC3. A client is told of a grant once the host knows of it, so that it never comes too early; it is asked to give back only after that.
//   SC4. A client that is only silent keeps its places for the zombie period; a client whose workers were all idle so long is closed.
//   SC5. A client that is lost without a goodbye has left when no host holds anything for it: hosts hear it, or find it dead, themselves.
import { type Clock, dropFirst, hasCode, type Log, type RuntimeId, SILENT, type Timer, toError } from '../../base/index.ts';
import { HOST, type HostDoor, type HostPulse, type Offer } from '../../host/index.ts';
import type { Asks, Runtime, SessionEnd } from '../../kernel/index.ts';
import { explainClient, explainClients } from '../client/explain.ts';
import {
  CLIENT,
  type ClusterStatus,
  type Counters,
  type HostOffer,
  SCHEDULER,
  type SchedulerHears,
  type SchedulerNotice,
  type Wish,
} from '../protocol.ts';
import {
  type ClientState,
  emptyState,
  type HeldSlot,
  type HostState,
  react,
  type ScheduleEffect,
  type ScheduleEvent,
} from '../schedule/index.ts';
import { asClient } from './admission.ts';
import { clusterStatus, idleOf } from './cluster-status.ts';

/** Options of a scheduler. */
export interface SchedulerOptions {
  readonly log?: Log;
  /** Gives every client the whole cluster, alone, one after another. */
  readonly exclusive?: boolean;
  /** Milliseconds for which a silent client keeps its places, and an idle worker its own; 0: for ever. */
  readonly zombieMs?: number;
  /** The most workers for each client of a name; `*` stands for all other names. */
  readonly quotas?: ReadonlyMap<string, number>;
}

interface Known {
  readonly wish: Wish;
  counters: Counters | undefined;
  readonly asked: Set<RuntimeId>;
  /** Why hosts were refused, by host. */
  readonly refused: Map<RuntimeId, string>;
  silent: Timer | undefined;
}

/** Time for a host to answer an assignment, and for a client to say how much it takes. */
const ASSIGN_MS = 10_000;
const EPOCHS_KEPT = 100_000;
/** Time after which a place that was not given back is asked for again. */
const AGAIN_MS = 1_000;

/** The scheduler of one runtime. */
export class Scheduler {
  readonly options: SchedulerOptions;
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #state = emptyState();
  readonly #known = new Map<RuntimeId, Known>();
  readonly #offers = new Map<RuntimeId, Offer>();
  readonly #reports = new Map<RuntimeId, HostPulse>();
  readonly #enlisting = new Set<RuntimeId>();
  /** Assignments that a host has not answered, by host and client. */
  readonly #assigning = new Map<string, Promise<unknown>>();
  #askingAgain: Timer | undefined;
  /** When each epoch was granted, the latest of them. */
  readonly #grantedAt = new Map<number, number>();
  /** Clients that are lost, while hosts still hold places for them. SC5 */
  readonly #lost = new Set<RuntimeId>();

  constructor(runtime: Runtime, options: SchedulerOptions = {}) {
    this.#runtime = runtime;
    this.#clock = runtime.environment.clock;
    this.options = options;
    this.#log = options.log ?? SILENT;
    runtime.links.keepers.add((peer, quiet) => quiet && this.#known.has(peer) && this.options.zombieMs !== undefined); // SC4
    runtime.post.on({
      offline: (peer) => this.#peerOffline(peer, true),
      online: (peer) => this.#peerOffline(peer, false),
      ended: (peer, end) => this.#peerEnded(peer, end),
    });
    runtime.post.serve(
      SCHEDULER,
      {
        offer: ({ peer }, offer) => this.#offered(peer, offer),
        wish: ({ peer }, wish) => this.#wished(peer, wish),
        limit: ({ peer }, limit) => this.#do({ kind: 'client-limits', id: peer, limits: [limit] }),
        asked: ({ peer }, ago) => this.#do({ kind: 'client-asked', id: peer, since: this.#clock.now() - ago }),
        again: ({ peer }) => this.#again(peer),
        swaps: ({ peer }, asked, given) => this.#do({ kind: 'client-swaps', id: peer, asked, given }),
        lacks: ({ peer }, host, slots, epoch) => this.#lacks(peer, host, slots, epoch),
        leave: ({ peer }) => this.#left(peer),
        freed: ({ peer }, slots, epoch, gone) => {
          if (gone !== undefined) void this.#doubt(gone);
          this.#do({ kind: 'freed', host: peer, slots, epoch });
        },
        status: () => this.status,
        explain: (_asked, client) => this.explain(client),
      },
      { message: (peer, heard) => this.#hear(peer, heard) },
    );
  }

  #hear(peer: RuntimeId, heard: SchedulerHears): void {
    const known = this.#known.get(peer);
    if (heard.kind === 'report') this.#reports.set(peer, heard);
    else if (heard.kind === 'free') void this.enlist(peer).catch(() => {});
    else if (known) known.counters = heard;
  }

  get status(): ClusterStatus {
    return clusterStatus(this.#runtime, this.#state, {
      reports: this.#reports,
      offers: this.#offers,
      grantedAt: this.#grantedAt,
      counters: (client) => this.#known.get(client)?.counters,
    });
  }

  /** Why a client (one by name or id, or each) has its places, in lines for people. Each client is asked what work waits in it. */
  explain(which?: string): Promise<string[]> {
    return explainClients(this.#state, which, (client) => this.#why(client), this.#runtime.post);
  }

  #why(client: ClientState): string[] {
    return explainClient(this.#state, client, this.#known.get(client.id)?.refused ?? new Map());
  }

  /** Takes a host that belongs to nobody. Rejects with ERR_HOST_TAKEN; it is asked again when it is free. SC1 */
  async enlist(host: RuntimeId): Promise<void> {
    if (this.#state.hosts.has(host) || this.#enlisting.has(host)) return;
    this.#enlisting.add(host);
    try {
      const offer = await this.#host(host).enlist();
      SCHEDULER.checkRequest('offer', [offer]); // the answer is an offer, as if the host had made it itself
      this.#offered(host, offer);
    } finally {
      this.#enlisting.delete(host);
    }
  }

  // Takes the end of a session with a host or client. SC5
  #peerEnded(peer: RuntimeId, end: SessionEnd): void {
    if (this.#state.hosts.has(peer)) this.#do({ kind: 'host-left', id: peer });
    this.#offers.delete(peer);
    this.#reports.delete(peer);
    const known = this.#known.get(peer);
    if (!known) return;
    if (end.kind === 'closed') return this.#left(peer);
    this.#log.warn(`Client '${known.wish.name}' is not reached any more (${end.message}); it keeps what hosts hold for it.`);
    this.#lost.add(peer);
    this.#waitFor(peer, known);
  }

  // Notes that a client fell silent, or is heard again. SC4
  #peerOffline(peer: RuntimeId, offline: boolean): void {
    const known = this.#known.get(peer);
    if (!known) return;
    if (offline) return this.#waitFor(peer, known);
    known.silent?.cancel();
    known.silent = undefined;
    this.#do({ kind: 'client-silent', id: peer, silent: false });
  }

  #waitFor(peer: RuntimeId, known: Known): void {
    const ms = this.options.zombieMs ?? 0;
    known.silent?.cancel();
    known.silent = undefined;
    if (ms > 0) {
      this.#log.warn(`Client '${known.wish.name}' has fallen silent; it is waited for, for ${Math.round(ms / 1000)} s.`);
      const late = (): void => {
        this.#left(peer);
        this.#runtime.links.end(peer, { kind: 'silent', message: `it was silent for ${ms / 1000} s` });
      };
      known.silent = this.#clock.after(ms, late, { background: true });
    }
    this.#do({ kind: 'client-silent', id: peer, silent: true });
  }

  /** Takes back workers that were idle for the zombie period, and closes clients that have no others. To be called regularly. SC4 */
  closeIdle(): void {
    const { zombieMs } = this.options;
    if (!zombieMs) return;
    for (const client of this.#state.clients.values()) {
      const idle = idleOf(client, this.#reports, zombieMs);
      const count = idle.reduce((sum, { slots }) => sum + slots.length, 0);
      if (count === 0) continue;
      if (count < client.holds) {
        const reason = `it had no work for ${Math.round(zombieMs / 1000)} s`;
        for (const { host, slots } of idle) if (slots.length > 0) this.#tell(client.id, { kind: 'idle', host, slots, reason });
        continue;
      }
      const reason = `its workers had no work for ${Math.round(zombieMs / 1000)} s`;
      this.#log.info(`Client '${client.name}' is closed: ${reason}.`);
      this.#tell(client.id, { kind: 'closed', reason });
      this.#left(client.id);
    }
  }

  #offered(id: RuntimeId, offer: Offer): void {
    const { facts, addresses, held, open, clients } = offer;
    this.#offers.set(id, offer);
    this.#do({ kind: 'host-joined', id, name: facts.name, workers: facts.workers, clients, addresses, open, held });
    const host = this.#state.hosts.get(id);
    if (host) for (const [client, known] of this.#known) if (known.wish.picky) void this.#ask(client, known, host);
  }

  #wished(id: RuntimeId, wish: Wish): { hosts: number } {
    const before = this.#known.get(id);
    before?.silent?.cancel();
    this.#lost.delete(id); // the client is back
    const known: Known = {
      wish,
      counters: before?.counters,
      asked: before?.asked ?? new Set(),
      refused: before?.refused ?? new Map(),
      silent: undefined,
    };
    this.#known.set(id, known);
    this.#do(asClient(id, wish, this.options, this.#clock.now()));
    if (wish.picky) for (const host of this.#state.hosts.values()) void this.#ask(id, known, host);
    return { hosts: this.#state.hosts.size };
  }

  // Asks a client about every host again, because its allocations have changed.
  #again(client: RuntimeId): void {
    const known = this.#known.get(client);
    known?.asked.clear();
    if (known) for (const host of this.#state.hosts.values()) void this.#ask(client, known, host);
  }

  // Asks a client how many workers of a host it takes. SC2
  async #ask(client: RuntimeId, known: Known, host: HostState): Promise<void> {
    const offer = this.#offers.get(host.id);
    if (known.asked.has(host.id) || !offer) return;
    known.asked.add(host.id);
    const { addresses, facts } = offer;
    const asked: HostOffer = {
      ...facts,
      addresses,
      location: addresses[0] ?? facts.name,
      availability: this.#reports.get(host.id)?.availability,
    };
    try {
      const { take, why } = await this.#runtime.post.at(client, CLIENT, { timeout: ASSIGN_MS }).allocate(asked);
      if (take > 0) known.refused.delete(host.id);
      else known.refused.set(host.id, why);
      this.#do({ kind: 'client-takes', id: client, host: host.id, most: take });
    } catch (error) {
      known.refused.set(host.id, `it was not answered whether the client takes it: ${toError(error).message}`);
      if (!hasCode(error, 'ERR_SESSION_LOST')) this.#do({ kind: 'client-takes', id: client, host: host.id, most: 0 });
    }
  }

  // Doubts a client that a host has found dead, or given up: it is granted nothing until it answers, since the grant would be lost with it.
  async #doubt(client: RuntimeId): Promise<void> {
    const { post } = this.#runtime;
    const known = this.#known.get(client);
    if (!known || this.#state.clients.get(client)?.silent) return;
    this.#do({ kind: 'client-silent', id: client, silent: true });
    while (this.#known.get(client) === known && post.peers.has(client)) {
      const asked = post.at(client, CLIENT, { timeout: ASSIGN_MS }).here();
      const answers = await asked.catch(() => false);
      if (!answers || this.#known.get(client) !== known || this.#lost.has(client)) continue;
      return this.#do({ kind: 'client-silent', id: client, silent: false });
    }
  }

  #left(client: RuntimeId): void {
    this.#lost.delete(client);
    this.#known.get(client)?.silent?.cancel();
    this.#known.delete(client);
    this.#do({ kind: 'client-left', id: client });
  }

  #do(event: ScheduleEvent): void {
    for (const effect of react(this.#state, event)) this.#effect(effect);
    for (const client of this.#lost) if ((this.#state.clients.get(client)?.holds ?? 0) === 0) this.#left(client); // SC5
    if (this.#askingAgain || ![...this.#state.clients.values()].some(({ leaving }) => leaving > 0)) return;
    const again = (): void => {
      this.#askingAgain = undefined;
      this.#do({ kind: 'ask-again' });
    };
    this.#askingAgain = this.#clock.after(AGAIN_MS, again, { background: true });
  }

  #effect(effect: ScheduleEffect): void {
    if (effect.kind === 'admit') return this.#tell(effect.client, { kind: 'admitted' });
    if (effect.kind === 'await') {
      const due = (): void => this.#do({ kind: 'client-due', id: effect.client });
      return void this.#clock.after(effect.ms, due, { background: true });
    }
    const { host, client, slots } = effect;
    switch (effect.kind) {
      case 'grant':
        return this.#assign(host, client, slots, effect.epoch);
      case 'revoke':
        return this.#afterGrants(host, client, slots, ({ asked }) => asked > 0, { kind: 'revoke', among: effect.among });
      case 'holds':
        return this.#afterGrants(host, client, slots, () => true, { kind: 'holds' });
      case 'keep':
        return this.#tell(client, { kind: 'keep', host: host.id, slots });
      case 'drop':
        this.#host(host.id)
          .dismiss(client)
          .catch(() => {})
          .finally(() => {
            if (this.#state.hosts.get(host.id) === host) this.#do({ kind: 'freed', host: host.id, slots, epoch: this.#state.epoch });
          });
    }
  }

  // Grants places: tells the host first, then the client. SC3
  #assign(host: HostState, client: RuntimeId, slots: readonly number[], epoch: number): void {
    const { wish } = this.#known.get(client) ?? {};
    const offer = this.#offers.get(host.id);
    if (!wish || !offer) return;
    const grant: SchedulerNotice = { kind: 'grant', host: host.id, facts: offer.facts, addresses: host.addresses, slots, epoch };
    this.#grantedAt.set(epoch, this.#clock.now());
    if (this.#grantedAt.size > EPOCHS_KEPT) dropFirst(this.#grantedAt);
    const key = `${host.id} ${client}`;
    const assigning = this.#host(host.id)
      .assign({ client, slots, epoch, hold: wish.hold })
      .then(() => this.#tell(client, grant))
      .catch((error: unknown) => this.#notAssigned(host, slots, epoch, error));
    const all = Promise.all([this.#assigning.get(key), assigning]).finally(() => {
      if (this.#assigning.get(key) === all) this.#assigning.delete(key);
    });
    this.#assigning.set(key, all);
  }

  // Tells a client something about its places, once it knows of their grants; places that have gone or changed by then are left out. SC3
  #afterGrants(
    host: HostState,
    client: RuntimeId,
    slots: readonly number[],
    meant: (held: HeldSlot) => boolean,
    notice: { readonly kind: 'revoke'; readonly among: readonly RuntimeId[] | undefined } | { readonly kind: 'holds' },
  ): void {
    const tell = (): void => {
      const held = (slot: number): HeldSlot | undefined => this.#state.hosts.get(host.id)?.held.get(slot);
      const still = slots.filter((slot) => {
        const place = held(slot);
        return place?.client === client && meant(place);
      });
      if (still.length === 0) return;
      const epoch = Math.max(...still.map((slot) => held(slot)?.epoch ?? 0));
      const times = Math.max(...still.map((slot) => held(slot)?.asked ?? 0));
      const all = { ...notice, host: host.id, slots: still, epoch };
      this.#tell(client, all.kind === 'revoke' ? { ...all, times } : all);
    };
    const assigning = this.#assigning.get(`${host.id} ${client}`);
    if (assigning) void assigning.then(tell);
    else tell();
  }

  // Has a host withdraw places of which their client knows nothing; the host says when they are free.
  async #lacks(client: RuntimeId, host: RuntimeId, slots: readonly number[], epoch: number): Promise<void> {
    const known = this.#state.hosts.get(host);
    if (!known) return;
    const notThere = await this.#host(host)
      .withdraw(client, slots, epoch)
      .catch(() => []);
    const free = notThere.filter((slot) => known.held.get(slot)?.client === client);
    if (free.length > 0 && this.#state.hosts.get(host) === known) this.#do({ kind: 'freed', host, slots: free, epoch });
  }

  // Closes a host that refused an assignment, until it offers itself again. A host that is gone is told by the end of its session.
  #notAssigned(host: HostState, slots: readonly number[], epoch: number, error: unknown): void {
    if (this.#state.hosts.get(host.id) !== host) return;
    this.#log.warn(`Host '${host.name}' did not take an assignment: ${toError(error).message}`);
    const offer = this.#offers.get(host.id);
    if (offer) this.#offered(host.id, { ...offer, open: false, held: heldOf(host, slots, epoch) });
  }

  #host(id: RuntimeId): Asks<HostDoor> {
    return this.#runtime.post.at(id, HOST, { timeout: ASSIGN_MS });
  }

  #tell(client: RuntimeId, notice: SchedulerNotice): void {
    if (this.#runtime.post.peers.has(client)) this.#runtime.post.message(client, CLIENT, notice);
  }
}

// The places that a host holds, without those that it did not take.
function heldOf(host: HostState, slots: readonly number[], epoch: number): Offer['held'] {
  return [...host.held]
    .filter(([slot, held]) => !(slots.includes(slot) && held.epoch === epoch))
    .map(([slot, held]) => ({ client: held.client, slots: [slot], epoch: held.epoch }));
}
