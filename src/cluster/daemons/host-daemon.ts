// The host daemon: offers this machine to a scheduler or to whoever finds it, within its service hours.
//
// Owns its runtime and host. Goes on with what it has granted when its scheduler is away, and offers itself again.
import { defined, FlotillaError, type Log, Timers, toError } from '../../base/index.ts';
import {
  type Account,
  accountsOf,
  checkCanRun,
  type DailyHours,
  factsOf,
  Host,
  type HostSettings,
  parseHours,
  SystemGround,
  serviceAt,
  thisMachine,
  usableCores,
} from '../../host/index.ts';
import { type Environment, nodeEnvironment, PORT, Runtime, type RuntimeOptions } from '../../kernel/index.ts';
import { formatAddress, type Networks, networkOf, parseAddress, wholeAddress } from '../../transport/index.ts';
import { workerEntry } from '../../worker/index.ts';
import { HOST_PORT, SCHEDULER_PORT } from '../protocol.ts';
import { claimPlace } from './clean.ts';
import { enlist, offer } from './enlist.ts';
import { listensAt } from './told.ts';
import { workerPorts } from './worker-ports.ts';

/** What {@link serveHost} is told: what the operator says, and what the process knows. */
export interface HostDaemonOptions extends HostSettings {
  /** What a suid or sgid copy of Node.js has lent to this process. */
  readonly lent?: Account | undefined;
  readonly log: Log;
}

/** How a daemon is to end: when what runs has ended, or now. */
export type Ending = 'wait' | 'terminate';

/** A daemon that runs. */
export interface Daemon {
  readonly name: string;
  readonly locations: readonly string[];
  readonly workers: number;
  /** What it does now, in lines for people. */
  status(): readonly string[];
  /** Closes one client, or all: what runs is interrupted. */
  closeClients(which: string | undefined): Promise<void>;
  /** Resolves when it ends by itself: it has served as many clients as it should. */
  readonly ended: Promise<void>;
  /** Ends it and all that it started. `terminate` overtakes a `wait`. */
  close(how: Ending): Promise<void>;
}

const TICK_MS = 2_000;
const DAY_MS = 24 * 3_600_000;
const LEAST_PULSE_MS = 500;
const MOST_PULSE_MS = 100_000;
const PULSE_MS = 2_000;

/** Offers this machine. Rejects with ERR_LINK_PORT_IN_USE, ERR_LINK_ADDRESS, ERR_SECRET_FILE, ERR_HOST_START, ERR_OPTION_*. */
export async function serveHost(options: HostDaemonOptions, environment: Environment = nodeEnvironment()): Promise<Daemon> {
  const { log } = options;
  const { clock, networks } = environment;
  const workers = workersOf(options.cpus ?? 0);
  const pulse = pulsesOf(options);
  const hours = hoursOf(options, clock.wall());
  const accounts = accountsOf(options.user, options.group, options.lent);
  checkCanRun(accounts, workerEntry());
  const scheduler = schedulerOf(options, networks);
  for (const peer of options.peers ?? []) parseAddress(networks, peer, HOST_PORT);
  const listen = listensAt(options, networks, HOST_PORT);
  const port = listen[0]?.port ?? HOST_PORT;
  const machine = thisMachine();
  const name = options.name ?? (port === HOST_PORT ? machine.name : `${machine.name}-${port}`);
  const claim = await claimPlace(clock, { port, dest: options.dest }, options.clean ?? false);
  let host: Host | undefined;
  let runtime: Runtime | undefined;
  try {
    runtime = await Runtime.start(
      runtimeOptions(
        options,
        name,
        listen.map((address) => formatAddress(networks, address)),
        pulse,
        () => host,
      ),
      environment,
    );
    const started = runtime;
    const ground = new SystemGround({
      entry: workerEntry(),
      random: environment.random,
      variables: environment.variables,
      dest: options.dest,
      keepFolders: options.cleanup === false,
      spare: options.spare !== false,
      clock,
      accounts,
      limits: options,
    });
    let served = 0;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    host = new Host(
      started,
      {
        name,
        workers,
        ground,
        secret: started.secret,
        listen: listen
          .flatMap((address) => networkOf(networks, address).beside(address) ?? [])
          .map((place) => formatAddress(networks, place)),
        ports: [0, ...workerPorts(options.ports ?? [], port, workers)],
        log,
        pulse,
        facts: factsOf(name, workers, options.dest),
        settings: options,
        ...defined({
          clients: accounts.length || undefined,
          advertise: options.advertise?.[0],
        }),
      },
      {
        freed: (client, slots, epoch, gone) => {
          if (host?.scheduler)
            void started.kernel
              .ask(host.scheduler, PORT.SCHEDULER, 'freed', [slots, epoch, ...(gone ? [client] : [])], {
                timeout: started.hub.options.answerMs,
              })
              .catch(() => {});
        },
        left(client) {
          served++;
          log.info(`Client ${client.slice(0, 8)} has left; ${served} served.`);
          if (options.serve && served >= options.serve) end();
        },
        vacant: () => void (host && offer(started, host).catch((error: unknown) => log.debug(toError(error).message))),
      },
    );
    return run(started, host, { options, hours, scheduler, claim, ended, served: () => served });
  } catch (error) {
    await runtime?.close();
    claim.release();
    throw error;
  }
}

