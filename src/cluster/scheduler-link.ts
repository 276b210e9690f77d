// A client's tie to a shared scheduler: asks for workers, reports, and comes back when the scheduler was restarted.
import { Backoff, FlotillaError, hasCode, type RuntimeId, randomFraction, sleep } from '../base/index.ts';
import { PORT, PulseThread, type Runtime, type SessionEnd } from '../kernel/index.ts';
import { formatAddress, parseAddress } from '../transport/index.ts';
import type { Crew } from './crew.ts';
import type { Dispatcher } from './dispatch.ts';
import type { ClientOptions } from './options.ts';
import type { ClusterStatus, Counters, Wish } from './protocol.ts';

/** The port of a scheduler, unless said otherwise. */
export const SCHEDULER_PORT = 9705;
const REPORT_MS = 500;
const ASK_MS = 10_000;

/** A tie to one scheduler. */
export class SchedulerLink {
  readonly #runtime: Runtime;
  readonly #crew: Crew;
  readonly #dispatcher: Dispatcher;
  readonly #address: string;
  readonly #options: ClientOptions;
  readonly #warn: (text: string) => void;
  readonly #closing = new AbortController();
  readonly #pulse: PulseThread;
  #scheduler: RuntimeId | undefined;
  #status: ClusterStatus | undefined;
  #reported = '';

  private constructor(
    runtime: Runtime,
    crew: Crew,
    dispatcher: Dispatcher,
    address: string,
    options: ClientOptions,
    warn: (text: string) => void,
  ) {
    this.#runtime = runtime;
    this.#crew = crew;
    this.#dispatcher = dispatcher;
    this.#address = address;
    this.#options = options;
    this.#warn = warn;
    this.#pulse = new PulseThread(runtime);
  }

  /** Asks a scheduler for workers. Rejects with ERR_CLUSTER_NO_SCHEDULER, ERR_LINK_WRONG_SECRET or ERR_LINK_ADDRESS. */
  static async open(
    runtime: Runtime,
    crew: Crew,
    dispatcher: Dispatcher,
    text: string,
    options: ClientOptions,
    warn: (text: string) => void,
  ): Promise<SchedulerLink> {
    const address = formatAddress(parseAddress(text, SCHEDULER_PORT));
    const link = new SchedulerLink(runtime, crew, dispatcher, address, options, warn);
    try {
      await link.#connect(options.signal);
    } catch (error) {
      await link.close(0);
      if (!hasCode(error, 'ERR_LINK_UNREACHABLE')) throw error;
      throw new FlotillaError(
        'ERR_CLUSTER_NO_SCHEDULER',
        `No scheduler answers at ${address}: ${error.message} Start one there with 'flotilla scheduler', or correct FLOTILLA_SCHEDULER (or the option 'scheduler'); without it, this machine's cores are used.`,
        { cause: error },
      );
    }
    link.#report();
    return link;
  }

  /** Why there is no worker yet. */
  explain(): string {
    if (!this.#scheduler) return `the scheduler at ${this.#address} does not answer; trying again`;
    const status = this.#status;
    void this.#refresh();
    if (!status || status.hosts.length === 0)
      return `no host has joined the scheduler at ${this.#address}. Start one: flotilla host --scheduler ${this.#address}`;
    const places = status.hosts.reduce((sum, host) => sum + host.workers, 0);
    return `the ${places} worker places of ${status.hosts.length} hosts are held by ${status.clients.length - 1} other clients, or their processes do not start`;
  }

  peerEnded(peer: RuntimeId, end: SessionEnd): void {
    if (peer !== this.#scheduler || this.#closing.signal.aborted) return;
    this.#scheduler = undefined;
    this.#warn(`the scheduler at ${this.#address} is gone (${end.message}); work goes on, and it is asked again when it is back`);
    void this.#reconnect();
  }

  /** Leaves the scheduler and every host; resolves when they have let go, or after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing.abort(new FlotillaError('ERR_CLOSED', 'The client was closed.'));
    const { kernel } = this.#runtime;
    const leave = (peer: RuntimeId, port: number, method: string): Promise<unknown> =>
      kernel.ask(peer, port, method, [], { timeout: timeoutMs }).catch(() => undefined);
    const known = this.#crew.hosts.filter((host) => kernel.peers.has(host.id)).map((host) => leave(host.id, PORT.HOST, 'detach'));
    if (this.#scheduler) known.push(leave(this.#scheduler, PORT.SCHEDULER, 'leave'));
    await Promise.all(known);
    await this.#pulse.close();
  }

  async #connect(signal?: AbortSignal): Promise<void> {
    const scheduler = await this.#runtime.connect(this.#address, { timeout: ASK_MS, ...(signal ? { signal } : {}) });
    const wish: Wish = {
      name: this.#runtime.name,
      workers: this.#options.workers,
      weight: this.#options.weight ?? 1,
      held: this.#crew.held,
    };
    await this.#runtime.kernel.ask(scheduler, PORT.SCHEDULER, 'wish', [wish], { timeout: ASK_MS });
    this.#scheduler = scheduler;
    this.#pulse.watch(this.#address);
    await this.#refresh();
  }

  async #reconnect(): Promise<void> {
    const { clock, random } = this.#runtime.environment;
    const backoff = new Backoff({ firstMs: 200, mostMs: 5_000, random: () => randomFraction(random) });
    while (!this.#closing.signal.aborted && !this.#scheduler) {
      try {
        await sleep(clock, backoff.next(), this.#closing.signal);
        await this.#connect();
      } catch {
        // tried again until it answers or the client closes
      }
    }
  }

  async #refresh(): Promise<void> {
    if (!this.#scheduler) return;
    const status = await this.#runtime.kernel
      .ask(this.#scheduler, PORT.SCHEDULER, 'status', [], { timeout: ASK_MS })
      .catch(() => undefined);
    if (status) this.#status = status as ClusterStatus;
  }

  #report(): void {
    this.#runtime.environment.clock.after(
      REPORT_MS,
      () => {
        if (this.#closing.signal.aborted) return;
        for (const host of this.#runtime.kernel.peers.values())
          if (host.role !== 'client') for (const address of host.addresses) this.#pulse.watch(address);
        const counters: Counters = { ...this.#dispatcher.tally, waiting: this.#dispatcher.waiting, running: this.#dispatcher.running };
        const text = JSON.stringify(counters);
        if (this.#scheduler && text !== this.#reported) {
          this.#reported = text;
          void this.#runtime.kernel.ask(this.#scheduler, PORT.SCHEDULER, 'counters', [counters], { timeout: ASK_MS }).catch(() => {});
        }
        this.#report();
      },
      { background: true },
    );
  }
}
