// flotilla secret: where the shared secret is, what it is, how to copy it.
import { Command } from 'commander';
import { realRandom } from '../kernel/index.ts';
import { dropOldSecrets, Keys, loadSecret, rotateSecret, secretPath } from '../transport/index.ts';

export function secretCommand(): Command {
  const command = new Command('secret')
    .description('Show where the shared secret is and how to copy it. Every machine of a cluster needs the same.')
    .action(() => {
      const { secret, from, created } = loadSecret(realRandom, process.env);
      const key = new Keys(secret).id.slice(0, 8);
      process.stdout.write(
        `The secret is in ${from}${created ? ' (made just now)' : ''}. Its key is ${key}: machines that show the same key can talk.\n`,
      );
      if (from === 'FLOTILLA_SECRET') return;
      process.stdout.write(
        `\nCopy it to another machine, once:\n  ssh OTHER mkdir -p -m 700 .flotilla\n  scp -p ${from} OTHER:.flotilla/secret\n\nOr give it to a container or service in its environment:\n  FLOTILLA_SECRET=$(flotilla secret show)\n`,
      );
    });
  command.addCommand(
    new Command('show').description('Print the secret itself.').action(() => {
      const { secret, from } = loadSecret(realRandom, process.env);
      process.stdout.write(`${from === 'FLOTILLA_SECRET' ? Buffer.from(secret).toString('utf8') : printable(secret)}\n`);
    }),
  );
  command.addCommand(
    new Command('create').description('Make the secret, if there is none.').action(() => {
      const { from, created } = loadSecret(realRandom, process.env);
      process.stdout.write(
        created
          ? `Made a secret in ${from}.\n`
          : `There is a secret already, in ${from}. Remove it first to make another; every machine then needs the new one.\n`,
      );
    }),
  );
  command.addCommand(
    new Command('rotate').description('Make a new secret; the one before stays valid until `drop`.').action(() => {
      rotateSecret(realRandom, secretPath(process.env));
      process.stdout.write(
        `There is a new secret in ${secretPath(process.env)}; the one before is still valid.\nCopy the file to every machine, restart what runs there, then run on each: flotilla secret drop\n`,
      );
    }),
  );
  command.addCommand(
    new Command('drop').description('End a change of the secret: the one before is valid no longer.').action(() => {
      const dropped = dropOldSecrets(realRandom, secretPath(process.env));
      process.stdout.write(dropped > 0 ? 'The secret before is valid no longer; restart what runs.\n' : 'There was only one secret.\n');
    }),
  );
  command.addCommand(
    new Command('where').description('Print the path of the secret file.').action(() => {
      process.stdout.write(`${secretPath(process.env)}\n`);
    }),
  );
  return command;
}

function printable(secret: Uint8Array): string {
  const bytes = Buffer.from(secret);
  return bytes.length === 32 && !/^[\x20-\x7e]+$/.test(bytes.toString('latin1')) ? bytes.toString('hex') : bytes.toString('utf8');
}
