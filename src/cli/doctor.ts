// flotilla doctor: why two machines do not find each other, and what to do about it.
import { Command } from 'commander';
import { figure, type Paint, paint } from '../base/index.ts';
import { examine, type Finding } from '../cluster/index.ts';
import { reads } from './options.ts';
import { hang } from './terminal/layout.ts';

const MOST_PORT = 65_535;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Look at this machine, try another by tcp and udp in both directions, and print what is wrong and how to mend it.')
    .argument('[host]', 'the other machine, as HOST, HOST:PORT or tcp://HOST:PORT')
    .option('-u, --udp-port <port>', 'the port of announcements (default: 9705)', reads('udp-port', figure(1, MOST_PORT)))
    .option('--json', 'all findings as one list, for machines')
    .action(async (other: string | undefined, options: { udpPort?: number; json?: boolean }) => {
      const all: Finding[] = [];
      for await (const finding of examine({ other, udpPort: options.udpPort })) {
        all.push(finding);
        if (finding.ok === false) process.exitCode = 1;
        if (!options.json) process.stdout.write(forPeople(finding));
      }
      if (options.json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
    });
}

function forPeople({ ok, what, fix }: Finding): string {
  const color = (how: Paint, text: string): string => paint(process.stdout, how, text);
  const mark = ok === true ? color('green', 'ok  ') : ok === false ? color('red', 'FAIL') : color('yellow', '-   ');
  const remedy = fix === undefined ? '' : `${hang(`       ${color('bold', 'fix')}: ${fix}`, 12)}\n`;
  return `${hang(`${mark} ${what}`, 5)}\n${remedy}`;
}
