// What options may be: each kind says what a value must be, if it is not, so that every wrong one is told alike.
import { FlotillaError } from './errors.ts';
import { suggest } from './options.ts';

/** What a value must be, if it is not. */
export type Kind = (value: unknown) => string | undefined;

/** An option: its kind, what other systems call it, and whether users are told of it. */
export interface OptionRow {
  readonly is: Kind;
  readonly also?: readonly string[];
  readonly internal?: boolean;
}

/** Throws ERR_OPTION_UNKNOWN or ERR_OPTION_INVALID for the first option that is not one of these, or not of its kind. */
export function checkRows(of: string, options: unknown, rows: Readonly<Record<string, OptionRow>>): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null)
    throw new FlotillaError('ERR_OPTION_INVALID', `${of}: the options must be an object; they are ${shown(options)}.`);
  for (const [name, value] of Object.entries(options)) {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (!row) throw unknownOption(of, name, rows);
    const must = value === undefined ? undefined : row.is(value);
    if (must !== undefined) throw new FlotillaError('ERR_OPTION_INVALID', `${of}: '${name}' must be ${must}; it is ${shown(value)}.`);
  }
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

/** A text that is not empty. */
export const text: Kind = (value) => (typeof value === 'string' && value !== '' ? undefined : 'a text');
// The most letters of a name that people are shown.
const MOST_LABEL = 256;
// Escapes and line ends: what they do is up to the terminal of whoever is shown the name.
const CONTROL = /\p{Cc}/gu;

/** A name that people are shown, wherever it came from: short, and in one line. */
export function labelOf(name: string): string {
  return name.slice(0, MOST_LABEL).replace(CONTROL, '?');
}

/** A name that people are shown. */
export const label: Kind = (value) =>
  text(value) ?? (labelOf(value as string) === value ? undefined : `a text of at most ${MOST_LABEL} letters, without control characters`);
export const flag: Kind = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
export const callback: Kind = (value) => (typeof value === 'function' ? undefined : 'a function');
export const list: Kind = (value) => (Array.isArray(value) ? undefined : 'an array');
export const abortSignal: Kind = (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal');

/** A number within bounds. */
export function number(least: number, most = Number.POSITIVE_INFINITY): Kind {
  const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `from ${least} to ${most}`;
  return (value) => (typeof value === 'number' && value >= least && value <= most ? undefined : `a number, ${range}`);
}

/** A whole number within bounds. */
export function whole(least: number, most: number): Kind {
  return (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? undefined : `a whole number, from ${least} to ${most}`;
}

/** One of some values. */
export function oneOf(...values: readonly (string | number)[]): Kind {
  const names = values.map((one) => (typeof one === 'string' ? `'${one}'` : String(one)));
  return (value) => (values.some((one) => one === value) ? undefined : names.join(' or '));
}

/** An array, each of whose elements is of a kind. */
export function listOf(kind: Kind): Kind {
  return (value) => {
    if (!Array.isArray(value)) return `an array, each element ${kind(undefined)}`;
    const wrong = value.find((one) => kind(one) !== undefined);
    return wrong === undefined && !value.includes(undefined) ? undefined : `an array, each element ${kind(wrong)}`;
  };
}

/** Of one kind or another. */
export function either(...kinds: readonly Kind[]): Kind {
  return (value) => (kinds.some((kind) => kind(value) === undefined) ? undefined : kinds.map((kind) => kind(value)).join(', or '));
}

/** An object with some of these fields, each of its kind. */
export function fields(kinds: Readonly<Record<string, Kind>>): Kind {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return `an object with ${Object.keys(kinds).join(', ')}`;
    for (const [name, one] of Object.entries(value)) {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (!kind) return `an object with ${Object.keys(kinds).join(', ')}, and no '${name}'`;
      const must = one === undefined ? undefined : kind(one);
      if (must !== undefined) return `an object whose '${name}' is ${must}`;
    }
    return undefined;
  };
}
