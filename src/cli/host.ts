// flotilla host: offer this machine.
import { Command } from 'commander';
import { defined } from '../base/index.ts';
import { serveHost } from '../cluster/index.ts';
import { type Account, HOST_OPTIONS } from '../host/index.ts';
import { daemonCommand } from './daemon.ts';

export function hostCommand(lent: Account | undefined): Command {
  const command = new Command('host')
    .description('Offer the cores of this machine to a scheduler, or to clients that find it, until stopped with Ctrl-C.')
    .argument('[address...]', 'addresses to listen at, as tcp://HOST:PORT; all of this machine by default')
    .addHelpText(
      'after',
      `\nWithout --scheduler it works for whoever finds it first: a scheduler on the network, or a program with scheduler: 'auto'.\n\nExamples:\n  $ flotilla host\n  $ flotilla host --port 9716 --cpus 1\n  $ flotilla host tcp://10.0.0.53:9706 --scheduler tcp://10.0.0.2:9705\n  $ flotilla host --service-start 17:00 --service-stop 07:00 --service-end 08:00`,
    );
  return daemonCommand(command, 'host', HOST_OPTIONS, ({ scheduler = process.env['FLOTILLA_SCHEDULER'] || undefined, ...said }, log) =>
    serveHost({ ...said, ...defined({ scheduler }), lent, log }),
  );
}
