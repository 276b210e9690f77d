// flotilla host: offer this machine.
import { Command } from 'commander';
import { HOST_PORT, SCHEDULER_PORT, serveHost } from '../cluster/index.ts';
import { addresses, number, runDaemon, sayLog } from './daemon.ts';

export function hostCommand(): Command {
  return new Command('host')
    .description('Offer the cores of this machine to a scheduler, until stopped with Ctrl-C.')
    .argument('[address...]', 'addresses to listen at, as tcp://HOST:PORT; all of this machine by default')
    .option('-p, --port <port>', 'the port to listen at, instead of an address', number('port', 0, 65_535), HOST_PORT)
    .option('-w, --workers <n>', 'worker processes to offer; one per core by default', number('workers', 1, 10_000))
    .option('-s, --scheduler <address>', 'the scheduler to join', process.env['FLOTILLA_SCHEDULER'] || `tcp://127.0.0.1:${SCHEDULER_PORT}`)
    .option('-n, --name <name>', 'the name of this host; its host name by default')
    .option('--advertise <host>', 'the name or address that others reach this machine by, where it differs')
    .option('--heap <mib>', 'heap limit of each worker, in MiB', number('heap', 16, 1 << 20))
    .option('--pulse <seconds>', 'time between signs of life', number('pulse', 0.5, 100))
    .option('--daemon', 'no console: for services and containers')
    .option('-d, --debug', 'say more')
    .addHelpText(
      'after',
      `\nExamples:\n  $ flotilla host\n  $ flotilla host --port 9716 --workers 1\n  $ flotilla host tcp://10.0.0.53:9706 --scheduler tcp://10.0.0.2:9705`,
    )
    .action(
      async (
        given: string[],
        options: {
          port: number;
          workers?: number;
          scheduler: string;
          name?: string;
          advertise?: string;
          heap?: number;
          pulse?: number;
          daemon?: boolean;
          debug?: boolean;
        },
      ) => {
        const { port, daemon, debug, pulse, ...rest } = options;
        const listen = addresses(given, port);
        await runDaemon('host', { console: !daemon }, () =>
          serveHost({ ...rest, listen, log: sayLog(debug), ...(pulse === undefined ? {} : { pulse: pulse * 1_000 }) }),
        );
      },
    );
}
