// esbuild, loaded when it is first needed: only a client that ships TypeScript or packages needs it, a worker never.
import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { TraceMap } from '@jridgewell/trace-mapping';
import type { BuildFailure } from 'esbuild';
import { FlotillaError, toError } from '../base/index.ts';

type Esbuild = typeof import('esbuild');

/** The oldest Node that shipped code must run on. */
export const TARGET = 'node20.19';
const LOADERS: Readonly<Record<string, 'ts' | 'tsx' | 'jsx' | 'json'>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.jsx': 'jsx',
  '.json': 'json',
};

/** esbuild itself. Throws ERR_CODE_UNRESOLVED with advice when it is not installed. */
export async function loadEsbuild(): Promise<Esbuild> {
  try {
    return await import('esbuild');
  } catch (error) {
    throw new FlotillaError(
      'ERR_CODE_UNRESOLVED',
      "The package 'esbuild' is needed to ship TypeScript and packages, and cannot be loaded. Install it: npm install esbuild",
      { cause: error },
    );
  }
}

/** Reads a file of the program as JavaScript, with the map back to it. Throws ERR_CODE_SYNTAX. */
export async function readModule(file: string): Promise<{ text: string; map: TraceMap | undefined }> {
  const source = await readFile(file, 'utf8');
  const loader = LOADERS[extname(file)];
  if (!loader && !/\busing\b/.test(source)) return { text: source, map: await besideMap(source, file) };
  return transform(source, file, loader ?? 'js');
}

// Reads the map that a compiler left beside its output.
async function besideMap(source: string, file: string): Promise<TraceMap | undefined> {
  const name = /\n\/\/# sourceMappingURL=([^\s:]+\.map)\s*$/.exec(source)?.[1];
  if (name === undefined) return undefined;
  try {
    return new TraceMap(await readFile(join(dirname(file), name), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Turns a source into JavaScript for the oldest Node that shipped code must run on. */
export async function transform(
  source: string,
  file: string,
  loader: 'js' | 'ts' | 'tsx' | 'jsx' | 'json',
): Promise<{ text: string; map: TraceMap }> {
  const esbuild = await loadEsbuild();
  try {
    const { code, map } = await esbuild.transform(source, {
      loader,
      format: 'esm',
      target: TARGET,
      sourcemap: 'external',
      sourcefile: file,
      logLevel: 'silent',
    });
    return { text: code, map: new TraceMap(map) };
  } catch (error) {
    throw syntaxError(file, error);
  }
}

/** An error of esbuild as one of ours. */
export function syntaxError(file: string, error: unknown): FlotillaError {
  const [first] = isFailure(error) ? error.errors : [];
  const where = first?.location ? `${first.location.file}:${first.location.line}` : file;
  return new FlotillaError('ERR_CODE_SYNTAX', `${where} cannot be shipped: ${first?.text ?? toError(error).message}.`, { cause: error });
}

function isFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}
