// A client's tie to its scheduler, shared or its own: it asks for workers, reports, and comes back when the scheduler was restarted.
import { Backoff, FlotillaError, hasCode, type RuntimeId, randomFraction, sleep, toError } from '../../base/index.ts';
import { HOST } from '../../host/index.ts';
import { type Asks, PulseThread, type Runtime, type SessionEnd } from '../../kernel/index.ts';
import { wholeAddress } from '../../transport/index.ts';
import type { Crew } from '../crew/crew.ts';
import type { Limits } from '../crew/limits.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { countersOf } from '../dispatch/tally.ts';
import { type ClusterStatus, SCHEDULER, SCHEDULER_PORT, type SchedulerDoor, type Wish } from '../protocol.ts';
import type { WorkerSlot } from '../schedule/index.ts';
import { waitsText } from '../scheduler/cluster-status.ts';

const REPORT_MS = 500;
const ASK_MS = 10_000;
/** The shortest wait for a scheduler's answer, however short the program's timeout: on a busy machine it may take so long. */
const LEAST_ASK_MS = 2_000;

/** The parts that a tie is made of. */
export interface LinkOptions {
  readonly runtime: Runtime;
  readonly crew: Crew;
  readonly dispatcher: Dispatcher;
  readonly wish: Omit<Wish, 'limits' | 'waited'>;
  /** When the client began to connect. */
  readonly since: number;
  readonly limits: Limits;
  readonly warn: (text: string) => void;
  readonly signal: AbortSignal | undefined;
  /** How long to try to reach the scheduler at first. */
  readonly patienceMs: number | undefined;
  /** Whether a thread of its own answers for this client while it computes; simulated clients have none. */
  readonly pulseThread: boolean;
}

/** A tie to one scheduler. */
export class SchedulerLink {
  readonly #options: LinkOptions;
  readonly #address: string | undefined;
  readonly #closing = new AbortController();
  readonly #off: () => void;
  readonly #pulse: PulseThread | undefined;
  #scheduler: RuntimeId | undefined;
  /** Hosts that no allocation takes, and why. */
  readonly #refused = new Map<string, string>();
  #reconnecting = false;
  #silent = false;
  #status: ClusterStatus | undefined;
  #reported = '';

