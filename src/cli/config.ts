// Files of options: read as data (.json) or imported (.js, .ts); written without addresses, names and secrets.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FlotillaError, toError } from '../base/index.ts';
import { fromFile, toFile, type Values } from './options.ts';

/** Adds the options of a file to those of the command line, which overrule them. Rejects with ERR_CONFIG_FILE. */
export async function withConfig(of: 'host' | 'scheduler', given: Values): Promise<Values> {
  const path = given['config'];
  if (typeof path !== 'string') return given;
  try {
    const read = await readOptions(resolve(path));
    return { ...Object.fromEntries(Object.entries(read).map(([name, value]) => fromFile(of, name, value))), ...given };
  } catch (error) {
    throw new FlotillaError('ERR_CONFIG_FILE', `The options in ${path} cannot be used: ${toError(error).message}`, { cause: error });
  }
}

/** Writes options to a file: JSON, or a module if its name ends as one. Throws ERR_CONFIG_FILE. */
export function saveConfig(of: 'host' | 'scheduler', values: Values): string {
  const path = String(values['saveConfig']);
  const json = JSON.stringify(toFile(of, values), undefined, 2);
  try {
    writeFileSync(path, /\.[mc]?[jt]s$/.test(path) ? `export default ${json};\n` : `${json}\n`);
  } catch (error) {
    throw new FlotillaError('ERR_CONFIG_FILE', `The options cannot be written to ${path}: ${toError(error).message}.`, { cause: error });
  }
  return path;
}

async function readOptions(path: string): Promise<object> {
  if (!existsSync(path)) throw new Error('there is no such file.');
  let read: unknown;
  if (/\.[mc]?[jt]s$/.test(path)) {
    if (/ts$/.test(path)) register(new URL('./ts-hooks.js', import.meta.url));
    const exported: { default?: unknown } = await import(pathToFileURL(path).href);
    read = exported.default;
    if (read === undefined) throw new Error('it has no default export: write `export default { ... }`.');
  } else read = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new Error('it holds no object of options.');
  return read;
}
