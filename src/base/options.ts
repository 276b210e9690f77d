// Tables of options, one for each thing that has options. A table checks names and kinds, and suggests the right name for a misspelt one.
import { FlotillaError } from './errors.ts';
import type { flag, Kind, KindValue, Written } from './kinds.ts';

/** An option: its kind, its names elsewhere, and whether it is hidden from users. */
export interface OptionRow<out T = unknown> {
  readonly is: Kind<T>;
  /** Its names in other systems. */
  readonly also?: readonly string[];
  readonly internal?: boolean;
  readonly line?: undefined;
}

/** An option that people write on a command line or in a file. */
export interface LineRow<out T = unknown> {
  /** The kind of the option; a flag takes no text. */
  readonly is: Written<T> | typeof flag;
  readonly also?: readonly string[];
  readonly internal?: undefined;
  readonly line: Line;
}

/** An option as it stands on a command line. */
export interface Line {
  /** Its name there, without dashes; by default its own: `udp-port` for `udpPort`. A flag that is `no-NAME` makes it false. */
  readonly name?: string;
  readonly letter?: string;
  /** The word that stands for its text in the help. */
  readonly takes?: string;
  readonly says: string;
  /** The value that holds without the option, for people. */
  readonly fallback?: string;
  /** Whether it is left out of a file of options, because it is of one machine, or a secret. */
  readonly unsaved?: boolean;
}

// As much of a type as a kind can test. The parameters of a function and the elements of some lists show only when they are used.
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
  /** Gives the options back. Throws ERR_OPTION_UNKNOWN or ERR_OPTION_INVALID for the first that is not known, or not of its kind. */
  check(options: unknown): O;
}

/** A table that the type of its options is made of. */
export interface SettingsTable<R extends Readonly<Record<string, OptionRow | LineRow>>> {
  readonly rows: R;
  check(options: unknown): OptionsOf<R>;
}

/** Makes a table; `of` names the thing in errors. The compiler wants a row for each property of `O`, of its type. */
export function defineOptions<O extends object>(of: string, rows: OptionRows<O>): OptionTable<O> {
  return { rows, check: (options) => checked<O>(of, options, rows) };
}

/** The type of the options, made of the kinds of their rows. */
export type OptionsOf<R extends Readonly<Record<string, OptionRow | LineRow>>> = { readonly [K in keyof R]?: KindValue<R[K]['is']> };

/** Makes a table of options whose type is written nowhere else: it is made of the rows. */
export function defineSettings<const R extends Readonly<Record<string, OptionRow | LineRow>>>(of: string, rows: R): SettingsTable<R> {
  return { rows, check: (options) => checked<OptionsOf<R>>(of, options, rows) };
}

function checked<O>(of: string, options: unknown, rows: Readonly<Record<string, OptionRow | LineRow>>): O {
  const given: unknown = options === undefined ? {} : options;
  assertOptions<O>(of, given, rows);
  return given;
}

function assertOptions<O>(of: string, options: unknown, rows: Readonly<Record<string, OptionRow | LineRow>>): asserts options is O {
  if (typeof options !== 'object' || options === null)
    throw new FlotillaError('ERR_OPTION_INVALID', `${of}: the options must be an object; they are ${shown(options)}.`);
  for (const [name, value] of Object.entries(options)) {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (!row) throw unknownOption(of, name, rows);
    const must = value === undefined ? undefined : row.is(value);
    if (must !== undefined) throw new FlotillaError('ERR_OPTION_INVALID', `${of}: '${name}' must be ${must}; it is ${shown(value)}.`);
  }
}

function unknownOption(of: string, name: string, rows: Readonly<Record<string, OptionRow | LineRow>>): FlotillaError {
  const known = Object.keys(rows).filter((one) => !rows[one]?.internal);
  const called = known.filter((one) => rows[one]?.also?.includes(name)).map((one) => `'${one}'`);
  const better = suggest(name, known);
  const hint = called.length > 0 ? ` Here it is ${called.join(' or ')}.` : better ? ` Did you mean '${better}'?` : '';
  return new FlotillaError('ERR_OPTION_UNKNOWN', `${of} has no option '${name}'.${hint} It knows: ${known.join(', ')}.`);
}

/** Shows a value in the text of an error. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Gives the name closest to a misspelt one; undefined if all are far. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return scored && scored.distance <= Math.max(2, Math.floor(name.length / 3)) ? scored.candidate : undefined;
}

/** Gives the options without those that are undefined. */
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
