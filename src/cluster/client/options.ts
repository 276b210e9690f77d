// The options of clients and of calls, and the types of the verbs.
import {
  abortSignal,
  callback,
  defineOptions,
  either,
  FlotillaError,
  fields,
  flag,
  type Kind,
  label,
  list,
  listOf,
  number,
  oneOf,
  text,
  whole,
} from '../../base/index.ts';
import type { RuntimeOptions, TaskRef } from '../../kernel/index.ts';
import type { Component } from '../crew/components.ts';
import type { SetUp } from '../crew/set-up.ts';
import type { ClusterEvent, OutputLine } from '../events.ts';
import { allocationsOf, type HostAllocation } from './allocation.ts';

/** Options of {@link Client.connect}. dispycos's spelling, where it differs, in brackets. */
export interface ClientOptions {
  /**
   * The source of workers. The address of a shared scheduler, as `tcp://HOST:PORT`; `local`: this machine's cores, whatever
   * FLOTILLA_SCHEDULER says; `auto`: a shared scheduler that is found on the network, else every host that answers there, those
   * in `hosts`, and this machine's cores.
   */
  readonly scheduler?: string;
  /** Whether this machine's cores are used beside hosts of the network; true by default. */
  readonly local?: boolean;
  /** With a shared scheduler, the most workers to have; without, how many to start here, one per core by default. */
  readonly workers?: number;
  /** Runs everything in this process, through the same code path, so that breakpoints work. */
  readonly inline?: boolean;
  /** A name for people; by default that of the program's file and of this machine, as `factor.ts on laptop`. */
  readonly name?: string;
  /** The share of the cluster, relative to other clients; 1 by default. */
  readonly weight?: number;
  /** Gives this client the whole cluster, alone, when its turn has come; clients that come later wait. */
  readonly exclusive?: boolean;
  /**
   * The hosts to use: names, addresses, patterns with `*`, or {@link HostAllocation}s, the first that decides. All hosts, if absent or
   * empty; else only those that match: add `'*'` for the rest. (`nodes`)
   */
  readonly hosts?: readonly (string | HostAllocation)[];
  /** Functions, classes, modules (by URL), files and folders that are sent to every host ahead of all work. */
  readonly components?: readonly Component[];
  /** Runs once on each host before this client's workers there, in its folder; its result is `host.data` on the workers. (`node_setup`) */
  readonly hostSetUp?: SetUp | (() => unknown);
  /** Runs in each worker before anything else. (`server_setup`) */
  readonly workerSetUp?: SetUp | (() => unknown);
  /** Hosts are set up and used only after `enableHost`. (`disable_nodes`) */
  readonly disableHosts?: boolean;
  /** Workers are set up and used only after `enableWorker`. (`disable_servers`) */
  readonly disableWorkers?: boolean;
  /** Starts workers again that were closed. False by default; a worker that crashed is always started again. (`restart_servers`) */
  readonly restartWorkers?: boolean;
  /** Gives a silent host up at once, or after so many milliseconds; by default, its tasks wait for it. (`abandon_zombie_nodes`) */
  readonly abandonZombieHosts?: boolean | number;
  /** Hears every change of hosts, workers and tasks. */
  readonly onStatus?: (event: ClusterEvent) => void;
  /** A task that is sent every change; its messages must include {@link ClusterEvent}. (`status_task`) */
  readonly statusTask?: TaskRef<ClusterEvent>;
  /** Fails after so many milliseconds without a worker; without it, connect waits, and warns. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** The secret; by default that of `~/.flotilla/secret`. */
  readonly secret?: string | Uint8Array;
  /** A certificate and its key, as for a runtime. */
  readonly certfile?: string;
  readonly keyfile?: string;
  /** The way of lines that workers print: `print` (marked with the worker) by default. */
  readonly output?: 'print' | 'ignore' | ((line: OutputLine) => void);
  /** Hears warnings; written to stderr by default. */
  readonly warn?: (text: string) => void;
  /** Heap limit of each local worker, in MiB. */
  readonly heap?: number;
  /** Milliseconds between signs of life; a host may ask for a longer interval. (`pulse_interval`) */
  readonly pulse?: number;
  /** `always` encrypts also connections within this machine. */
  readonly encrypt?: 'auto' | 'always';
  /** Where others dial this client, and how they are found: as for a runtime. */
  readonly listen?: string | readonly string[];
  readonly advertise?: string | readonly string[];
  readonly udpPort?: number;
  readonly multicast?: RuntimeOptions['multicast'];
}

const setUpKind: Kind<SetUp | (() => unknown)> = (value) =>
  either(callback, fields({ fn: callback, args: callback }))(value) === undefined ? undefined : 'a function, or made by setUp(fn, ...args)';
const secret: Kind<string | Uint8Array> = (value) =>
  text(value) === undefined || (value instanceof Uint8Array && value.length > 0) ? undefined : 'a text or bytes, not empty';
// Checks the form only: the runtime looks at each group itself.
const groups: Kind<object> = (value) => (typeof value === 'object' && value !== null ? undefined : 'groups');

