// Components: functions, classes, modules and files that a client sends to its hosts ahead of its work.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlotillaError, toError } from '../../base/index.ts';
import { workingFolder } from '../../kernel/index.ts';

/** One component: a function or class, the URL of a module, or the path of a file or of a folder with all that is in it. */
export type Component = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => object) | URL | string;

/** A file that goes to the client's folder on each host. */
export interface FilePart {
  readonly path: string;
  /** The file's folder on the host, relative to the client's folder there. */
  readonly dir: string;
  readonly name: string;
}

/** The components of an option, sorted by kind. */
export interface Parts {
  readonly functions: readonly ((...args: never[]) => unknown)[];
  readonly classes: readonly (abstract new (...args: never[]) => object)[];
  readonly modules: readonly string[];
  readonly files: readonly FilePart[];
}

const CODE = /\.[mc]?[jt]sx?$/;

/** Sorts components by kind. Throws ERR_OPTION_INVALID for a value that is no component, or a file that does not exist. */
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

/** The file parts of a file or folder: a file under the current folder keeps its place, others go to the top. Throws ERR_OPTION_INVALID. */
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

// Lists the plain files of a folder by their path in it, sorted.
function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

// The folder on a host for a file of this folder.
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
