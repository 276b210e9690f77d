// The scheduler daemon: takes the hosts it finds or is told of, and shares them between clients.
import { defined, FlotillaError, type Log, Timers, toError } from '../../base/index.ts';
import { thisMachine } from '../../host/index.ts';
import { nodeEnvironment, type PeerInfo, Runtime } from '../../kernel/index.ts';
import { formatAddress, wholeAddress } from '../../transport/index.ts';
import { type ClusterStatus, HOST_PORT, SCHEDULER_PORT } from '../protocol.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { Daemon } from './daemon.ts';
import type { SchedulerSettings } from './scheduler-settings.ts';
import { listensAt, quotasOf } from './told.ts';

/** Options of {@link serveScheduler}: the operator's settings, and where log lines go. */
export interface SchedulerDaemonOptions extends SchedulerSettings {
  readonly log: Log;
}

const ZOMBIE_MS = 1_000_000;
const TICK_MS = 1_000;
const ASK_MS = 10_000;
const AGAIN_MS = 15_000;

/** Grants workers of hosts to clients. Rejects with ERR_LINK_PORT_IN_USE, ERR_LINK_ADDRESS or ERR_SECRET_FILE. */
export async function serveScheduler(options: SchedulerDaemonOptions): Promise<Daemon> {
  const { log, secret, certfile, keyfile, pulse, udpPort, multicast, advertise, discovery = true } = options;
  const quotas = quotasOf(options.quota ?? []);
  const name = options.name ?? `scheduler-${thisMachine().name}`;
  const environment = nodeEnvironment();
  const runtime = await Runtime.start(
    {
      role: 'scheduler',
      name,
      listen: listensAt(options, environment.networks, SCHEDULER_PORT).map((address) => formatAddress(environment.networks, address)),
      log,
      discover: discovery,
      ...defined({ secret, certfile, keyfile, pulse, udpPort, multicast, advertise }),
    },
    environment,
  );
  const { zombiePeriod: zombieMs = ZOMBIE_MS, exclusive = false } = options;
  runtime.post.on({
    opened: (peer) => {
      log[levelOf(peer)](`${peer.role} '${peer.name}' is here.`);
      if (peer.role === 'host') made.enlist(peer.id).catch((error: unknown) => log.info(toError(error).message));
    },
    ended: (_peer, end, info) => {
      if (info) log[levelOf(info)](`${info.role} '${info.name}' left: ${end.message}.`);
    },
  });
  const made = new Scheduler(runtime, { log, zombieMs, exclusive, quotas });
  const closing = new AbortController();
  const timers = new Timers(runtime.environment.clock);
  timers.every(TICK_MS, () => made.closeIdle());
  if (options.pingInterval) timers.every(options.pingInterval, () => runtime.discoverPeers());
  // Asks for a host that was named as long as the scheduler lives, since it may start later, or come back; its neighbours are found, too.
  const seek = (text: string, warned: boolean): void => {
    const address = wholeAddress(environment.networks, text, HOST_PORT);
    if (runtime.peers().some((peer) => peer.role === 'host' && peer.addresses.includes(address))) {
      timers.later(AGAIN_MS, () => seek(text, warned));
      return;
    }
    runtime.peer(address, { relay: true, timeout: ASK_MS }).then(
      () => seek(text, false),
      (error: unknown) => {
        if (closing.signal.aborted) return;
        if (!warned) log.warn(`The host ${text} does not answer, and is asked again and again: ${toError(error).message}`);
        timers.later(AGAIN_MS / 3, () => seek(text, true));
      },
    );
  };
  for (const text of options.hosts ?? []) seek(text, false);
  return {
    name,
    locations: runtime.locations,
    workers: 0,
    ended: new Promise(() => {}),
    status: () => statusOf(made.status),
    closeClients: () => Promise.reject(new FlotillaError('ERR_OPTION_INVALID', 'A scheduler closes no clients; end it with quit.')),
    close() {
      closing.abort();
      timers.close();
      return runtime.close();
    },
  };
}

// The level at which a peer's coming and going is logged. Peers that only ask, as `flotilla status` does, come and go all the time.
function levelOf({ role }: PeerInfo): 'info' | 'debug' {
  return role === 'runtime' ? 'debug' : 'info';
}

function statusOf({ scheduler, hosts, clients }: ClusterStatus): string[] {
  const workers = hosts.reduce((sum, host) => sum + host.workers, 0);
  const held = hosts.reduce((sum, host) => sum + host.granted, 0);
  const waiting = clients.filter((client) => !client.admitted).length;
  return [
    `scheduler '${scheduler}': ${hosts.length} hosts, ${held} of ${workers} workers granted, ${clients.length} clients, ${waiting} of them waiting for their turn`,
    ...clients.map(({ name, workers: has, admitted, counters: c }) => {
      const work = c ? `${c.running} running, ${c.waiting} waiting, ${c.done} done` : 'nothing reported yet';
      return `  client '${name}': ${admitted ? `${has} workers` : 'waits for its turn'}; ${work}`;
    }),
  ];
}
