// flotilla status, top and explain: what a cluster has and does, once or again and again, and why something waits.
import { Command } from 'commander';
import { figure, sleep } from '../base/index.ts';
import { askScheduler, fetchStatus, SCHEDULER_PORT } from '../cluster/index.ts';
import { realClock } from '../kernel/index.ts';
import { reads } from './options.ts';
import { cropped, hang } from './terminal/layout.ts';
import { formatStatus } from './terminal/table.ts';

const SECOND_MS = 1_000;
const DAY_S = 86_400;
const LOCAL = `tcp://127.0.0.1:${SCHEDULER_PORT}`;

function withScheduler(command: Command): Command {
  return command.option('--scheduler <address>', 'the scheduler to ask (default: FLOTILLA_SCHEDULER, else this machine)');
}

function addressOf({ scheduler }: { scheduler?: string }): string {
  const given = scheduler ?? process.env['FLOTILLA_SCHEDULER'];
  return given === undefined || given === '' || given === 'auto' || given === 'local' ? LOCAL : given;
}

export function statusCommand(): Command {
  return withScheduler(new Command('status'))
    .description('Show the hosts, workers and clients of a cluster.')
    .option('--json', 'for machines')
    .action(async (options: { scheduler?: string; json?: boolean }) => {
      const status = await fetchStatus(addressOf(options));
      process.stdout.write(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : formatStatus(status, false));
    });
}

export function topCommand(): Command {
  return withScheduler(new Command('top'))
    .description('Show the hosts, workers and clients of a cluster, again and again, until Ctrl-C.')
    .option('--json', 'a line of JSON each time, for machines')
    .option('--interval <seconds>', 'time between two looks', reads('interval', figure(0, DAY_S)), 1)
    .option('--times <n>', 'look so often, then end', reads('times', figure(0, 1e9)))
    .action(async (options: { scheduler?: string; json?: boolean; interval: number; times?: number }) => {
      const scheduler = await askScheduler(addressOf(options));
      const onTerminal = process.stdout.isTTY && !options.json;
      let stop: () => void = () => {};
      const stopped = new Promise<void>((resolve) => {
        stop = resolve;
      });
      process.once('SIGINT', stop);
      try {
        for (let i = 0; options.times === undefined || i < options.times; i++) {
          const status = await scheduler.status();
          if (options.json) process.stdout.write(`${JSON.stringify(status)}\n`);
          else process.stdout.write(onTerminal ? picture(formatStatus(status, true)) : formatStatus(status, true));
          if (options.times !== undefined && i + 1 >= options.times) break;
          const pause = sleep(realClock, Math.max(0.1, options.interval) * SECOND_MS).then(() => true);
          if (!(await Promise.race([pause, stopped.then(() => false)]))) break;
        }
      } finally {
        await scheduler.close();
      }
    });
}

// Draws the new picture over the old one: clearing the terminal first would flicker.
function picture(text: string): string {
  const lines = cropped(text.split('\n'), process.stdout.rows || 24);
  return `\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`;
}

export function explainCommand(): Command {
  return withScheduler(new Command('explain'))
    .description('Say why the work of a client waits (of each, unless one is named), per host, and what would change it.')
    .argument('[client]', 'the name of a client, or the beginning of its id')
    .option('--json', 'a list of clients with what is said of each, for machines')
    .action(async (client: string | undefined, options: { scheduler?: string; json?: boolean }) => {
      const scheduler = await askScheduler(addressOf(options));
      try {
        if (options.json) process.stdout.write(`${JSON.stringify(await scheduler.explainEach(client), undefined, 2)}\n`);
        else process.stdout.write((await scheduler.explain(client)).map((line) => `${hang(line, 4)}\n`).join(''));
      } finally {
        await scheduler.close();
      }
    });
}
