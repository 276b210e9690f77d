// What a client sends to its hosts ahead of its work: functions, classes, modules, files.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlotillaError, toError } from '../../base/index.ts';
import { workingFolder } from '../../kernel/index.ts';

/** A function or class, the URL of a module, or the path of a file or of a folder with all that is in it. */
export type Component = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => object) | URL | string;

/** A file that goes to the client's folder on each host. */
export interface FilePart {
  readonly path: string;
  /** The folder there, relative to the client's. */
  readonly dir: string;
  readonly name: string;
}

/** The components of an option, told apart. */
export interface Parts {
  readonly functions: readonly ((...args: never[]) => unknown)[];
  readonly classes: readonly (abstract new (...args: never[]) => object)[];
  readonly modules: readonly string[];
  readonly files: readonly FilePart[];
}

const CODE = /\.[mc]?[jt]sx?$/;

/** Tells components apart. Throws ERR_OPTION_INVALID for what is none, or a file that is not there. */
export function partsOf(components: readonly Component[]): Parts {
  const functions: ((...args: never[]) => unknown)[] = [];
  const classes: (abstract new (...args: never[]) => object)[] = [];
  const modules: string[] = [];
  const files: FilePart[] = [];
  for (const [i, given] of [...new Set(components)].entries()) {
    if (typeof given === 'function') {
      if (/^class\b/.test(Function.prototype.toString.call(given))) classes.push(given as abstract new (...args: never[]) => object);
      else functions.push(given as (...args: never[]) => unknown);
    } else if (given instanceof URL) {
      if (CODE.test(given.pathname)) modules.push(given.href);
      else files.push(...fileParts(fileURLToPath(given)));
    } else if (typeof given === 'string') {
      if (given.startsWith('file:') && CODE.test(given)) modules.push(given);
      else files.push(...fileParts(given));
    } else
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `Client.connect: components[${i}] must be a function, a class, the URL of a module, or the path of a file or folder; it is ${given === null ? 'null' : typeof given}.`,
      );
  }
  return { functions, classes, modules, files };
}

/** Where a file goes, or all files of a folder: what is under the current folder keeps its place, others go to the top. Throws ERR_OPTION_INVALID. */
export function fileParts(path: string): FilePart[] {
  const whole = resolve(path);
  try {
    const found = statSync(whole);
    if (found.isFile()) return [filePart(whole)];
    if (!found.isDirectory()) throw new Error('it is neither a plain file nor a folder');
    return filesUnder(whole).map((name) => ({ ...filePart(join(whole, name)), dir: dirOf(whole, name) }));
  } catch (error) {
    throw new FlotillaError('ERR_OPTION_INVALID', `The component '${path}' cannot be sent: ${toError(error).message}.`, { cause: error });
  }
}

// The plain files of a folder, in order, by their path in it.
function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

// The place there of a file of a folder.
function dirOf(folder: string, name: string): string {
  const { dir, name: top } = filePart(folder);
  return [dir, top, ...dirname(name).split(sep)].filter((part) => part !== '' && part !== '.').join('/');
}

function filePart(whole: string): FilePart {
  const from = relative(workingFolder(), whole);
  const outside = from.startsWith('..') || isAbsolute(from);
  const dir = outside ? '' : dirname(from).split(sep).join('/');
  return { path: whole, dir: dir === '.' ? '' : dir, name: basename(whole) };
}
