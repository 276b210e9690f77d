// How a client comes to its workers: inline, on this machine, by a shared scheduler, or from the hosts of the network.
//
//   JO1. A client is visible only if its options ask for it: only `auto` announces it, and only `auto` or `listen` opens ports to others.
import { basename } from 'node:path';
import { defined, hasCode, type Log, labelOf, lineLog, onAbort, type RuntimeId, sleep, toError } from '../../base/index.ts';
import { HOST, type Host, thisMachine } from '../../host/index.ts';
import { type Environment, nodeEnvironment, Runtime, type RuntimeOptions } from '../../kernel/index.ts';
import type { OnlyHost } from '../crew/places.ts';
import { asSetUp } from '../crew/set-up.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Assembly } from './assemble.ts';
import { firstWorker } from './first-worker.ts';
import type { ClientOptions } from './options.ts';
import { seekHosts, startInline, startLocal, startScheduler } from './private.ts';
import { type LinkOptions, SchedulerLink } from './scheduler-link.ts';

/** A way to come to workers. */
export type Mode =
  | { readonly kind: 'inline' }
  | { readonly kind: 'local' }
  | { readonly kind: 'auto' }
  | { readonly kind: 'shared'; readonly address: string };

/** The hold of a client on its workers, once it has joined. */
export interface Joined {
  readonly link: SchedulerLink | undefined;
  /** Resolves when the program may have the client. */
  readonly begun: Promise<void>;
  /** Has hosts judged again, because the allocations have changed. */
  again(): Promise<void>;
  close(): Promise<void>;
}

/** The parts of a client that joining needs. */
export interface Joining {
  readonly runtime: Runtime;
  readonly options: ClientOptions;
  /** When the client began to connect. */
  readonly since: number;
  readonly log: Log;
  readonly warn: (text: string) => void;
  readonly parts: Assembly;
  readonly closing: AbortSignal;
  readonly simulated: boolean;
}

const FIND_MS = 800;
const PATIENT_MS = 5_000;

/** The runtime of a client, and the way that it will take. */
export interface StartedClient {
  readonly runtime: Runtime;
  readonly mode: Mode;
  /** When the client began to connect, by the runtime's clock. */
  readonly since: number;
  readonly log: Log;
  readonly warn: (text: string) => void;
}

/** Starts the runtime of a client, and says how it will come to its workers. */
export async function startRuntime(options: ClientOptions, world: Environment | undefined): Promise<StartedClient> {
  const warn = options.warn ?? ((text: string) => process.stderr.write(`flotilla: ${text}\n`));
  const log = lineLog((line) => warn(line.replace(/^warning: /, '')), 'warn');
  const environment = world ?? nodeEnvironment();
  const since = environment.clock.now();
  const mode = modeOf(options, environment.variables['FLOTILLA_SCHEDULER']);
  const {
    name = world === undefined ? programName() : undefined,
    pulse,
    encrypt,
    certfile,
    keyfile,
    listen,
    advertise,
    udpPort,
    multicast,
  } = options;
  const given = typeof options.secret === 'string' ? Buffer.from(options.secret) : options.secret;
  // A client that stays in this process and its children makes a secret of its own, as it shares none with others.
  const alone = mode.kind === 'inline' || (mode.kind === 'local' && listen === undefined && !namesHosts(options));
  const secret = given ?? (alone ? environment.random(32) : undefined);
  const chosen: RuntimeOptions = {
    role: 'client',
    log,
    ...defined({ secret, name, pulse, encrypt, certfile, keyfile, listen, advertise, udpPort, multicast }),
  };
  const started = { mode, since, log, warn };
  if (mode.kind !== 'auto') return { runtime: await Runtime.start(chosen, environment), ...started }; // JO1
  const anywhere = { listen: 'tcp://0.0.0.0:0', ...chosen };
  try {
    return { runtime: await Runtime.start({ ...anywhere, discover: true }, environment), ...started };
  } catch (error) {
    if (!hasCode(error, 'ERR_DISCOVERY')) throw error;
    warn(`hosts and schedulers cannot be looked for: ${error.message}`);
    return { runtime: await Runtime.start(anywhere, environment), ...started };
  }
}

