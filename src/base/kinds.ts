// Kinds: a kind tests a value, and says what the value must be if it is wrong, so that all wrong values are told alike. Some kinds also
// read their values from text, on a command line or in a file of options.
import type { RuntimeId } from './ids.ts';

/** Tests a value: gives undefined if it is of this kind (of type `T`), else a text that says what it must be. */
export interface Kind<out T = unknown> {
  (value: unknown): string | undefined;
  /** A property that no kind has; it lets the compiler compare a kind with the type of an option. */
  readonly of?: T;
}

/** The type of the values of a kind. */
export type KindValue<K> = K extends Kind<infer T> ? T : never;

/** Whether a value is of a kind. */
export function isOf<T>(kind: Kind<T>, value: unknown): value is T {
  return kind(value) === undefined;
}

/** A text that is not empty. */
export const text: Kind<string> = (value) => (typeof value === 'string' && value !== '' ? undefined : 'a text');
/** A text that may be empty. */
export const string: Kind<string> = (value) => (typeof value === 'string' ? undefined : 'a text');
// The most letters of a name that people are shown.
const MOST_LABEL = 256;
// Escapes and line ends, which could do anything to the terminal where the name is shown.
const CONTROL = /\p{Cc}/gu;

/** Makes a name fit to be shown to people, wherever it came from: short, and in one line. */
export function labelOf(name: string): string {
  return name.slice(0, MOST_LABEL).replace(CONTROL, '?');
}

/** A name that people are shown. */
export const label: Kind<string> = (value) =>
  text(value) ?? (labelOf(String(value)) === value ? undefined : `a text of at most ${MOST_LABEL} letters, without control characters`);
export const flag: Kind<boolean> = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
export const callback: Kind<(...args: never[]) => unknown> = (value) => (typeof value === 'function' ? undefined : 'a function');
export const list: Kind<readonly unknown[]> = (value) => (Array.isArray(value) ? undefined : 'an array');
export const abortSignal: Kind<AbortSignal> = (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal');

/** A name that programs use: short, with any characters. */
export const short: Kind<string> = (value) =>
  typeof value === 'string' && value !== '' && value.length <= MOST_LABEL ? undefined : `a text of at most ${MOST_LABEL} letters`;
/** The id of a runtime. */
export const runtimeId: Kind<RuntimeId> = (value) => short(value);

/** Any value at all. */
export const anything: Kind<never> = () => undefined;
/** A number, also NaN or an infinite one. */
export const measure: Kind<number> = (value) => (typeof value === 'number' ? undefined : 'a number');

/** A number within bounds. */
export function number(least: number, most = Number.POSITIVE_INFINITY): Kind<number> {
  const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `from ${least} to ${most}`;
  return (value) => (typeof value === 'number' && value >= least && value <= most ? undefined : `a number, ${range}`);
}

/** A whole number within bounds. */
export function whole(least: number, most: number): Kind<number> {
  return (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? undefined : `a whole number, from ${least} to ${most}`;
}

/** One of some values. */
export function oneOf<const V extends string | number>(...values: readonly V[]): Kind<V> {
  const names = values.map((one) => (typeof one === 'string' ? `'${one}'` : String(one)));
  return (value) => (values.some((one) => one === value) ? undefined : names.join(' or '));
}

/** An array, each of whose elements is of a kind. */
export function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return `an array, each element ${kind(undefined)}`;
    const wrong = value.find((one) => kind(one) !== undefined);
    return wrong === undefined && !value.includes(undefined) ? undefined : `an array, each element ${kind(wrong)}`;
  };
}

/** An array of a kind, of at most so many elements. */
export function atMost<T extends readonly unknown[]>(most: number, kind: Kind<T>): Kind<T> {
  return (value) => (Array.isArray(value) && value.length > most ? `an array of at most ${most} elements` : kind(value));
}

/** A value of one kind or another. */
export function either<const K extends readonly Kind[]>(...kinds: K): Kind<KindValue<K[number]>> {
  return (value) => (kinds.some((kind) => kind(value) === undefined) ? undefined : kinds.map((kind) => kind(value)).join(', or '));
}

/** A value of a kind, or none. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return (value) => (value === undefined ? undefined : kind(value));
}

/** An object with all of these fields, each of its kind; other fields do not matter. */
export function record<T>(kinds: { readonly [F in keyof T]-?: Kind<T[F]> }): Kind<T> {
  const all: readonly (readonly [string, Kind])[] = Object.entries<Kind>(kinds);
  return (value) => {
    if (typeof value !== 'object' || value === null) return `an object with ${all.map(([name]) => name).join(', ')}`;
    for (const [name, kind] of all) {
      const must = kind(Reflect.get(value, name));
      if (must !== undefined) return `an object whose '${name}' is ${must}`;
    }
    return undefined;
  };
}

/** An object with some of these fields, each of its kind. */
export function fields<const K extends Readonly<Record<string, Kind>>>(kinds: K): Kind<{ readonly [F in keyof K]?: KindValue<K[F]> }> {
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

/** A kind whose values are also written as text. */
export interface Written<out T = unknown> extends Kind<T> {
  /** Reads a text: gives the value that it means, or says what the text must be. */
  readonly read: (text: string) => { readonly value: T } | { readonly must: string };
  /** Whether each text gives an array. An option that is given again then adds to the values before. */
  readonly many?: boolean;
  /** The unit of a number, for people. */
  readonly unit?: string;
  /** The units of the value that one unit of the text stands for: 1000 for seconds, whose values are in milliseconds. */
  readonly scale?: number;
}

/** A text, possibly an empty one; its user checks it further. */
export const word: Written<string> = written(string, {
  read: (text) => ({ value: text }),
});

/** A list of texts, each given apart. */
export const words: Written<readonly string[]> = written(
  (value) => (Array.isArray(value) && value.every((one) => typeof one === 'string') ? undefined : 'a list of texts'),
  { read: (text) => ({ value: [text] }), many: true },
);

/** A number within bounds. */
export function figure(least: number, most: number): Written<number> {
  return written(number(least, most), { read: (text) => within(text, least, most, 1) });
}

/** A time, written in seconds within bounds; its value is in milliseconds. */
export function seconds(least: number, most: number): Written<number> {
  const scale = 1_000;
  return written(number(least * scale, most * scale), { read: (text) => within(text, least, most, scale), unit: 'seconds', scale });
}

/** A number of bytes, written with `k`, `m`, `g` or `t` for more. */
export const byteCount: Written<number> = written(number(0), {
  read(text) {
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?$/i.exec(text.trim());
    if (match) return { value: Math.floor(Number(match[1]) * 1024 ** ' kmgt'.indexOf((match[2] || ' ').toLowerCase())) };
    return text.trim() === '' ? { value: 0 } : { must: 'a number of bytes, with k, m, g or t for more: 512m' };
  },
  unit: 'bytes, k m g t',
});

/** Makes a kind whose values are also written as text. */
export function written<T>(kind: Kind<T>, how: Pick<Written<T>, 'read' | 'many' | 'unit' | 'scale'>): Written<T> {
  return Object.assign((value: unknown) => kind(value), how);
}

function within(text: string, least: number, most: number, scale: number): { readonly value: number } | { readonly must: string } {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= least && value <= most) return { value: value * scale };
  return { must: `a number from ${least} to ${most}` };
}
