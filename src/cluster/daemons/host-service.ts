// The host daemon: offers this machine to one scheduler, or to any that finds it, within its service hours.
//
// Owns its runtime, its host, and the claim on its place. Does not own the granted places (the scheduler's business), nor the
// worker processes (the host's).
//
//   HV1. A host keeps the places it has granted while its scheduler is away, and offers itself again.
//   HV2. The host tells how much of it is free as often as the most demanding of its clients wants to know.
//   HV3. The daemon closes once; `terminate` overtakes a `wait` and nothing else. The claim is given back last, however it ends.
import { Deferred, defined, FlotillaError, type Log, type RuntimeId, Timers, toError } from '../../base/index.ts';
import { type DailyHours, Host, type HostOptions } from '../../host/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import { SCHEDULER, SCHEDULER_PORT } from '../protocol.ts';
import { Allegiance } from './allegiance.ts';
import type { Daemon, Ending } from './daemon.ts';
import { enlist, offer } from './enlist.ts';
import { HoursKeeper } from './hours-keeper.ts';

const TICK_MS = 2_000;

/** The parts of a {@link HostService}. */
export interface HostServiceOptions {
  readonly host: HostOptions;
  readonly log: Log;
  readonly hours?: DailyHours;
  /** The address of the only scheduler that the host works for; if absent, it works for any that finds it. */
  readonly scheduler?: string;
  /** Milliseconds after which others are looked for again. */
  readonly pingMs?: number;
  /** The number of clients after which the daemon ends. */
  readonly most?: number;
  /** The claim on the host's place, given back when all has ended. */
  readonly claim: { release(): void };
}

/** A host daemon that runs. */
export class HostService implements Daemon {
  readonly host: Host;
  readonly ended: Promise<void>;
  readonly #runtime: Runtime;
  readonly #options: HostServiceOptions;
  readonly #log: Log;
  readonly #allegiance: Allegiance;
  readonly #timers: Timers;
  readonly #closing = new AbortController();
  readonly #hurry = new Deferred<void>();
  readonly #served = new Deferred<void>();
  readonly #enlisting: Promise<void>;
  #count = 0;
  #closed: Promise<void> | undefined;

  constructor(runtime: Runtime, options: HostServiceOptions) {
    const { log, hours, scheduler, pingMs } = options;
    const { clock } = runtime.environment;
    this.#runtime = runtime;
    this.#options = options;
    this.#log = log;
    this.#timers = new Timers(clock);
    this.ended = this.#served.promise;
    runtime.post.on({
      ended: (_peer, how, info) => {
        if (info && info.role !== 'worker') log.info(`${info.role} '${info.name}' left: ${how.message}.`);
      },
    });
    this.#allegiance = new Allegiance(runtime, {
      host: options.host.name,
      log,
      left: (client) => this.#left(client),
      vacant: () => this.#reoffer(),
      ...defined({ exclusively: scheduler }),
    });
    const host = new Host(runtime, options.host, this.#allegiance);
    this.host = host;
    runtime.receiveFor(
      (peer) => host.homeOf(peer)?.folder,
      (peer, path) => {
        const home = host.homeOf(peer);
        if (home) options.host.ground.give(home, path);
      },
    );
    this.#timers.later(TICK_MS / 4, () => this.#tick());
    if (pingMs) this.#timers.every(pingMs, () => this.#ping());
    if (hours) new HoursKeeper({ hours, host, clock, timers: this.#timers, log, changed: () => this.#reoffer() });
    const address = scheduler ?? `tcp://127.0.0.1:${SCHEDULER_PORT}`;
    const [allegiance, { signal }] = [this.#allegiance, this.#closing];
    this.#enlisting = enlist({ runtime, host, allegiance, address, log, signal, quiet: scheduler === undefined }); // HV1
  }

  get name(): string {
    return this.#runtime.name;
  }

  get locations(): readonly string[] {
    return this.#runtime.locations;
  }

  get workers(): number {
    return this.host.options.workers;
  }

  status(): readonly string[] {
    const { host } = this;
    const { post, name, locations } = this.#runtime;
    const { slots } = host.report;
    const scheduler = this.#allegiance.scheduler && post.peers.get(this.#allegiance.scheduler);
    const names = new Map(host.clients.map(({ id, name: client }) => [id, client]));
    return [
      `host '${name}' at ${locations.join(', ')}: ${slots.length} of ${host.options.workers} workers granted${host.open ? '' : ', takes nobody now'}`,
      `  scheduler: ${scheduler ? `'${scheduler.name}'` : 'none'}; clients served: ${this.#count}`,
      ...slots.map(
        ({ slot, pid, client, running, tasks, idleMs }) =>
          `  ${slot}: process ${pid || '-'} for '${names.get(client) ?? client.slice(0, 8)}', ${running} calls, ${tasks} tasks${idleMs > 0 ? `, idle for ${Math.round(idleMs / 1000)} s` : ''}`,
      ),
    ];
  }

  closeClients(which: string | undefined): Promise<void> {
    return this.host.interrupt('its console closes it', which, true);
  }

  /** Closes the daemon; a `terminate` after a `wait` hurries it. HV3 */
  close(how: Ending): Promise<void> {
    if (this.#closed && how === 'terminate') this.#hurry.resolve();
    this.#closed ??= this.#close(how);
    return this.#closed;
  }

  async #close(how: Ending): Promise<void> {
    const { host } = this;
    host.open = false;
    this.#reoffer();
    if (how === 'wait') {
      host.ask('it is being closed');
      await Promise.race([host.empty(), this.#hurry.promise]);
    }
    if (host.clients.length > 0) await host.interrupt('it is being closed');
    this.#closing.abort(new FlotillaError('ERR_CLOSED', 'The host closes.'));
    this.#timers.close();
    await this.#enlisting;
    await host.close();
    await this.#runtime.close();
    this.#options.claim.release();
  }

  #left(client: RuntimeId): void {
    this.#count++;
    this.#log.info(`Client ${client.slice(0, 8)} has left; ${this.#count} served.`);
    const { most } = this.#options;
    if (most && this.#count >= most) this.#served.resolve();
  }

  // Offers the host anew. Without a scheduler nobody needs to know, and a scheduler that is away is told when it is back. HV1
  #reoffer(): void {
    offer(this.#runtime, this.host, this.#allegiance).catch((error: unknown) => this.#log.debug(toError(error).message));
  }

  // Reports the host's pulse, and again after the shortest interval that is wanted. HV2
  #tick(): void {
    const { post, links } = this.#runtime;
    const { scheduler } = this.#allegiance;
    const report = this.host.tick();
    if (scheduler && post.peers.has(scheduler)) post.message(scheduler, SCHEDULER, { kind: 'report', ...report });
    this.#timers.later(Math.min(TICK_MS, links.options.pulseMs), () => this.#tick());
  }

  #ping(): void {
    if (this.host.open && !this.#allegiance.scheduler) this.#runtime.discoverPeers();
  }
}
