// Module hooks that let every Node run TypeScript programs, enums included: './x.js' may mean './x.ts', and types are taken out.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { LoadHook, ResolveHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { formatMessages, type TransformFailure, transform } from 'esbuild';

const TYPESCRIPT = /\.[mc]?tsx?$/;

/** Finds the TypeScript file that a JavaScript specifier means. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    const url =
      (error instanceof Error && 'url' in error && typeof error.url === 'string' ? error.url : undefined) ??
      (/^\.{0,2}\//.test(specifier) && context.parentURL ? new URL(specifier, context.parentURL).href : undefined);
    if (!url?.startsWith('file:')) throw error;
    for (const candidate of [url.replace(/\.([mc]?)js$/, '.$1ts'), url.replace(/\.jsx?$/, '.tsx'), `${url}.ts`, `${url}/index.ts`]) {
      if (candidate !== url && existsSync(fileURLToPath(candidate))) return next(candidate, context);
    }
    throw error;
  }
};

/** Takes the types out of TypeScript. */
export const load: LoadHook = async (url, context, next) => {
  const path = url.replace(/[?#].*$/, '');
  if (!url.startsWith('file:') || !TYPESCRIPT.test(path)) return next(url, context);
  const file = fileURLToPath(path);
  const { code } = await transform(await readFile(file, 'utf8'), {
    loader: path.endsWith('x') ? 'tsx' : 'ts',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'inline',
    sourcefile: file,
    logLevel: 'silent',
  }).catch(async (error: TransformFailure) => {
    throw await unreadable(error);
  });
  return { format: 'module', source: code, shortCircuit: true };
};

// What is wrong in the file and where, as esbuild shows it; its own stack would only hide that.
async function unreadable(failure: TransformFailure): Promise<Error> {
  const [text = failure.message] = await formatMessages(failure.errors, { kind: 'error' });
  const error = new SyntaxError(text.replace(/^.*\[ERROR\] /, '').trimEnd());
  error.stack = `SyntaxError: ${error.message}`;
  return Object.assign(error, { code: 'ERR_CODE_SYNTAX' });
}
