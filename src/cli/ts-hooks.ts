// Module hooks that let every Node run TypeScript programs, enums included: './x.js' may mean './x.ts', and types are taken out.
//
// Node has two kinds of hooks, and both are here: those of a thread of their own, which may wait, and those of the program's own thread,
// which may not. A Node that deprecates the first kind gets the second.
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { LoadFnOutput, LoadHook, LoadHookContext, ResolveFnOutput, ResolveHook, ResolveHookContext } from 'node:module';
import { fileURLToPath } from 'node:url';
import { formatMessages, formatMessagesSync, type TransformFailure, type TransformOptions, transform, transformSync } from 'esbuild';

/** Hooks of the program's own thread. */
export interface SyncHooks {
  resolve(
    specifier: string,
    context: ResolveHookContext,
    next: (specifier: string, context: ResolveHookContext) => ResolveFnOutput,
  ): ResolveFnOutput;
  load(url: string, context: LoadHookContext, next: (url: string, context: LoadHookContext) => LoadFnOutput): LoadFnOutput;
}

const TYPESCRIPT = /\.[mc]?tsx?$/;

/** Finds the TypeScript file that a JavaScript specifier means. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    const meant = typescriptFor(specifier, context.parentURL, error);
    if (meant === undefined) throw error;
    return next(meant, context);
  }
};

/** Finds that file without waiting, for hooks of the program's own thread. */
export const resolveSync: SyncHooks['resolve'] = (specifier, context, next) => {
  try {
    return next(specifier, context);
  } catch (error) {
    const meant = typescriptFor(specifier, context.parentURL, error);
    if (meant === undefined) throw error;
    return next(meant, context);
  }
};

/** Takes the types out of TypeScript. */
export const load: LoadHook = async (url, context, next) => {
  const file = typescriptFile(url);
  if (file === undefined) return next(url, context);
  const { code } = await transform(await readFile(file, 'utf8'), optionsFor(file)).catch(async (error: TransformFailure) => {
    throw unreadable(error, await formatMessages(error.errors, { kind: 'error' }));
  });
  return { format: 'module', source: code, shortCircuit: true };
};

/** Takes the types out without waiting, for hooks of the program's own thread. */
export const loadSync: SyncHooks['load'] = (url, context, next) => {
  const file = typescriptFile(url);
  if (file === undefined) return next(url, context);
  try {
    return { format: 'module', source: transformSync(readFileSync(file, 'utf8'), optionsFor(file)).code, shortCircuit: true };
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw unreadable(error, formatMessagesSync(error.errors, { kind: 'error' }));
  }
};

function typescriptFor(specifier: string, parent: string | undefined, error: unknown): string | undefined {
  const url =
    (error instanceof Error && 'url' in error && typeof error.url === 'string' ? error.url : undefined) ??
    (/^\.{0,2}\//.test(specifier) && parent ? new URL(specifier, parent).href : undefined);
  if (!url?.startsWith('file:')) return undefined;
  const candidates = [url.replace(/\.([mc]?)js$/, '.$1ts'), url.replace(/\.jsx?$/, '.tsx'), `${url}.ts`, `${url}/index.ts`];
  return candidates.find((candidate) => candidate !== url && existsSync(fileURLToPath(candidate)));
}

function typescriptFile(url: string): string | undefined {
  const path = url.replace(/[?#].*$/, '');
  return url.startsWith('file:') && TYPESCRIPT.test(path) ? fileURLToPath(path) : undefined;
}

function optionsFor(file: string): TransformOptions {
  const loader = file.endsWith('x') ? 'tsx' : 'ts';
  return { loader, format: 'esm', target: 'node20.19', sourcemap: 'inline', sourcefile: file, logLevel: 'silent' };
}

function isFailure(error: unknown): error is TransformFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

// The error says what is wrong in the file and where, as esbuild shows it; a stack of its own would only hide that.
function unreadable(failure: TransformFailure, [text = failure.message]: readonly string[]): Error {
  const error = new SyntaxError(text.replace(/^.*\[ERROR\] /, '').trimEnd());
  error.stack = `SyntaxError: ${error.message}`;
  return Object.assign(error, { code: 'ERR_CODE_SYNTAX' });
}
