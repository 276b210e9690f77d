// The command line: one verb a file. Signals are handled here and nowhere else.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { FlotillaError } from '../base/index.ts';
import { hostCommand } from './host.ts';
import { runCommand } from './run.ts';
import { schedulerCommand } from './scheduler.ts';
import { secretCommand } from './secret.ts';
import { statusCommand } from './status.ts';

const EXAMPLES = `
Run a program on this machine's cores:
  $ flotilla run factor.ts

Run it on several machines:
  $ flotilla scheduler                                    on one machine
  $ flotilla host --scheduler tcp://10.0.0.2:9705         on each machine that shall work
  $ FLOTILLA_SCHEDULER=tcp://10.0.0.2:9705 flotilla run factor.ts

All machines need the same secret: 'flotilla secret' shows where it is and how to copy it.`;

/** Runs the command line. Resolves with the exit code, or undefined to go on until the process ends by itself. */
export async function main(argv: readonly string[]): Promise<number | undefined> {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  const program = new Command('flotilla')
    .description('Runs TypeScript functions on every core of every machine you have.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError("Run 'flotilla --help' for what there is.")
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES);
  for (const command of [runCommand(), hostCommand(), schedulerCommand(), statusCommand(), secretCommand()]) program.addCommand(command);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof FlotillaError)) throw error;
    const red = process.stderr.isTTY && !process.env['NO_COLOR'];
    process.stderr.write(`${red ? '\u001b[31merror\u001b[0m' : 'error'}: ${error.message} [${error.code}]\n`);
    return 1;
  }
}
