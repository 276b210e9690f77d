// Options are checked by name: a misspelt one is an error that suggests the right one.
import { FlotillaError } from './errors.ts';

/** The names closest to a misspelt one, nearest first; none if all are far. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return scored && scored.distance <= Math.max(2, Math.floor(name.length / 3)) ? scored.candidate : undefined;
}

/** Throws ERR_OPTION_UNKNOWN for the first option that is not known. */
export function checkOptions(of: string, options: object | undefined, known: readonly string[]): void {
  for (const name of Object.keys(options ?? {})) {
    if (known.includes(name)) continue;
    const better = suggest(name, known);
    throw new FlotillaError(
      'ERR_OPTION_UNKNOWN',
      `${of} has no option '${name}'.${better ? ` Did you mean '${better}'?` : ''} It knows: ${known.join(', ')}.`,
    );
  }
}

/** Throws ERR_OPTION_INVALID unless the value is absent or a number within the bounds. */
export function checkNumber(of: string, name: string, value: number | undefined, least: number, most = Number.POSITIVE_INFINITY): void {
  if (value === undefined) return;
  if (typeof value === 'number' && value >= least && value <= most) return;
  const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `from ${least} to ${most}`;
  throw new FlotillaError('ERR_OPTION_INVALID', `${of}: '${name}' must be a number, ${range}; it is ${String(value)}.`);
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
