// The options of clients and of calls, and the types of the verbs.
import { checkNumber, checkOptions, FlotillaError } from '../base/index.ts';
import type { OutputLine } from './crew.ts';

/** Options of {@link Client.connect}. */
export interface ClientOptions {
  /** The address of a shared scheduler, as `tcp://HOST:PORT`; `local` is this machine's cores, whatever FLOTILLA_SCHEDULER says. */
  readonly scheduler?: string;
  /** With a shared scheduler: at most so many workers. Else: how many to start here; one per core by default. */
  readonly workers?: number;
  /** Runs everything in this process, through the same code path, so that breakpoints work. */
  readonly inline?: boolean;
  /** A name for people. */
  readonly name?: string;
  /** The share of the cluster, relative to other clients; 1 by default. */
  readonly weight?: number;
  /** Fails after so many milliseconds without a worker; without it, connect waits, and warns. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** The secret; by default that of `~/.flotilla/secret`. */
  readonly secret?: string | Uint8Array;
  /** What becomes of the lines that workers print: `print` (marked with the worker) by default. */
  readonly output?: 'print' | 'ignore' | ((line: OutputLine) => void);
  /** Hears warnings; written to stderr by default. */
  readonly warn?: (text: string) => void;
  /** Heap limit of each local worker, in MiB. */
  readonly heap?: number;
  /** Milliseconds between signs of life. */
  readonly pulse?: number;
  /** `always` encrypts also what stays on this machine. */
  readonly encrypt?: 'auto' | 'always';
}

const CLIENT_OPTIONS = [
  'scheduler',
  'workers',
  'inline',
  'name',
  'weight',
  'timeout',
  'signal',
  'secret',
  'output',
  'warn',
  'heap',
  'pulse',
  'encrypt',
];

/** How far a call is, as it reports by `current().progress()`. */
export interface Progress {
  readonly done: number;
  readonly total: number | undefined;
  readonly note: string | undefined;
  readonly worker: string;
}

/** Options of calls, given to {@link Client.with}. */
export interface CallOptions {
  /** The name of the host, or of the worker as `HOST/N`, to run on. */
  readonly at?: string;
  /** Runs up to so many at once on a worker, beside other calls: for functions that mostly wait. */
  readonly io?: number;
  /** How often a call is tried again after its worker was lost; 2 by default. A spawned task is never run twice unless this says so. */
  readonly retries?: number;
  /** Fails a call with ERR_TIMEOUT, and stops it, after so many milliseconds from when it was made. */
  readonly timeout?: number;
  /** Stops calls that wait or run. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

const CALL_OPTIONS = ['at', 'io', 'retries', 'timeout', 'signal', 'onProgress'];

/** Options of {@link Client.map}. */
export interface MapOptions {
  /** Further arguments of the function, after the item. */
  readonly args?: readonly unknown[];
  /** At most so many items under way at once. */
  readonly concurrency?: number;
  /** At most so many items taken from the input and not yet read as results; 4096 by default. */
  readonly window?: number;
  /** Gives results as they come, rather than in the order of the items. */
  readonly unordered?: boolean;
  /** Shows a progress bar on a terminal, plain lines elsewhere, on stderr. */
  readonly progress?: boolean;
  /** How many items there are, if the input does not tell. */
  readonly total?: number;
  readonly signal?: AbortSignal;
}

const MAP_OPTIONS = ['args', 'concurrency', 'window', 'unordered', 'progress', 'total', 'signal'];

/** Throws ERR_OPTION_* for what cannot be. */
export function checkClientOptions(options: ClientOptions): void {
  checkOptions('Client.connect', options, CLIENT_OPTIONS);
  checkNumber('Client.connect', 'workers', options.workers, 1, 10_000);
  checkNumber('Client.connect', 'weight', options.weight, 0.001, 1_000_000);
  checkNumber('Client.connect', 'timeout', options.timeout, 0);
  checkNumber('Client.connect', 'heap', options.heap, 16);
  const { output } = options;
  if (output !== undefined && typeof output !== 'function' && output !== 'print' && output !== 'ignore') {
    throw new FlotillaError(
      'ERR_OPTION_INVALID',
      `Client.connect: 'output' must be 'print', 'ignore' or a function; it is ${String(output)}.`,
    );
  }
}

export function checkCallOptions(options: CallOptions): void {
  checkOptions('client.with', options, CALL_OPTIONS);
  checkNumber('client.with', 'io', options.io, 1, 100_000);
  checkNumber('client.with', 'retries', options.retries, 0, 1_000);
  checkNumber('client.with', 'timeout', options.timeout, 0);
}

export function checkMapOptions(options: MapOptions): void {
  checkOptions('client.map', options, MAP_OPTIONS);
  checkNumber('client.map', 'concurrency', options.concurrency, 1);
  checkNumber('client.map', 'window', options.window, 1);
  if (options.args !== undefined && !Array.isArray(options.args)) {
    throw new FlotillaError('ERR_OPTION_INVALID', "client.map: 'args' must be an array: the arguments of the function after the item.");
  }
}
