// The command line: one verb a file. Signals are handled here and nowhere else.
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { FlotillaError, paint } from '../base/index.ts';
import { type Account, dropLentIds } from '../host/index.ts';
import { HELP } from './terminal/help.ts';
import { hang, width } from './terminal/layout.ts';

// Each verb is loaded when it is asked for: a program that is run should not wait for the daemons' code.
const VERBS: Readonly<Record<string, (lent: Account | undefined) => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).runCommand(),
  host: async (lent) => (await import('./host.ts')).hostCommand(lent),
  scheduler: async () => (await import('./scheduler.ts')).schedulerCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  top: async () => (await import('./status.ts')).topCommand(),
  explain: async () => (await import('./status.ts')).explainCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  secret: async () => (await import('./secret.ts')).secretCommand(),
};

const EXAMPLES = `
Run a program on this machine's cores:
  $ flotilla run factor.ts

Run it on several machines, which it finds:
  $ flotilla host          (on each of them)
  $ flotilla run factor.ts

Share them between several programs:
  $ flotilla scheduler     (on one machine)
  $ export FLOTILLA_SCHEDULER=tcp://10.0.0.2:9705
  $ flotilla run factor.ts

Something waits, or does not find the other:
  $ flotilla explain
  $ flotilla doctor 10.0.0.2

All machines need the same secret: where it is
and how to copy it, 'flotilla secret' shows.`;

/** Runs the command line. Resolves with the exit code, or undefined to go on until the process ends by itself. */
export async function main(argv: readonly string[]): Promise<number | undefined> {
  const lent = dropLentIds();
  const { version }: { version: string } = createRequire(import.meta.url)('flotilla/package.json');
  // A reader of our output may stop early, as `head` does: that is the end, and no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const program = new Command('flotilla')
    .description('Runs TypeScript functions on every core of every machine you have.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError("Run 'flotilla --help' for what there is.")
    .enablePositionalOptions()
    .configureHelp(HELP)
    .addHelpText('after', EXAMPLES);
  const asked = VERBS[argv[0] ?? ''];
  for (const verb of asked ? [asked] : Object.values(VERBS)) program.addCommand((await verb(lent)).copyInheritedSettings(program));
  if (!asked) (await import('./completion.ts')).addCompletion(program, argv.at(-1) ?? '');
  try {
    const [verb] = argv;
    const words =
      verb === 'host' || verb === 'scheduler' ? [verb, ...(await import('./options.ts')).withOurSpelling(argv.slice(1), verb)] : argv;
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof FlotillaError)) throw error;
    const text = `${paint(process.stderr, 'red', 'error')}: ${error.message} [${error.code}]`;
    process.stderr.write(`${hang(text, 4, width(process.stderr))}\n`);
    return 1;
  }
}
