// Resolves the specifier of an import to the file it means: the same answer that the program itself got.
import { existsSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FlotillaError } from '../base/index.ts';
import { loadEsbuild } from './esbuild.ts';

/** The meaning of a specifier: one that stays as it is, a file of the program, a package's file, or a package that is absent here. */
export type Resolved =
  | { readonly kind: 'as-is' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'package'; readonly file: string; readonly name: string }
  | { readonly kind: 'absent'; readonly name: string };

const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
  '.jsx': ['.tsx'],
};
const ENDINGS = ['.ts', '.tsx', '.mts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];
const BUILTIN = new Set(builtinModules);

/** Resolves a specifier of an import in a file. Throws ERR_CODE_UNRESOLVED. */
export async function resolveImport(specifier: string, from: string): Promise<Resolved> {
  if (
    specifier.startsWith('node:') ||
    BUILTIN.has(specifier) ||
    specifier === 'flotilla' ||
    specifier.startsWith('flotilla/') ||
    specifier.startsWith('data:')
  )
    return { kind: 'as-is' };
  if (/^(\.{0,2}\/|file:)/.test(specifier)) {
    const path = fileURLToPath(new URL(specifier.replace(/[?#].*$/, ''), pathToFileURL(from)));
    const file = existingFile(path);
    if (!file) throw new FlotillaError('ERR_CODE_UNRESOLVED', `${from} imports '${specifier}', but there is no such file.`);
    return { kind: 'file', file };
  }
  const file = await resolvePackage(specifier, from);
  const name = packageName(specifier);
  if (!file) return { kind: 'absent', name };
  return file.includes(`${join('/', 'node_modules')}/`) ? { kind: 'package', file, name } : { kind: 'file', file };
}

/** The name of the package that a bare specifier begins with. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function existingFile(path: string): string | undefined {
  const isFile = (candidate: string): boolean => existsSync(candidate) && statSync(candidate).isFile();
  if (isFile(path)) return path;
  const ending = extname(path);
  for (const instead of INSTEAD[ending] ?? [])
    if (isFile(path.slice(0, -ending.length) + instead)) return path.slice(0, -ending.length) + instead;
  return ENDINGS.map((end) => path + end).find(isFile);
}

async function resolvePackage(specifier: string, from: string): Promise<string | undefined> {
  const esbuild = await loadEsbuild();
  let found: string | undefined;
  await esbuild.build({
    stdin: { contents: `import ${JSON.stringify(specifier)}`, resolveDir: dirname(from), loader: 'js' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    plugins: [
      {
        name: 'resolve',
        setup(build) {
          build.onResolve({ filter: /.*/ }, async (args) => {
            if (args.pluginData === 'inner' || args.kind === 'entry-point') return undefined;
            const result = await build.resolve(args.path, {
              resolveDir: args.resolveDir,
              kind: args.kind,
              importer: args.importer,
              pluginData: 'inner',
            });
            if (result.errors.length === 0 && result.path && !result.external) found = result.path;
            return { path: args.path, external: true };
          });
        },
      },
    ],
  });
  return found;
}
