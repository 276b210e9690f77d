// The environment of a runtime: time, chance, the network, files. It is handed in, so that all of it can be simulated.
import { randomFillSync } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { type Clock, FlotillaError, isLogLevel, type Log, type LogLevel, lineLog, type RandomBytes } from '../base/index.ts';
import { type Datagrams, udpDatagrams } from '../discovery/index.ts';
import { loadSecret, type Networks, systemNetworks } from '../transport/index.ts';
import type { Files } from './files/contract.ts';
import { systemFiles } from './files/system.ts';

/** The part of the outside world that a runtime may reach. */
export interface Environment {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** The networks by which other runtimes are reached, by the scheme of an address; an address without a scheme means the first. */
  readonly networks: Networks;
  /** The addresses of a host's name; none if it is not known. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** The secret shared by all runtimes that may connect; asked for once, unless the options give one. Throws ERR_SECRET_FILE. */
  readonly secret: () => Uint8Array | readonly Uint8Array[];
  /** The datagrams by which runtimes nearby are heard. */
  readonly datagrams: Datagrams;
  readonly files: Files;
  /** The variables of this process, by name. */
  readonly variables: Readonly<NodeJS.ProcessEnv>;
  /** The log to which reports go unless the options say otherwise. */
  readonly log: Log;
  /** Calls back in the last turn of a process that ends of itself, or by `process.exit`. Returns a function that takes it back. */
  readonly atExit: (callback: () => void) => () => void;
  /** Calls back before a process ends because it waits for nothing more; work begun then holds it. Returns how to take it back. */
  readonly atIdle: (callback: () => void) => () => void;
  /** Writes a line for people. */
  readonly print: (line: string) => void;
}

/** The real clock of this process. */
export const realClock: Clock = Object.freeze({
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms: number, callback: () => void, options?: { background?: boolean }) {
    const timer = setTimeout(callback, Math.min(ms, 0x7fff_ffff));
    if (options?.background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  // A next tick that is asked for in a microtask runs when all microtasks of the turn are done.
  defer(callback: () => void) {
    queueMicrotask(() => process.nextTick(callback));
  },
  turn(callback: () => void) {
    setImmediate(callback);
  },
});

/** Random bytes from the system. */
export const realRandom: RandomBytes = (length) => randomFillSync(new Uint8Array(length));

// Uses one listener for all runtimes of a process, because Node warns of many.
function atEnd(event: 'exit' | 'beforeExit'): (callback: () => void) => () => void {
  const key = Symbol.for(`flotilla.${event}`);
  return (callback) => {
    const scope = globalThis as { [key]?: Set<() => void> };
    const before = scope[key];
    const ends = before ?? new Set();
    scope[key] = ends;
    if (!before) process.on(event as 'exit', () => [...ends].reverse().forEach((end) => void end())); // the runtime made last ends first
    ends.add(callback);
    return () => void ends.delete(callback);
  };
}

const print = (line: string): void => void process.stderr.write(`flotilla: ${line}\n`);

function levelOf(name: string | undefined): LogLevel {
  return name && isLogLevel(name) ? name : 'info';
}

/** Gives the working directory of this process. Throws ERR_HOST_FOLDER when it has been removed. */
export function workingFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new FlotillaError(
      'ERR_HOST_FOLDER',
      'The working directory of this program has been removed. Change to a directory that is there, and start it again.',
      { cause: error },
    );
  }
}

/** The real world. */
export function nodeEnvironment(): Environment {
  return {
    clock: realClock,
    random: realRandom,
    networks: systemNetworks({ clock: realClock, random: realRandom }),
    resolve: (name) =>
      lookup(name, { all: true }).then(
        (found) => found.map(({ address }) => address),
        () => [],
      ),
    secret: () => loadSecret(realRandom, process.env).all,
    datagrams: udpDatagrams,
    files: systemFiles(process.env),
    variables: process.env,
    log: lineLog(print, levelOf(process.env['FLOTILLA_LOG'])),
    atExit: atEnd('exit'),
    atIdle: atEnd('beforeExit'),
    print,
  };
}
