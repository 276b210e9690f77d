// Shipped functions on the worker: the unit's file is imported, once, and the function picked from it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FlotillaError } from '../base/index.ts';
import type { Shipped } from './unit.ts';

/** Any function that was shipped. */
export type Loaded = (...args: unknown[]) => unknown;

/** The function that was shipped, from a client's folder. Rejects with what its module throws, or ERR_CODE_MISSING. */
export async function load(folder: string, shipped: Shipped): Promise<Loaded> {
  const unit = (await import(pathToFileURL(join(folder, 'code', `${shipped.unit}.mjs`)).href)) as Record<string, unknown>;
  let value = unit[shipped.name];
  for (const key of shipped.path) value = (value as Record<string, unknown> | undefined)?.[key];
  if (typeof value !== 'function') throw new FlotillaError('ERR_CODE_MISSING', `The shipped code has no function '${shipped.label}'.`);
  return value as Loaded;
}
