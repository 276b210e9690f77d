// A unit of shipped code: one file of JavaScript, named so that workers import it once, stored by the hash of its text.
import { createHash } from 'node:crypto';
import { TraceMap } from '@jridgewell/trace-mapping';

/** A unit of code. Its name is its file on the worker; its hash is its text. */
export interface Unit {
  readonly name: string;
  readonly hash: string;
  readonly text: string;
  /** The names of the units it imports. */
  readonly imports: readonly string[];
  /** Packages that the worker's machine must have. */
  readonly externals: readonly string[];
  /** Those of the imported units that are evaluated with it, in the client's process too: modules that it imports statically. */
  readonly evaluates?: readonly string[];
  /** The file it comes from, and the maps from its lines to that file's, applied in order. */
  readonly file: string;
  readonly maps: readonly TraceMap[];
}

/** A unit without its text: a host is told of it first, and asks for texts that it does not have. */
export interface UnitHead {
  readonly name: string;
  readonly hash: string;
  readonly externals: readonly string[];
}

/** A shipped function: the unit that exports it, under which name, and which property of that. */
export interface Shipped {
  readonly label: string;
  readonly unit: string;
  readonly name: string;
  readonly path: readonly string[];
  /** The package, installed on the host, that the function is of; it is of no unit then. */
  readonly package?: string;
}

/** The name of a unit that comes from a file, or from a piece of one. */
export function unitName(kind: 'module' | 'piece' | 'package', file: string, piece = ''): string {
  return `${kind[0]}${digest(`${file}\0${piece}`).slice(0, 16)}`;
}

export function digest(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Makes a unit: adds the hash of its text. */
export function makeUnit(unit: Omit<Unit, 'hash'>): Unit {
  return { ...unit, hash: digest(unit.text) };
}

/** The source map at the end of a script's text, if it carries one. */
export function inlineMap(source: string): TraceMap | undefined {
  const [, encoded] = /\/\/[#@] sourceMappingURL=data:application\/json[^,]*;base64,([A-Za-z0-9+/=]+)\s*$/.exec(source) ?? [];
  if (encoded === undefined) return undefined;
  try {
    return new TraceMap(Buffer.from(encoded, 'base64').toString());
  } catch {
    return undefined;
  }
}
