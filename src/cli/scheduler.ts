// flotilla scheduler: share hosts between clients.
import { Command } from 'commander';
import { SCHEDULER_OPTIONS, serveScheduler } from '../cluster/index.ts';
import { daemonCommand } from './daemon.ts';

export function schedulerCommand(): Command {
  const command = new Command('scheduler')
    .description('Share the workers of hosts between clients, until stopped with Ctrl-C. Takes every host that answers on the network.')
    .argument('[address...]', 'addresses to listen at, as tcp://HOST:PORT; all of this machine by default')
    .addHelpText(
      'after',
      `\nExamples:\n  $ flotilla scheduler\n  $ flotilla scheduler --node 10.1.0.5 --quota batch=8\n  $ flotilla scheduler --exclusive`,
    );
  return daemonCommand(command, 'scheduler', SCHEDULER_OPTIONS, (said, log) => serveScheduler({ ...said, log }));
}
