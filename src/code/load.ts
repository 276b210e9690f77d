// Shipped functions on the worker: the unit's file is imported, once, and the function picked from it.
import { existsSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { FlotillaError } from '../base/index.ts';
import { TOP_PREFIX } from './module.ts';
import type { Shipped } from './unit.ts';

/** Any function that was shipped. */
export type Loaded = (...args: unknown[]) => unknown;

/** Loads a shipped function from a client's folder. Rejects with what its module throws, or ERR_CODE_MISSING. */
export async function load(folder: string, shipped: Shipped): Promise<Loaded> {
  const exported = shipped.package === undefined ? await loadUnit(folder, shipped.unit) : await importFrom(folder, shipped.package);
  const value = shipped.path.reduce(propertyOf, exported[shipped.name]);
  if (isCallable(value)) return value;
  if (shipped.package === undefined) throw new FlotillaError('ERR_CODE_MISSING', `The shipped code has no function '${shipped.label}'.`);
  throw new FlotillaError('ERR_CODE_NOT_FOUND', `The package '${shipped.package}' on the host has no function '${shipped.name}'.`);
}

/** Loads a unit in a client's folder: all that it exports. */
export async function loadUnit(folder: string, unit: string): Promise<Record<string, unknown>> {
  const exported: Record<string, unknown> = await import(pathToFileURL(inCode(folder, `${unit}.mjs`)).href);
  return exported;
}

/** Imports a module as code in a client's folder would: a stub in that folder does it, so that packages are looked for from there. */
export async function importFrom(folder: string, specifier: string): Promise<Record<string, unknown>> {
  const stub = inCode(folder, 'from.mjs');
  if (!existsSync(stub)) writeFileSync(stub, 'export const from = (specifier) => import(specifier);\n', { mode: 0o600 });
  const { from }: { from(specifier: string): Promise<Record<string, unknown>> } = await import(pathToFileURL(stub).href);
  return from(specifier);
}

function propertyOf(value: unknown, key: string): unknown {
  return value === undefined || value === null ? undefined : Reflect.get(Object(value), key);
}

function isCallable(value: unknown): value is Loaded {
  return typeof value === 'function';
}

// Node's own join() uses Array.prototype.push, which a program may have replaced.
function inCode(folder: string, name: string): string {
  return `${folder}/code/${name}`;
}

type AnyClass = abstract new (...args: never[]) => object;

/** The classes that a module exports whose objects may travel, by exported name: those that extend no class of the language. */
export function classesOf(exported: Record<string, unknown>): Map<string, AnyClass> {
  const classes = new Map<string, AnyClass>();
  for (const [name, value] of Object.entries(exported)) {
    if (name.startsWith(TOP_PREFIX) || !isClassItself(value)) continue;
    let root: object | null = value.prototype;
    while (root && Object.getPrototypeOf(root) !== Object.prototype && Object.getPrototypeOf(root) !== null) {
      const next: object = Object.getPrototypeOf(root);
      root = /\[native code\]/.test(Function.prototype.toString.call(next.constructor)) ? null : next;
    }
    if (root) classes.set(name, value);
  }
  return classes;
}

function isClassItself(value: unknown): value is AnyClass & { readonly prototype: object | null } {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** The name by which objects of a shipped class travel. */
export function className(unit: string, name: string): string {
  return `${unit}#${name.startsWith(TOP_PREFIX) ? name.slice(TOP_PREFIX.length) : name}`;
}
