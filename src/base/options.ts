// One table of options for each thing that has some: it checks them by name and kind, and a misspelt one is told the right name.
import { FlotillaError } from './errors.ts';
import type { Kind } from './kinds.ts';

/** An option: its kind, what it is called elsewhere, and whether users are told of it. */
export interface OptionRow<out T = unknown> {
  readonly is: Kind<T>;
  /** Its names in other systems. */
  readonly also?: readonly string[];
  readonly internal?: boolean;
}

// As much of a type as a kind can tell: what a function takes, and what some lists hold, shows when they are used.
type Told<T> = T extends (...args: never[]) => unknown
  ? (...args: never[]) => unknown
  : T extends readonly unknown[]
    ? T | readonly unknown[]
    : T;

/** A row for each of the options. */
export type OptionRows<O> = { readonly [K in keyof O]-?: OptionRow<Told<Exclude<O[K], undefined>>> };

/** The options of one thing. */
export interface OptionTable<O> {
  readonly rows: OptionRows<O>;
  /** The options, if they are such. Throws ERR_OPTION_UNKNOWN or ERR_OPTION_INVALID for the first that is not known, or not of its kind. */
  check(options: unknown): O;
}

/** The table of the options of a thing that is told by a name. The compiler wants a row for each property of `O`, of its type. */
export function defineOptions<O extends object>(of: string, rows: OptionRows<O>): OptionTable<O> {
  return { rows, check: (options) => checked(of, options, rows) as O };
}

function checked(of: string, options: unknown, rows: Readonly<Record<string, OptionRow>>): object {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null)
    throw new FlotillaError('ERR_OPTION_INVALID', `${of}: the options must be an object; they are ${shown(options)}.`);
  for (const [name, value] of Object.entries(options)) {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (!row) throw unknownOption(of, name, rows);
    const must = value === undefined ? undefined : row.is(value);
    if (must !== undefined) throw new FlotillaError('ERR_OPTION_INVALID', `${of}: '${name}' must be ${must}; it is ${shown(value)}.`);
  }
  return options;
}

function unknownOption(of: string, name: string, rows: Readonly<Record<string, OptionRow>>): FlotillaError {
  const known = Object.keys(rows).filter((one) => !rows[one]?.internal);
  const called = known.filter((one) => rows[one]?.also?.includes(name)).map((one) => `'${one}'`);
  const better = suggest(name, known);
  const hint = called.length > 0 ? ` Here it is ${called.join(' or ')}.` : better ? ` Did you mean '${better}'?` : '';
  return new FlotillaError('ERR_OPTION_UNKNOWN', `${of} has no option '${name}'.${hint} It knows: ${known.join(', ')}.`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** The name closest to a misspelt one; none if all are far. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return scored && scored.distance <= Math.max(2, Math.floor(name.length / 3)) ? scored.candidate : undefined;
}

/** The options that were given: without those that are undefined. */
export function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
