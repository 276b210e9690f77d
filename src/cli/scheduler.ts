// flotilla scheduler: share hosts between clients.
import { Command } from 'commander';
import { SCHEDULER_PORT, serveScheduler } from '../cluster/index.ts';
import { addresses, number, runDaemon, sayLog } from './daemon.ts';

export function schedulerCommand(): Command {
  return new Command('scheduler')
    .description('Share the workers of hosts between clients, until stopped with Ctrl-C.')
    .argument('[address...]', 'addresses to listen at, as tcp://HOST:PORT; all of this machine by default')
    .option('-p, --port <port>', 'the port to listen at, instead of an address', number('port', 0, 65_535), SCHEDULER_PORT)
    .option('-n, --name <name>', 'the name of this scheduler')
    .option('--pulse <seconds>', 'time between signs of life', number('pulse', 0.5, 100))
    .option('--daemon', 'no console: for services and containers')
    .option('-d, --debug', 'say more')
    .action(async (given: string[], options: { port: number; name?: string; pulse?: number; daemon?: boolean; debug?: boolean }) => {
      const { port, daemon, debug, pulse, ...rest } = options;
      await runDaemon('scheduler', { console: !daemon }, () =>
        serveScheduler({
          ...rest,
          listen: addresses(given, port),
          log: sayLog(debug),
          ...(pulse === undefined ? {} : { pulse: pulse * 1_000 }),
        }),
      );
    });
}
