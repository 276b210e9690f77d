// flotilla doctor: why two machines do not find each other, and what to do about it.
import { Command } from 'commander';
import { examine } from '../cluster/index.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Look at this machine, try another by tcp and udp in both directions, and print what is wrong and how to mend it.')
    .argument('[host]', 'the other machine, as HOST, HOST:PORT or tcp://HOST:PORT')
    .option('-u, --udp-port <port>', 'the port of announcements (default: 9705)', Number)
    .action(async (other: string | undefined, options: { udpPort?: number }) => {
      const color = process.stdout.isTTY && !process.env['NO_COLOR'];
      const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
      for await (const { ok, what, fix } of examine({ other, udpPort: options.udpPort })) {
        const mark = ok === true ? paint(32, 'ok  ') : ok === false ? paint(31, 'FAIL') : paint(33, '-   ');
        process.stdout.write(`${mark} ${what}\n${fix === undefined ? '' : `       ${paint(1, 'fix')}: ${fix}\n`}`);
        if (ok === false) process.exitCode = 1;
      }
    });
}
