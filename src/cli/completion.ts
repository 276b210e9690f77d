// Shell completion: the questions of a shell, while somebody types, are answered from the verbs and options themselves.
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { optionsFor } from './option-table.ts';

const EXAMPLES = `
Put it where your shell reads it at its start:
  $ echo 'source <(flotilla completion bash)' >> ~/.bashrc
  $ echo 'source <(flotilla completion zsh)' >> ~/.zshrc
  $ flotilla completion fish > ~/.config/fish/completions/flotilla.fish

In bash it needs the package bash-completion.`;

/** Adds the verb that prints a shell's script, and the hidden one that the script asks. `typed` is the word that is being typed. */
export function addCompletion(program: Command, typed: string): void {
  const verbs = tab(program, { completionCommandName: 'completion' });
  const files = (complete: (value: string, description: string) => void): void => {
    for (const path of pathsFor(typed.replace(/^--[\w-]+=/, ''))) complete(path, '');
  };
  verbs.commands.get('run')?.argument('program', files);
  for (const verb of ['host', 'scheduler'] as const)
    for (const { name, takes } of optionsFor(verb)) {
      const option = takes === 'file' || takes === 'folder' ? verbs.commands.get(verb)?.options.get(name) : undefined;
      if (option) option.handler = files;
    }
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('Print what a shell needs to complete verbs, options and files.')
    .addHelpText('after', EXAMPLES);
}

// The files and folders that a path may go on to. If that is one folder, its contents: a shell ends a word that has only one answer.
function pathsFor(typed: string): string[] {
  const folder = typed.includes('/') ? typed.slice(0, typed.lastIndexOf('/') + 1) : '';
  const begun = typed.slice(folder.length);
  const found = entriesOf(folder === '' ? '.' : dirname(`${folder}.`))
    .filter(({ name }) => name.startsWith(begun) && (begun !== '' || !name.startsWith('.')))
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`);
  const [only] = found;
  return found.length === 1 && only?.endsWith('/') && only !== typed ? pathsFor(only) : found;
}

function entriesOf(folder: string): { name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
