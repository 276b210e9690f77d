// How a host daemon starts: all options are checked before anything is begun, and all that was begun is taken back if the start fails.
import { defined, FlotillaError, type Log } from '../../base/index.ts';
import {
  type Account,
  accountsOf,
  checkCanRun,
  type DailyHours,
  factsOf,
  type Ground,
  type GroundOptions,
  type HostOptions,
  type HostSettings,
  parseHours,
  SystemGround,
  thisMachine,
  usableCores,
} from '../../host/index.ts';
import { type Environment, nodeEnvironment, Runtime, type RuntimeOptions } from '../../kernel/index.ts';
import { type Address, formatAddress, type Networks, networkOf, parseAddress, wholeAddress } from '../../transport/index.ts';
import { workerEntry } from '../../worker/index.ts';
import { HOST_PORT, SCHEDULER_PORT } from '../protocol.ts';
import { claimPlace } from './clean.ts';
import type { Daemon } from './daemon.ts';
import { HostService } from './host-service.ts';
import { listensAt } from './told.ts';
import { workerPorts } from './worker-ports.ts';

/** Options of {@link serveHost}: the operator's settings, and what the process knows of itself. */
export interface HostDaemonOptions extends HostSettings {
  /** The account that a suid or sgid copy of Node.js has lent to this process. */
  readonly lent?: Account | undefined;
  readonly log: Log;
}

const LEAST_PULSE_MS = 500;
const MOST_PULSE_MS = 100_000;
const PULSE_MS = 2_000;

/** Offers this machine. Rejects with ERR_LINK_PORT_IN_USE, ERR_LINK_ADDRESS, ERR_SECRET_FILE, ERR_HOST_START, ERR_OPTION_*. */
export async function serveHost(options: HostDaemonOptions, environment: Environment = nodeEnvironment()): Promise<Daemon> {
  const plan = planOf(options, environment);
  const claim = await claimPlace(environment.clock, { port: plan.port, dest: options.dest }, options.clean ?? false);
  let runtime: Runtime | undefined;
  try {
    runtime = await Runtime.start(runtimeOptions(options, plan), environment);
    const ground = new SystemGround(groundOptions(options, plan, environment));
    const { hours, scheduler } = plan;
    const { log, serve: most, pingInterval: pingMs } = options;
    return new HostService(runtime, {
      host: hostOptions(options, plan, runtime, ground),
      log,
      claim,
      ...defined({ hours, scheduler, most, pingMs }),
    });
  } catch (error) {
    await runtime?.close();
    claim.release();
    throw error;
  }
}

/** The meaning of options on this machine, checked before anything is begun. */
interface Plan {
  readonly name: string;
  readonly port: number;
  readonly networks: Networks;
  readonly listen: readonly Address[];
  readonly workers: number;
  readonly pulse: readonly [least: number, most: number];
  readonly hours: DailyHours | undefined;
  readonly accounts: readonly Account[];
  readonly scheduler: string | undefined;
}

function planOf(options: HostDaemonOptions, { clock, networks }: Environment): Plan {
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
  return { name, port, networks, listen, workers, pulse, hours, accounts, scheduler };
}

function groundOptions(options: HostDaemonOptions, { accounts }: Plan, { random, variables, clock }: Environment): GroundOptions {
  return {
    entry: workerEntry(),
    random,
    variables,
    clock,
    dest: options.dest,
    keepFolders: options.cleanup === false,
    spare: options.spare !== false,
    accounts,
    limits: options,
  };
}

function hostOptions(options: HostDaemonOptions, plan: Plan, runtime: Runtime, ground: Ground): HostOptions {
  const { name, workers, pulse, port, networks, listen, accounts } = plan;
  return {
    name,
    workers,
    ground,
    secret: runtime.secret,
    listen: listen.flatMap((address) => networkOf(networks, address).beside(address) ?? []).map((place) => formatAddress(networks, place)),
    ports: [0, ...workerPorts(options.ports ?? [], port, workers)],
    log: options.log,
    pulse,
    facts: factsOf(name, workers, options.dest),
    settings: options,
    ...defined({
      clients: accounts.length || undefined,
      advertise: options.advertise?.[0],
    }),
  };
}

function runtimeOptions(options: HostDaemonOptions, { name, networks, listen, pulse: [least, most] }: Plan): RuntimeOptions {
  const { secret, certfile, keyfile, advertise, udpPort, multicast, peers, maxFileSize, msgTimeout, discovery = true } = options;
  return {
    role: 'host',
    name,
    listen: listen.map((address) => formatAddress(networks, address)),
    log: options.log,
    pulse: Math.min(Math.max(PULSE_MS, least), most),
    discover: discovery,
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

// The number of workers: `--cpus` itself, all cores if it is 0, or all but some if it is negative.
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

// The address of the scheduler that was named; 'auto' and 'local' name none.
function schedulerOf({ scheduler, schedulerPort = SCHEDULER_PORT }: HostSettings, networks: Networks): string | undefined {
  if (scheduler === undefined || scheduler === 'auto' || scheduler === 'local') return undefined;
  return wholeAddress(networks, scheduler, schedulerPort);
}
