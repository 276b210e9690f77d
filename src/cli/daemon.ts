// The parts that the daemons' verbs share: the first lines, the console, signals, the end.
import { fstatSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { type LineRow, type Log, lineLog, type OptionRow, type OptionsOf, type SettingsTable, type Timer } from '../base/index.ts';
import type { Daemon } from '../cluster/index.ts';
import { setTitle } from '../host/index.ts';
import { realClock } from '../kernel/index.ts';
import { secretPath } from '../transport/index.ts';
import { saveConfig, withConfig } from './config.ts';
import type { DaemonName } from './option-table.ts';
import { optionsOf, settingsOf, type Values, withoutDefaults } from './options.ts';
import { inForeground } from './terminal/foreground.ts';
import { hang } from './terminal/layout.ts';

const ATTEND_MS = 500;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CONSOLE = {
  host: 'status | close [client] | quit (when what runs has ended; again: now) | terminate',
  scheduler: 'status | quit',
} as const;

/** Adds a daemon's options to its verb, and the action that runs it. */
export function daemonCommand<R extends Readonly<Record<string, OptionRow | LineRow>>>(
  command: Command,
  of: DaemonName,
  table: SettingsTable<R>,
  start: (said: OptionsOf<R>, log: Log) => Promise<Daemon>,
): Command {
  for (const option of optionsOf(of)) command.addOption(option);
  return command.action(async (addresses: string[], given: Values) => {
    const values = await withConfig(of, withoutDefaults(of, given));
    if (values['saveConfig'] !== undefined) {
      process.stdout.write(
        `The options are in ${saveConfig(of, values)}. Use them with: flotilla ${of} --config ${saveConfig(of, values)}\n`,
      );
      return;
    }
    const log = lineLog((line) => process.stdout.write(`${line}\n`), values['debug'] ? 'debug' : 'info');
    setTitle(of); // a host that starts is recognised by it
    const said = settingsOf(of, values, table.rows);
    const { listen = [], secret, certfile } = said;
    const daemon = await start(table.check({ ...said, listen: [addresses, listen].flat() }), log);
    await runDaemon(of, daemon, { console: values['daemon'] !== true, secret: secret !== undefined, certificate: certfile !== undefined });
  });
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
      if (asked) void daemon.close('terminate'); // a second request means not to wait
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

// Whether commands can come in: from a terminal, a pipe, a socket or a file. A daemon that was started without these has no console.
function canBeRead(): boolean {
  if (isatty(0)) return true;
  try {
    const info = fstatSync(0);
    return info.isFIFO() || info.isSocket() || info.isFile();
  } catch {
    return false; // the input is closed
  }
}

// Reads commands; from a terminal, only while this process is in its foreground, or the system would stop it. A shell tells by SIGCONT
// of the way to the background, but not of the way back, so that is looked for every while.
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
