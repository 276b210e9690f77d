// What the daemons' verbs share: the first lines, the console, signals, the end.
import { fstatSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { FlotillaError, type Log, lineLog, type Timer } from '../base/index.ts';
import type { Daemon } from '../cluster/index.ts';
import { setTitle } from '../host/index.ts';
import { realClock } from '../kernel/index.ts';
import { secretPath } from '../transport/index.ts';
import { saveConfig, withConfig } from './config.ts';
import { optionsOf, type Values } from './options.ts';
import { inForeground } from './terminal/foreground.ts';
import { hang } from './terminal/layout.ts';

const ATTEND_MS = 500;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CONSOLE = {
  host: 'status | close [client] | quit (when what runs has ended; again: now) | terminate',
  scheduler: 'status | quit',
} as const;

/** Adds a daemon's options and what runs it to its verb. */
export function daemonCommand(
  command: Command,
  of: 'host' | 'scheduler',
  defaultPort: number,
  start: (values: Values, listen: readonly string[], log: Log) => Promise<Daemon>,
): Command {
  for (const option of optionsOf(of)) command.addOption(option);
  return command.action(async (addresses: string[], given: Values) => {
    const values = await withConfig(of, withoutDefaults(given));
    if (values['saveConfig'] !== undefined) {
      process.stdout.write(
        `The options are in ${saveConfig(of, values)}. Use them with: flotilla ${of} --config ${saveConfig(of, values)}\n`,
      );
      return;
    }
    const log = lineLog((line) => process.stdout.write(`${line}\n`), values['debug'] ? 'debug' : 'info');
    setTitle(of); // a host that starts is recognised by it
    const daemon = await start(values, placesOf(addresses, values, defaultPort), log);
    await runDaemon(of, daemon, {
      console: values['daemon'] !== true,
      secret: values['secret'] !== undefined,
      certificate: values['certfile'] !== undefined,
    });
  });
}

// Where to listen: what was given, else every address of this machine.
function placesOf(addresses: readonly string[], values: Values, defaultPort: number): readonly string[] {
  const ports = values['tcpPorts'] as readonly number[] | undefined;
  const port = (values['port'] as number | undefined) ?? (ports && Math.min(...ports)) ?? defaultPort;
  const given = [...addresses, ...((values['ipAddr'] as readonly string[] | undefined) ?? [])];
  if (given.length === 0) return [`tcp://0.0.0.0:${port}`];
  return given.map((text) => {
    const whole = text.includes('://') ? text : `tcp://${/^[^[]*:[^[]*:/.test(text) ? `[${text}]` : text}`;
    return /:\d+$/.test(whole) ? whole : `${whole}:${port}`;
  });
}

// Commander says `true` for what a `--no-` option would deny; only what was said counts.
function withoutDefaults(given: Values): Values {
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => !(value === true && ['discovery', 'cleanup', 'spare'].includes(name))),
  );
}

interface Shown {
  readonly console: boolean;
  readonly secret: boolean;
  readonly certificate: boolean;
}

// Runs a daemon until a signal, the console or itself ends it.
async function runDaemon(kind: 'host' | 'scheduler', daemon: Daemon, shown: Shown): Promise<void> {
  setTitle(kind, kind === 'host' ? daemon.name : undefined);
  const offers = kind === 'host' ? ` with ${daemon.workers} worker${daemon.workers === 1 ? '' : 's'}` : '';
  say(`${kind} '${daemon.name}' listens at ${daemon.locations.join(', ')}${offers}; ${secretIn(shown)}`);
  say(`on other machines: flotilla ${kind === 'scheduler' ? `host --scheduler ${daemon.locations[0]}` : `doctor ${daemon.locations[0]}`}`);
  let terminate = false;
  let closeConsole = (): void => {};
  await new Promise<void>((resolve) => {
    let asked = false;
    const stop = (now: boolean): void => {
      terminate ||= now;
      if (asked) void daemon.close('terminate'); // who asks twice does not want to wait
      asked = true;
      resolve();
    };
    const onSignal = (): void => stop(kind === 'scheduler');
    for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
    if (shown.console && canBeRead()) closeConsole = openConsole(kind, daemon, stop);
    void daemon.ended.then(() => stop(false));
  });
  say(`${kind} '${daemon.name}' ends${terminate ? '' : ' when what runs has ended'}.`);
  await daemon.close(terminate ? 'terminate' : 'wait');
  closeConsole();
  process.exit(0);
}

// Whether somebody may say something: at a terminal, through a pipe, from a file. Not where a daemon was started without any of these.
function canBeRead(): boolean {
  if (isatty(0)) return true;
  try {
    const info = fstatSync(0);
    return info.isFIFO() || info.isSocket() || info.isFile();
  } catch {
    return false; // it is closed
  }
}

// Reads commands; from a terminal, only while this process is in its foreground. A shell tells by SIGCONT of the way to the background, but
// not of the way back.
function openConsole(kind: 'host' | 'scheduler', daemon: Daemon, stop: (now: boolean) => void): () => void {
  let lines: Interface | undefined;
  let later: Timer | undefined;
  const attend = (): void => {
    later?.cancel();
    if (isatty(0) && !inForeground()) {
      lines?.pause();
      later = realClock.after(ATTEND_MS, attend, { background: true });
    } else if (lines) lines.resume();
    else {
      if (isatty(0)) say(`commands: ${CONSOLE[kind]}`);
      lines = readConsole(kind, daemon, stop);
    }
  };
  if (process.platform !== 'win32') process.on('SIGCONT', attend);
  attend();
  return () => {
    later?.cancel();
    process.off('SIGCONT', attend);
    lines?.close();
  };
}

function readConsole(kind: 'host' | 'scheduler', daemon: Daemon, stop: (now: boolean) => void): Interface {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const [word = '', which] = line.trim().split(/\s+/);
    if (word === '' || word === 'status') for (const text of daemon.status()) say(text);
    else if (word === 'quit' || word === 'exit') stop(false);
    else if (word === 'terminate' && kind === 'host') stop(true);
    else if (word === 'close' && kind === 'host') {
      say(which ? `closing client '${which}'` : 'closing all clients');
      daemon.closeClients(which).then(
        () => say('closed'),
        (error: Error) => say(error.message),
      );
    } else say(`'${word}' is no command: ${CONSOLE[kind]}`);
  });
  lines.on('close', () => {
    if (process.stdin.isTTY) stop(false); // Ctrl-D
  });
  return lines;
}

function secretIn({ secret, certificate }: Shown): string {
  if (certificate) return 'who has the certificate may connect';
  if (secret) return 'the secret is that of --secret (others on this machine may see it: FLOTILLA_SECRET is better)';
  return `the secret is in ${process.env['FLOTILLA_SECRET'] ? 'FLOTILLA_SECRET' : secretPath(process.env)}`;
}

function say(text: string): void {
  process.stdout.write(`${hang(text, 4)}\n`);
}

/** The quotas of `NAME=N` texts. Throws ERR_OPTION_INVALID. */
export function quotasOf(given: unknown): ReadonlyMap<string, number> {
  return new Map(
    ((given as readonly string[] | undefined) ?? []).map((one) => {
      const match = /^(.+)=(\d+)$/.exec(one);
      if (!match) throw new FlotillaError('ERR_OPTION_INVALID', `--quota must be NAME=N, as batch=4; it is '${one}'.`);
      return [match[1] as string, Number(match[2])];
    }),
  );
}