/** Brings a client to its workers. Rejects with ERR_CLUSTER_NO_SCHEDULER, ERR_LINK_*, ERR_HOST_START. */
export async function join(mode: Mode, joining: Joining): Promise<Joined> {
  const { runtime, options, parts, warn, closing } = joining;
  const { dispatcher, crew, limits } = parts;
  if (mode.kind === 'inline') {
    const data = await asSetUp('hostSetUp', options.hostSetUp)?.fn(...(inlineArgs(options.hostSetUp) as never[]));
    startInline(runtime, crew, parts.own, data);
    await asSetUp('workerSetUp', options.workerSetUp)?.fn(...(inlineArgs(options.workerSetUp) as never[]));
    parts.places.close({ name: 'inline', workers: ['inline'], addresses: [] });
    return {
      link: undefined,
      begun: Promise.resolve(),
      again: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }
  const found = mode.kind === 'auto' ? await findScheduler(runtime, options.local === false, options.signal) : undefined;
  const address = mode.kind === 'shared' ? mode.address : found;
  const linkOptions: LinkOptions = {
    runtime,
    crew,
    dispatcher,
    limits,
    wish: wishOf(options, runtime.name, address === undefined),
    since: joining.since,
    warn,
    signal: options.signal,
    patienceMs: options.timeout,
    pulseThread: !joining.simulated && (address !== undefined || mode.kind === 'auto' || namesHosts(options)),
  };
  const own = address === undefined ? await startOwn(mode, joining) : undefined;
  const link = address === undefined ? await SchedulerLink.own(linkOptions) : await SchedulerLink.open(address, linkOptions);
  if (own?.alone && own.host) parts.places.close(onlyHost(own.host, runtime.locations));
  const joined: Joined = {
    link,
    begun: begin(joining, link, own?.host !== undefined && own.alone),
    async again() {
      if (own) void seekHosts(runtime, parts.rules.all, warn);
      await link.again();
    },
    async close() {
      await own?.host?.close();
    },
  };
  if (closing.aborted) throw closing.reason;
  return joined;
}

interface Own {
  readonly scheduler: Scheduler;
  readonly host: Host | undefined;
  /** Whether this machine's workers are the only ones there can be. */
  readonly alone: boolean;
}

// Starts a scheduler of the client's own, for this machine's cores and, if wanted, the hosts of the network.
async function startOwn(mode: Mode, { runtime, options, log, warn, parts }: Joining): Promise<Own> {
  const scheduler = startScheduler(runtime, log);
  const host = options.local === false ? undefined : await startLocal(runtime, runtime.secret, options, log);
  const network = mode.kind === 'auto' || namesHosts(options);
  if (network) void seekHosts(runtime, parts.rules.all, warn);
  return { scheduler, host, alone: !network };
}

function onlyHost({ options: { name, workers } }: Host, addresses: readonly string[]): OnlyHost {
  return { name, addresses, workers: Array.from({ length: workers }, (_, i) => `${name}/${i + 1}`) };
}

async function begin(joining: Joining, link: SchedulerLink, local: boolean): Promise<void> {
  const { runtime, options, parts, warn, closing } = joining;
  const { dispatcher, crew } = parts;
  const { clock } = runtime.environment;
  const waiting = firstWorker({ clock, crew, dispatcher, options, warn, local, explain: () => link.explain(), closing });
  // The program goes on while this machine's processes start; its calls wait for them. A program that enables hosts or workers itself
  // needs the client before there can be a worker.
  if (local || options.disableHosts || options.disableWorkers) waiting.catch((error: Error) => dispatcher.fail(error));
  else await waiting;
}

// The name of a program that gives none: its file and its machine, which people recognize.
function programName(): string {
  const [, file = 'node'] = process.argv;
  return labelOf(`${basename(file)} on ${thisMachine().name}`);
}

function modeOf(options: ClientOptions, fromEnvironment: string | undefined): Mode {
  if (options.inline) return { kind: 'inline' };
  const asked = options.scheduler ?? fromEnvironment;
  if (asked === undefined || asked === '' || asked === 'local') return { kind: 'local' };
  return asked === 'auto' ? { kind: 'auto' } : { kind: 'shared', address: asked };
}

function namesHosts({ hosts = [] }: ClientOptions): boolean {
  return hosts.some((given) => !(typeof given === 'string' ? given : (given.host ?? '*')).includes('*'));
}

function wishOf(options: ClientOptions, name: string, own: boolean): LinkOptions['wish'] {
  return {
    name,
    workers: own ? undefined : options.workers,
    weight: options.weight ?? 1,
    exclusive: !own && options.exclusive === true, // a client with a scheduler of its own is alone there
    picky: (options.hosts ?? []).length > 0,
    hold: options.hostSetUp !== undefined || options.disableHosts === true,
  };
}

// Finds the address of a shared scheduler nearby. A client without cores of its own (`patient`) waits longer, because nothing else can
// serve it.
async function findScheduler(runtime: Runtime, patient: boolean, signal: AbortSignal | undefined): Promise<string | undefined> {
  const { clock } = runtime.environment;
  const started = clock.now();
  const asked = new Set<RuntimeId>();
  let hostsAt: number | undefined;
  for (;;) {
    const peers = runtime.peers();
    const found = peers.find((peer) => peer.role === 'scheduler' && peer.addresses.length > 0);
    if (found) return found.addresses[0];
    // A host that was heard knows its scheduler, even if the scheduler's own answer was lost.
    for (const { id } of peers.filter((peer) => peer.role === 'host' && !asked.has(peer.id))) {
      asked.add(id);
      const owner = await runtime.post
        .at(id, HOST, { timeout: FIND_MS })
        .owner()
        .catch(() => []);
      if (owner[0] !== undefined) return owner[0];
    }
    const now = clock.now();
    if (peers.some((peer) => peer.role === 'host')) hostsAt ??= now;
    const enough = patient && (hostsAt === undefined || now - hostsAt < FIND_MS) ? PATIENT_MS : FIND_MS;
    const left = started + enough - now;
    if (left <= 0) return undefined;
    await nextPeer(runtime, hostsAt === undefined ? left : Math.max(0, Math.min(left, hostsAt + FIND_MS - now)), signal);
  }
}

// Resolves when a peer has come, or after so many milliseconds. Rejects with the signal's reason.
async function nextPeer({ post, environment }: Runtime, ms: number, signal: AbortSignal | undefined): Promise<void> {
  const come = new AbortController();
  const off = post.on({ opened: () => come.abort() });
  const offSignal = onAbort(signal, () => come.abort());
  try {
    await sleep(environment.clock, ms, come.signal).catch(() => {});
  } finally {
    off();
    offSignal();
  }
  if (signal?.aborted) throw toError(signal.reason);
}

function inlineArgs(given: ClientOptions['hostSetUp']): readonly unknown[] {
  if (typeof given !== 'object') return [];
  const none = {
    name: 'inline',
    platform: '',
    workers: 1,
    cores: 1,
    memory: 0,
    disk: 0,
    swap: 0,
    location: 'inline',
    availability: undefined,
  };
  return given.args({ host: none, worker: 'inline' });
}
