// The outside world as a runtime sees it: time, chance, the network. Handed in, so that it can be simulated.
import { randomFillSync } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { type Clock, FlotillaError, isLogLevel, type Log, type LogLevel, lineLog, type RandomBytes } from '../base/index.ts';
import { type Datagrams, udpDatagrams } from '../discovery/index.ts';
import { loadSecret, type Networks, systemNetworks } from '../transport/index.ts';
import type { Files } from './files/contract.ts';
import { systemFiles } from './files/system.ts';

/** What a runtime may reach of the world. */
export interface Environment {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** How other runtimes are reached, by the scheme of an address; the first is meant where there is none. */
  readonly networks: Networks;
  /** The addresses of a host's name; none if it is not known. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** The secret shared by all who may connect; asked for once, unless the options give one. Throws ERR_SECRET_FILE. */
  readonly secret: () => Uint8Array | readonly Uint8Array[];
  /** How runtimes nearby are heard. */
  readonly datagrams: Datagrams;
  readonly files: Files;
  /** The variables of this process, by name. */
  readonly variables: Readonly<NodeJS.ProcessEnv>;
  /** Where reports go unless the options say otherwise. */
  readonly log: Log;
  /** Calls back when the process ends of itself, or by `process.exit`: what can be done in that turn. Returns what takes it back. */
  readonly atExit: (callback: () => void) => () => void;
  /** Calls back when nothing is left that the process waits for, before it ends; what is begun then is waited for. Returns what takes it back. */
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

// One listener for all runtimes of a process: Node warns of many.
function atEnd(event: 'exit' | 'beforeExit'): (callback: () => void) => () => void {
  const key = Symbol.for(`flotilla.${event}`);
  return (callback) => {
    const scope = globalThis as { [key]?: Set<() => void> };
    const before = scope[key];
    const ends = before ?? new Set();
    scope[key] = ends;
    if (!before) process.on(event as 'exit', () => [...ends].reverse().forEach((end) => void end())); // what was made last ends first
    ends.add(callback);
    return () => void ends.delete(callback);
  };
}

const print = (line: string): void => void process.stderr.write(`flotilla: ${line}\n`);

function levelOf(name: string | undefined): LogLevel {
  return name && isLogLevel(name) ? name : 'info';
}

/** The working directory of this process. Throws ERR_HOST_FOLDER when it has been removed. */
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
