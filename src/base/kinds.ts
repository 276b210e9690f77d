// What values may be: each kind says what a value must be, if it is not, so that every wrong one is told alike.

/** What a value must be, if it is not; `T` is what it is then. */
export interface Kind<out T = unknown> {
  (value: unknown): string | undefined;
  /** Never there: it lets the compiler compare a kind with the type of an option. */
  readonly of?: T;
}

/** What the values of a kind are. */
export type KindValue<K> = K extends Kind<infer T> ? T : never;

/** A text that is not empty. */
export const text: Kind<string> = (value) => (typeof value === 'string' && value !== '' ? undefined : 'a text');
// The most letters of a name that people are shown.
const MOST_LABEL = 256;
// Escapes and line ends: what they do is up to the terminal of whoever is shown the name.
const CONTROL = /\p{Cc}/gu;

/** A name that people are shown, wherever it came from: short, and in one line. */
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

/** Of one kind or another. */
export function either<const K extends readonly Kind[]>(...kinds: K): Kind<KindValue<K[number]>> {
  return (value) => (kinds.some((kind) => kind(value) === undefined) ? undefined : kinds.map((kind) => kind(value)).join(', or '));
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
