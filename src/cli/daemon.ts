// What the daemons' verbs share: options as text, the first lines, the console, the end.
import { createInterface } from 'node:readline';
import { InvalidArgumentError } from 'commander';
import { type Log, lineLog } from '../base/index.ts';
import type { Daemon } from '../cluster/index.ts';
import { secretPath } from '../transport/index.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** An option's text as a number within bounds. */
export function number(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most)
      throw new InvalidArgumentError(`${name} must be a number from ${least} to ${most}.`);
    return value;
  };
}

/** Where to listen: what was given, else every address of this machine at the port. */
export function addresses(given: readonly string[], port: number): readonly string[] {
  return given.length > 0 ? given : [`tcp://0.0.0.0:${port}`];
}

export function sayLog(debug = false): Log {
  return lineLog((line) => process.stdout.write(`${line}\n`), debug ? 'debug' : 'info');
}

/** Runs a daemon until a signal or the console ends it. */
export async function runDaemon(kind: 'host' | 'scheduler', options: { console: boolean }, start: () => Promise<Daemon>): Promise<void> {
  const daemon = await start();
  process.title = `flotilla ${kind} ${daemon.name}`;
  const secret = process.env['FLOTILLA_SECRET'] ? 'FLOTILLA_SECRET' : secretPath();
  const offers = kind === 'host' ? ` with ${daemon.workers} worker${daemon.workers === 1 ? '' : 's'}` : '';
  process.stdout.write(`${kind} '${daemon.name}' listens at ${daemon.locations.join(', ')}${offers}; the secret is in ${secret}\n`);
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      for (const signal of STOP_SIGNALS) process.off(signal, stop);
      resolve();
    };
    for (const signal of STOP_SIGNALS) process.on(signal, stop);
    if (options.console && process.stdin.isTTY) readConsole(daemon, stop);
  });
  process.stdout.write(`${kind} '${daemon.name}' ends.\n`);
  await daemon.close();
  process.exit(0);
}

function readConsole(daemon: Daemon, stop: () => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const word = line.trim();
    if (word === 'quit' || word === 'exit') stop();
    else if (word === 'status') process.stdout.write(`'${daemon.name}' at ${daemon.locations.join(', ')}\n`);
    else if (word !== '') process.stdout.write("commands: 'status', 'quit'\n");
  });
}
