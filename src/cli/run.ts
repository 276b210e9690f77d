// flotilla run: run a program, TypeScript or JavaScript, with the cluster in its environment.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { FlotillaError, hasCode } from '../base/index.ts';
import type { SyncHooks } from './ts-hooks.ts';

export function runCommand(): Command {
  return new Command('run')
    .description('Run a TypeScript or JavaScript program on the cluster that is found on the network, else on the cores of this machine.')
    .argument('<program>', 'the file to run')
    .argument('[arguments...]', 'what the program gets as its own arguments')
    .option(
      '--scheduler <address>',
      "the scheduler of the cluster; 'local' for this machine only (default: FLOTILLA_SCHEDULER, else 'auto')",
    )
    .passThroughOptions()
    .addHelpText(
      'after',
      `\nExamples:\n  $ flotilla run factor.ts\n  $ flotilla run --scheduler local factor.ts\n  $ flotilla run --scheduler tcp://10.0.0.2:9705 factor.ts --input numbers.txt`,
    )
    .action(async (program: string, rest: string[], options: { scheduler?: string }) => {
      const file = resolve(program);
      if (!existsSync(file))
        throw new FlotillaError('ERR_OPTION_INVALID', `flotilla run: there is no file '${program}' (looked for ${file}).`);
      if (statSync(file).isDirectory())
        throw new FlotillaError('ERR_OPTION_INVALID', `flotilla run: '${program}' is a folder. Name the program in it.`);
      process.env['FLOTILLA_SCHEDULER'] = options.scheduler ?? (process.env['FLOTILLA_SCHEDULER'] || 'auto');
      const path = realpathSync(file);
      process.argv = [process.argv[0] ?? process.execPath, path, ...rest];
      process.setSourceMapsEnabled(true); // stacks name the program's own lines
      await readTypeScript();
      await import(pathToFileURL(path).href).catch((error: unknown) => {
        if (!(error instanceof SyntaxError && hasCode(error, 'ERR_CODE_SYNTAX'))) throw error;
        throw new FlotillaError('ERR_CODE_SYNTAX', `${error.message}\n`, { cause: error });
      });
    });
}

/** The first Node.js that deprecates hooks on a thread of their own. */
const HOOKS_HERE = 26;

interface HookedHere {
  registerHooks(hooks: SyncHooks): unknown;
}

// Has our hooks read TypeScript on every Node, even on one that can itself, so that enums and './x.js' for './x.ts' work on all.
async function readTypeScript(): Promise<void> {
  const modules = await import('node:module');
  if (!isHookedHere(modules)) return modules.register('./ts-hooks.js', import.meta.url);
  const { resolveSync, loadSync } = await import('./ts-hooks.ts');
  modules.registerHooks({ resolve: resolveSync, load: loadSync });
}

function isHookedHere(modules: object): modules is HookedHere {
  return 'registerHooks' in modules && Number(process.versions.node.split('.')[0]) >= HOOKS_HERE;
}