interface Running {
  readonly options: HostDaemonOptions;
  readonly hours: DailyHours | undefined;
  readonly scheduler: string | undefined;
  readonly claim: { release(): void };
  readonly ended: Promise<void>;
  readonly served: () => number;
}

function run(runtime: Runtime, host: Host, { options, hours, scheduler, claim, ended, served }: Running): Daemon {
  const { log } = options;
  const { clock } = runtime.environment;
  const { kernel } = runtime;
  const closing = new AbortController();
  const timers = new Timers(clock);
  runtime.receiveFor(
    (peer) => host.homeOf(peer)?.folder,
    (peer, path) => {
      const home = host.homeOf(peer);
      if (home) host.options.ground.give(home, path);
    },
  );
  kernel.onEnded = (peer, how, info) => {
    if (info && info.role !== 'worker') log.info(`${info.role} '${info.name}' left: ${how.message}.`);
    host.peerEnded(peer);
    if (peer === host.scheduler) host.disown();
  };
  kernel.onOffline = (peer, offline) => host.peerOffline(peer, offline);
  const reoffer = (): void => void offer(runtime, host).catch((error: unknown) => log.debug(toError(error).message));
  // Often enough for the client that wants to know most often how much is free.
  const tick = (): void => {
    const report = host.tick();
    if (host.scheduler && kernel.peers.has(host.scheduler)) kernel.message(host.scheduler, PORT.SCHEDULER, { kind: 'report', ...report });
    timers.later(Math.min(TICK_MS, runtime.hub.options.pulseMs), tick);
  };
  timers.later(TICK_MS / 4, tick);
  const ping = (): void => {
    if (host.open && !host.scheduler) runtime.discoverPeers();
  };
  if (options.pingInterval) timers.every(options.pingInterval, ping);
  const keepHours = (): void => {
    if (!hours) return;
    const now = clock.wall();
    const { phase, until } = serviceAt(hours, now);
    const open = phase === 'open';
    if (host.open !== open) {
      host.open = open;
      log.info(open ? 'Service begins.' : phase === 'stopping' ? 'Service stops: clients are asked to leave.' : 'Service has ended.');
      reoffer();
      if (phase === 'stopping') host.ask('its service hours are over');
    }
    if (phase === 'closed' && host.clients.length > 0) void host.interrupt('its service hours have ended');
    // A clock that is set, or a machine that slept, is noticed within a minute.
    timers.later(Math.min(until - now, 60_000, DAY_MS), keepHours);
  };
  keepHours();
  const enlisting =
    scheduler !== undefined
      ? enlist(runtime, host, scheduler, log, closing.signal, false)
      : enlist(runtime, host, `tcp://127.0.0.1:${SCHEDULER_PORT}`, log, closing.signal, true);
  host.exclusively = scheduler;
  let closed: Promise<void> | undefined;
  let hurry: (() => void) | undefined;
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve;
  });
  const close = async (how: Ending): Promise<void> => {
    host.open = false;
    reoffer();
    if (how === 'wait') {
      host.ask('it is being closed');
      await Promise.race([host.empty(), hurried]);
    }
    if (host.clients.length > 0) await host.interrupt('it is being closed');
    closing.abort(new FlotillaError('ERR_CLOSED', 'The host closes.'));
    timers.close();
    await enlisting;
    await host.close();
    await runtime.close();
    claim.release();
  };
  return {
    name: runtime.name,
    locations: runtime.locations,
    workers: host.options.workers,
    ended,
    status: () => statusOf(runtime, host, served()),
    closeClients: async (which) => {
      await host.interrupt('its console closes it', which, true);
    },
    close(how) {
      if (closed && how === 'terminate') hurry?.();
      closed ??= close(how);
      return closed;
    },
  };
}