const CLIENT = defineOptions<ClientOptions>('Client.connect', {
  scheduler: { is: (value) => (typeof value === 'string' ? undefined : 'a text'), also: ['location'] },
  local: { is: flag },
  workers: { is: whole(1, 10_000), also: ['cpus'] },
  inline: { is: flag },
  name: { is: label },
  weight: { is: number(0.001, 1_000_000) },
  exclusive: { is: flag },
  hosts: { is: list, also: ['nodes'] },
  components: { is: list },
  hostSetUp: { is: setUpKind, also: ['node_setup'] },
  workerSetUp: { is: setUpKind, also: ['server_setup'] },
  disableHosts: { is: flag, also: ['disable_nodes'] },
  disableWorkers: { is: flag, also: ['disable_servers'] },
  restartWorkers: { is: flag, also: ['restart_servers'] },
  abandonZombieHosts: { is: either(flag, number(0)), also: ['abandon_zombie_nodes'] },
  onStatus: { is: callback },
  statusTask: {
    is: (value) => (typeof (value as TaskRef<never> | null)?.send === 'function' ? undefined : 'a reference to a task'),
    also: ['status_task'],
  },
  timeout: { is: number(0) },
  signal: { is: abortSignal },
  secret: { is: secret },
  certfile: { is: text },
  keyfile: { is: text },
  output: { is: either(oneOf('print', 'ignore'), callback) },
  warn: { is: callback },
  heap: { is: number(16) },
  pulse: { is: number(500, 100_000), also: ['pulse_interval'] },
  encrypt: { is: oneOf('auto', 'always') },
  listen: { is: either(text, listOf(text)), also: ['node', 'host', 'tcp_port'] },
  advertise: { is: either(text, listOf(text)), also: ['ext_ip_addr', 'ext_host'] },
  udpPort: { is: whole(1, 65_535), also: ['udp_port'] },
  multicast: { is: either(flag, groups), also: ['ipv4_udp_multicast'] },
});

/** How far a call is, as its function reports by `current().progress()`. */
export interface Progress {
  readonly done: number;
  readonly total: number | undefined;
  readonly note: string | undefined;
  readonly worker: string;
}

/** Options of calls, given to {@link Client.with}. */
export interface CallOptions {
  /**
   * Where to run: a host by name or location (`tcp://HOST:PORT`), all hosts of a machine by its address, a worker as `HOST/N` or
   * `tcp://HOST:PORT/N`. An unknown place is ERR_HOST_UNKNOWN at once on this machine's own workers; with hosts of the network, one of that
   * name may still join: a warning tells of the wait, and `timeout` ends it. (`rtask_at`)
   */
  readonly at?: string;
  /** Runs up to so many calls at once on a worker, beside other calls: for functions that mostly wait. */
  readonly io?: number;
  /** How often a call is tried again after its worker was lost; 2 by default. A spawned task is never run twice unless this says so. */
  readonly retries?: number;
  /** Fails a call with ERR_TIMEOUT, and stops it, after so many milliseconds from when it was made. */
  readonly timeout?: number;
  /** Stops calls that wait or run. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

const CALL = defineOptions<CallOptions>('client.with', {
  at: { is: text },
  io: { is: number(1, 100_000) },
  retries: { is: number(0, 1_000) },
  timeout: { is: number(0) },
  signal: { is: abortSignal },
  onProgress: { is: callback },
});

/** Options of {@link Client.map}. */
export interface MapOptions {
  /** Further arguments of the function, after the item. */
  readonly args?: readonly unknown[];
  /** The most items under way at once. */
  readonly concurrency?: number;
  /** The most items that are taken from the input and not yet read as results; 4096 by default. */
  readonly window?: number;
  /** Gives results as they come, rather than in the order of the items. */
  readonly unordered?: boolean;
  /** Shows a progress bar on a terminal, plain lines elsewhere, on stderr. */
  readonly progress?: boolean;
  /** How many items there are, if the input does not tell. */
  readonly total?: number;
  readonly signal?: AbortSignal;
  /** Tells of every item's end among the client's events. */
  readonly itemStatus?: boolean;
}

const MAP = defineOptions<MapOptions>('client.map', {
  args: { is: (value) => (Array.isArray(value) ? undefined : 'an array: the arguments of the function after the item') },
  concurrency: { is: number(1) },
  window: { is: number(1) },
  unordered: { is: flag },
  progress: { is: flag },
  total: { is: number(0) },
  signal: { is: abortSignal },
  itemStatus: { is: flag },
});

/** Options of `client.close`. */
export interface CloseClientOptions {
  /** Waits also for calls with `io`; else they are stopped when all others have ended. (`await_io`) */
  readonly awaitIo?: boolean;
  /** Waits for nothing: calls and tasks are interrupted, and killed after the grace period. */
  readonly terminate?: boolean;
  /** The most milliseconds to wait for calls. */
  readonly timeout?: number;
}

const CLOSE = defineOptions<CloseClientOptions>('client.close', {
  awaitIo: { is: flag, also: ['await_io'] },
  terminate: { is: flag },
  timeout: { is: number(0) },
});

/** Checks the options of a client. Throws ERR_OPTION_*. */
export function checkClientOptions(options: ClientOptions): void {
  CLIENT.check(options);
  allocationsOf(options.hosts ?? []);
}

export function checkCallOptions(options: CallOptions): void {
  CALL.check(options);
}

export function checkMapOptions(options: MapOptions, items: unknown): void {
  if (typeof items !== 'object' || items === null || !(Symbol.iterator in items || Symbol.asyncIterator in items)) {
    throw new FlotillaError(
      'ERR_OPTION_INVALID',
      `client.map: the items must be iterable; they are ${items === null ? 'null' : typeof items}.`,
    );
  }
  MAP.check(options);
}

export function checkCloseOptions(options: CloseClientOptions): void {
  CLOSE.check(options);
}
