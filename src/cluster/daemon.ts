// The two daemons: a host that offers this machine, a scheduler that grants it.
//
// Owns their runtimes. A host goes on with what it has granted when its scheduler is away, and offers itself again.
import { Backoff, FlotillaError, hasCode, type Log, type RuntimeId, randomFraction, sleep } from '../base/index.ts';
import { Host, thisMachine } from '../host/index.ts';
import { PORT, Runtime } from '../kernel/index.ts';
import { formatAddress, parseAddress } from '../transport/index.ts';
import { workerEntry } from './private.ts';
import { Scheduler } from './scheduler.ts';
import { SCHEDULER_PORT } from './scheduler-link.ts';

/** The port of a host, unless said otherwise. */
export const HOST_PORT = 9706;
const ASK_MS = 10_000;
const WARN_MS = 10_000;

/** Options of {@link serveHost}. */
export interface HostDaemonOptions {
  readonly listen: readonly string[];
  readonly advertise?: string;
  readonly name?: string;
  readonly workers?: number;
  readonly scheduler: string;
  readonly heap?: number;
  readonly secret?: Uint8Array;
  readonly pulse?: number;
  readonly log: Log;
}

/** A daemon that runs. */
export interface Daemon {
  readonly name: string;
  readonly locations: readonly string[];
  readonly workers: number;
  /** Ends it and all that it started. */
  close(): Promise<void>;
}

/** Offers this machine to a scheduler. Rejects with ERR_LINK_PORT_IN_USE, ERR_LINK_ADDRESS, ERR_SECRET_FILE, ERR_OPTION_*. */
export async function serveHost(options: HostDaemonOptions): Promise<Daemon> {
  const machine = thisMachine();
  const scheduler = parseAddress(options.scheduler, SCHEDULER_PORT);
  const listen = options.listen.map((text) => parseAddress(text, HOST_PORT));
  const { port } = listen[0] ?? { port: HOST_PORT };
  const name = options.name ?? (port === HOST_PORT ? machine.name : `${machine.name}-${port}`);
  const runtime = await Runtime.start({
    role: 'host',
    name,
    listen: listen.map(formatAddress),
    log: options.log,
    ...(options.secret ? { secret: options.secret } : {}),
    ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
    ...(options.pulse === undefined ? {} : { pulse: options.pulse }),
  });
  const closing = new AbortController();
  let host: Host;
  try {
    host = new Host(runtime, {
      name,
      workers: options.workers ?? machine.cores,
      entry: workerEntry(),
      secret: runtime.secret,
      listen: listen.map((address) => formatAddress({ ...address, port: 0 })),
      log: options.log,
      ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
      ...(options.heap === undefined ? {} : { heap: options.heap }),
      onFree: (_client, slots, epoch) => {
        if (host.scheduler)
          void runtime.kernel.ask(host.scheduler, PORT.SCHEDULER, 'freed', [slots, epoch], { timeout: ASK_MS }).catch(() => {});
      },
    });
  } catch (error) {
    await runtime.close();
    throw error;
  }
  const enlisting = enlist(runtime, host, formatAddress(scheduler), options.log, closing.signal);
  runtime.kernel.onEnded = (peer) => {
    host.peerEnded(peer);
    if (peer === host.scheduler) host.scheduler = undefined;
  };
  return {
    name,
    locations: runtime.locations,
    workers: host.options.workers,
    async close() {
      closing.abort(new FlotillaError('ERR_CLOSED', 'The host closes.'));
      await enlisting;
      await host.close();
      await runtime.close();
    },
  };
}

/** Grants workers of hosts to clients. Rejects with ERR_LINK_PORT_IN_USE, ERR_LINK_ADDRESS or ERR_SECRET_FILE. */
export async function serveScheduler(options: {
  readonly listen: readonly string[];
  readonly name?: string;
  readonly secret?: Uint8Array;
  readonly pulse?: number;
  readonly log: Log;
}): Promise<Daemon> {
  const name = options.name ?? `scheduler-${thisMachine().name}`;
  const runtime = await Runtime.start({
    role: 'scheduler',
    name,
    listen: options.listen.map((text) => formatAddress(parseAddress(text, SCHEDULER_PORT))),
    log: options.log,
    ...(options.secret ? { secret: options.secret } : {}),
    ...(options.pulse === undefined ? {} : { pulse: options.pulse }),
  });
  const scheduler = new Scheduler(runtime);
  runtime.kernel.onOpened = (peer) => options.log.info(`${peer.role} '${peer.name}' is here.`);
  runtime.kernel.onEnded = (peer, end, info) => {
    if (info) options.log.info(`${info.role} '${info.name}' left: ${end.message}.`);
    scheduler.peerEnded(peer);
  };
  return { name, locations: runtime.locations, workers: 0, close: () => runtime.close() };
}

// Offers the host to its scheduler, and again whenever that has been away.
async function enlist(runtime: Runtime, host: Host, address: string, log: Log, signal: AbortSignal): Promise<void> {
  const { clock, random } = runtime.environment;
  const backoff = new Backoff({ firstMs: 100, mostMs: 3_000, random: () => randomFraction(random) });
  let warnedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      const scheduler: RuntimeId = await runtime.connect(address, { timeout: ASK_MS, signal });
      host.scheduler = scheduler;
      await runtime.kernel.ask(scheduler, PORT.SCHEDULER, 'offer', [host.offer], { timeout: ASK_MS, signal });
      log.info(`Joined the scheduler at ${address}.`);
      backoff.reset();
      warnedAt = Number.NEGATIVE_INFINITY;
      while (host.scheduler === scheduler) await sleep(clock, 200, signal);
      log.warn(`The scheduler at ${address} is gone; what runs goes on. Trying again.`);
    } catch (error) {
      if (signal.aborted) return;
      if (clock.now() - warnedAt > WARN_MS) {
        warnedAt = clock.now();
        const again = hasCode(error, 'ERR_LINK_WRONG_SECRET')
          ? ''
          : ` Start one there with 'flotilla scheduler', or name another with --scheduler.`;
        log.warn(`The scheduler at ${address} cannot be joined: ${(error as Error).message}${again} Trying again.`);
      }
      await sleep(clock, backoff.next(), signal).catch(() => {});
    }
  }
}

/** Asks a scheduler for the state of its cluster. Rejects with ERR_CLUSTER_NO_SCHEDULER. */
export async function fetchStatus(address: string, options: { readonly timeout?: number } = {}): Promise<unknown> {
  const runtime = await Runtime.start({ name: 'status' });
  try {
    const text = formatAddress(parseAddress(address, SCHEDULER_PORT));
    const timeout = options.timeout ?? ASK_MS;
    const scheduler = await runtime.connect(text, { timeout }).catch((error: unknown) => {
      if (!hasCode(error, 'ERR_LINK_UNREACHABLE')) throw error;
      throw new FlotillaError(
        'ERR_CLUSTER_NO_SCHEDULER',
        `No scheduler answers at ${text}: ${error.message} Start one with 'flotilla scheduler', or name another.`,
        { cause: error },
      );
    });
    return await runtime.kernel.ask(scheduler, PORT.SCHEDULER, 'status', [], { timeout });
  } finally {
    await runtime.close();
  }
}
