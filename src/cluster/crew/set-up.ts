// Setup: a function that a client runs on each host, and in each worker, before they are used.
import { FlotillaError } from '../../base/index.ts';
import type { HostInfo } from '../events.ts';

/** A setup function with its arguments. Made by {@link setUp}. */
export interface SetUp {
  readonly fn: (...args: never[]) => unknown;
  readonly args: (place: SetUpPlace) => readonly unknown[];
}

/** The place that is set up: a host, or a worker of one. */
export interface SetUpPlace {
  readonly host: HostInfo;
  /** The worker's name; undefined for a host. */
  readonly worker: string | undefined;
}

/**
 * A function that sets hosts or workers up, with its arguments: for `hostSetUp` and `workerSetUp` of `Client.connect`.
 *
 * @example
 * ```ts
 * const load = (file: string, factor: number) => file.length * factor;
 * console.log(setUp(load, 'table.bin', 2).args({} as never).join()); // => table.bin,2
 * ```
 */
export function setUp<A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): SetUp {
  return { fn, args: () => args };
}

/** A setup whose arguments differ from place to place: `args` is called in this process for each host or worker. */
export function setUpEach<A extends unknown[]>(fn: (...args: A) => unknown, args: (place: SetUpPlace) => readonly [...NoInfer<A>]): SetUp {
  return { fn, args };
}

/** Checks the value of a setup option. Throws ERR_OPTION_INVALID. */
export function asSetUp(option: string, given: SetUp | (() => unknown) | undefined): SetUp | undefined {
  if (given === undefined || typeof given === 'object') {
    if (given === undefined || (typeof given?.fn === 'function' && typeof given.args === 'function')) return given;
  } else if (typeof given === 'function') return { fn: given, args: () => [] };
  throw new FlotillaError('ERR_OPTION_INVALID', `Client.connect: '${option}' must be a function, or made by setUp(fn, ...args).`);
}