  private constructor(options: LinkOptions, address: string | undefined) {
    this.#options = options;
    this.#address = address;
    this.#pulse = options.pulseThread ? new PulseThread(options.runtime) : undefined;
    this.#off = options.runtime.post.on({ ended: (peer, end) => this.#peerEnded(peer, end) });
    options.limits.tellTo((limit) => this.#ask((at) => at.limit(limit)));
    options.crew.obey(this);
    options.crew.events.on((event) => event.kind === 'host-ignored' && this.#refused.set(event.host, event.reason));
  }

  /** Asks the scheduler at an address for workers. Rejects with ERR_CLUSTER_NO_SCHEDULER, ERR_LINK_WRONG_SECRET or ERR_LINK_ADDRESS. */
  static async open(text: string, options: LinkOptions): Promise<SchedulerLink> {
    const address = wholeAddress(options.runtime.environment.networks, text, SCHEDULER_PORT);
    const link = new SchedulerLink(options, address);
    try {
      await link.#connect(Math.max(options.patienceMs ?? ASK_MS, LEAST_ASK_MS), options.signal);
    } catch (error) {
      await link.close(0);
      if (!hasCode(error, 'ERR_LINK_UNREACHABLE') && !hasCode(error, 'ERR_TIMEOUT')) throw error;
      throw new FlotillaError(
        'ERR_CLUSTER_NO_SCHEDULER',
        `No scheduler answers at ${address}: ${toError(error).message} Start one there with 'flotilla scheduler', or correct FLOTILLA_SCHEDULER (or the option 'scheduler'); without it, this machine's cores are used.`,
        { cause: error },
      );
    }
    link.#report();
    return link;
  }

  /** Asks the scheduler of this very process. */
  static async own(options: LinkOptions): Promise<SchedulerLink> {
    const link = new SchedulerLink(options, undefined);
    await link.#wish(options.runtime.id);
    link.#report();
    return link;
  }

  /** Why the client has no worker yet. */
  explain(): string {
    const where = this.#address ? `the scheduler at ${this.#address}` : 'the scheduler';
    if (!this.#scheduler || this.#silent) return `${where} does not answer; trying again`;
    void this.#refresh();
    const status = this.#status;
    if (!status || status.hosts.length === 0)
      return `no host has joined ${where}. Start one: flotilla host${this.#address ? ` --scheduler ${this.#address}` : ''}`;
    const { id } = this.#options.runtime;
    const place = status.clients.findIndex((client) => client.id === id);
    if (status.clients[place]?.admitted === false) {
      const before = status.clients.filter((client, i) => i < place || client.admitted).map(({ name }) => `'${name}'`);
      const who = before.length > 0 ? before.join(', ') : 'clients of before its restart';
      return `it is not this client's turn at ${where}: before it ${before.length === 1 ? 'is' : 'are'} ${who}`;
    }
    const failed = this.#options.crew.state.lastFailure;
    if (failed) return `its hosts or workers cannot be used: ${failed.message}`;
    return waitsText(status, id, this.#refused);
  }

  is(peer: RuntimeId): boolean {
    return peer === this.#scheduler && peer !== this.#options.runtime.id;
  }

  offline(offline: boolean): void {
    this.#silent = offline;
    if (offline)
      this.#options.warn(`the scheduler at ${this.#address} is silent; work goes on, and what comes is told when it is heard again`);
  }

  swaps(asked: WorkerSlot, given: WorkerSlot): void {
    void this.#ask((at) => at.swaps(asked, given));
  }

  lacks(host: RuntimeId, slots: readonly number[], epoch: number): void {
    void this.#ask((at) => at.lacks(host, slots, epoch));
  }

  /** Has the scheduler ask about each host again, because the allocations have changed. */
  async again(): Promise<void> {
    await this.#ask((at) => at.again());
  }

  #peerEnded(peer: RuntimeId, end: SessionEnd): void {
    if (peer !== this.#scheduler || this.#closing.signal.aborted) return;
    this.#scheduler = undefined;
    this.#options.warn(`the scheduler at ${this.#address} is gone (${end.message}); work goes on, and it is asked again when it is back`);
    void this.#reconnect();
  }

  /** Leaves the scheduler and every host; resolves when they have let go, or nothing is heard of them for `quietMs`. */
  async close(quietMs: number): Promise<void> {
    this.#closing.abort(new FlotillaError('ERR_CLOSED', 'The client was closed.'));
    this.#off();
    const { runtime, crew } = this.#options;
    const { post } = runtime;
    for (const { id } of crew.stations.values()) if (post.peers.has(id)) crew.partings.add(post.at(id, HOST).detach());
    if (this.#scheduler) crew.partings.add(post.at(this.#scheduler, SCHEDULER).leave());
    await crew.partings.over(quietMs);
    await this.#pulse?.close();
  }

  async #connect(timeout = ASK_MS, signal?: AbortSignal): Promise<void> {
    const scheduler = await this.#options.runtime.connect(this.#address as string, { timeout, ...(signal ? { signal } : {}) });
    await this.#wish(scheduler, timeout);
    this.#pulse?.watch(this.#address as string);
    await this.#refresh();
  }

  async #wish(scheduler: RuntimeId, timeout = ASK_MS): Promise<void> {
    const { runtime, wish, limits } = this.#options;
    // Set before the answer comes, because grants and revokes may come earlier, and are answered at once.
    this.#scheduler = scheduler;
    this.#silent = false;
    this.#options.crew.returns.forget();
    try {
      await runtime.post.at(scheduler, SCHEDULER, { timeout }).wish({ ...wish, limits: limits.all, waited: this.#waited });
      void this.#ask((at) => at.asked(this.#waited)); // said once more, as a wish that was long on the way said too little
    } catch (error) {
      if (this.#scheduler === scheduler) this.#scheduler = undefined;
      throw error;
    }
  }

  get #waited(): number {
    const { runtime, since } = this.#options;
    return Math.max(0, runtime.environment.clock.now() - since);
  }

  async #reconnect(): Promise<void> {
    if (this.#reconnecting) return;
    this.#reconnecting = true;
    const { clock, random } = this.#options.runtime.environment;
    const backoff = new Backoff({ firstMs: 200, mostMs: 5_000, random: () => randomFraction(random) });
    while (!this.#closing.signal.aborted && !this.#scheduler) {
      try {
        await sleep(clock, backoff.next(), this.#closing.signal);
        await this.#connect();
      } catch {
        // the next round tries again, until the scheduler answers or the client closes
      }
    }
    this.#reconnecting = false;
  }

  async #ask<T>(ask: (at: Asks<SchedulerDoor>) => Promise<T>): Promise<T | undefined> {
    if (!this.#scheduler) return undefined;
    return ask(this.#options.runtime.post.at(this.#scheduler, SCHEDULER, { timeout: ASK_MS })).catch(() => undefined);
  }

  async #refresh(): Promise<void> {
    this.#status = (await this.#ask((at) => at.status())) ?? this.#status;
  }

  #report(): void {
    const { runtime, dispatcher, limits } = this.#options;
    runtime.environment.clock.after(
      REPORT_MS,
      () => {
        if (this.#closing.signal.aborted) return;
        for (const host of this.#pulse ? runtime.post.peers.values() : [])
          if (host.role !== 'client') for (const address of host.addresses) this.#pulse?.watch(address);
        if (dispatcher.waiting > 0) limits.ease();
        const counters = countersOf(dispatcher);
        const text = JSON.stringify(counters);
        if (this.#scheduler && text !== this.#reported && runtime.post.peers.has(this.#scheduler)) {
          this.#reported = text;
          runtime.post.message(this.#scheduler, SCHEDULER, { kind: 'counters', ...counters });
        }
        this.#report();
      },
      { background: true },
    );
  }
}