function statusOf(runtime: Runtime, host: Host, served: number): string[] {
  const { slots } = host.report;
  const scheduler = host.scheduler && runtime.kernel.peers.get(host.scheduler);
  const names = new Map(host.clients.map(({ id, name }) => [id, name]));
  return [
    `host '${runtime.name}' at ${runtime.locations.join(', ')}: ${slots.length} of ${host.options.workers} workers granted${host.open ? '' : ', takes nobody now'}`,
    `  scheduler: ${scheduler ? `'${scheduler.name}'` : 'none'}; clients served: ${served}`,
    ...slots.map(
      ({ slot, pid, client, running, tasks, idleMs }) =>
        `  ${slot}: process ${pid || '-'} for '${names.get(client) ?? client.slice(0, 8)}', ${running} calls, ${tasks} tasks${idleMs > 0 ? `, idle for ${Math.round(idleMs / 1000)} s` : ''}`,
    ),
  ];
}

function runtimeOptions(
  options: HostDaemonOptions,
  name: string,
  listen: readonly string[],
  [least, most]: readonly [number, number],
  host: () => Host | undefined,
): RuntimeOptions {
  const { secret, certfile, keyfile, advertise, udpPort, multicast, peers, maxFileSize, msgTimeout, discovery = true } = options;
  return {
    role: 'host',
    name,
    listen,
    log: options.log,
    pulse: Math.min(Math.max(PULSE_MS, least), most),
    discover: discovery,
    keeps: (peer, quiet) => host()?.keeps(peer, quiet) ?? false,
    ...defined({
      secret,
      certfile,
      keyfile,
      advertise,
      udpPort,
      multicast,
      seeds: peers,
      maxFileSize: maxFileSize || undefined,
      answerTimeout: msgTimeout,
    }),
  };
}

// How many workers: n, all cores, or all but some.
function workersOf(cpus: number): number {
  const cores = usableCores();
  if (!Number.isInteger(cpus)) throw new FlotillaError('ERR_OPTION_INVALID', `--cpus must be a whole number; it is ${cpus}.`);
  if (cpus > 0) return cpus;
  if (-cpus >= cores)
    throw new FlotillaError('ERR_OPTION_INVALID', `--cpus ${cpus} leaves no core: this machine has ${cores}. Leave fewer to others.`);
  return cores + cpus;
}

function pulsesOf({
  pulse,
  minPulse = pulse ?? LEAST_PULSE_MS,
  maxPulse = pulse ?? MOST_PULSE_MS,
}: HostSettings): readonly [number, number] {
  if (minPulse <= maxPulse) return [minPulse, maxPulse];
  throw new FlotillaError('ERR_OPTION_INVALID', '--min-pulse-interval must not be longer than --max-pulse-interval.');
}

function hoursOf({ serviceStart: start, serviceStop: stop, serviceEnd: end }: HostSettings, now: number): DailyHours | undefined {
  return [start, stop, end].some((time) => time !== undefined) ? parseHours({ start, stop, end }, now) : undefined;
}

// The scheduler that was named; 'auto' and 'local' name none.
function schedulerOf({ scheduler, schedulerPort = SCHEDULER_PORT }: HostSettings, networks: Networks): string | undefined {
  if (scheduler === undefined || scheduler === 'auto' || scheduler === 'local') return undefined;
  return wholeAddress(networks, scheduler, schedulerPort);
}
