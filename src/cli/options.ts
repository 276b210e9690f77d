// The options of the daemons as commander, files and the guide have them: all made of one table.
import { InvalidArgumentError, Option } from 'commander';
import { FlotillaError, suggest } from '../base/index.ts';
import { MOST_PORT, ROWS, type Row } from './option-table.ts';

/** The values of options, by name in camel case. */
export type Values = Readonly<Record<string, unknown>>;

/** The options of a daemon, for commander. */
export function optionsOf(of: 'host' | 'scheduler'): Option[] {
  return ROWS.filter((one) => one.of.includes(of)).map((one) => {
    const value = one.kind.is === 'flag' ? '' : ` <${one.takes ?? 'value'}>`;
    const fallback = one.fallback === undefined ? '' : ` (default: ${one.fallback})`;
    const option = new Option(`${one.letter ? `-${one.letter}, ` : ''}--${one.name}${value}`, one.says + fallback);
    if (one.kind.is === 'flag') return option;
    return option.argParser((given: string, before: unknown) => parse(one, given, before));
  });
}

/** The arguments with the spellings of dispycos replaced by ours. */
export function withOurSpelling(argv: readonly string[], of: 'host' | 'scheduler'): string[] {
  const known = ROWS.filter((one) => one.of.includes(of));
  const aliases = new Map(known.flatMap(({ name, aliases: others = [] }) => others.map((alias) => [alias, name] as const)));
  const letters: Readonly<Record<string, string>> = { '-w': '--cpus' };
  return argv.map((word) => {
    if (letters[word]) return letters[word];
    if (!word.startsWith('--')) return word;
    const [flagName = '', ...value] = word.slice(2).split('=');
    const name = flagName.replace(/_/g, '-');
    return `--${[aliases.get(name) ?? name, ...value].join('=')}`;
  });
}

/** The value of an option as a file of options has it. Throws ERR_CONFIG_FILE. */
export function fromFile(of: 'host' | 'scheduler', name: string, value: unknown): [key: string, value: unknown] {
  const known = ROWS.filter((one) => one.of.includes(of));
  const found = known.find(
    (one) => camel(one.name) === name || one.name === name || one.aliases?.some((alias) => alias === name || camel(alias) === name),
  );
  if (!found) {
    const better = suggest(
      name,
      known.map((one) => camel(one.name)),
    );
    throw new FlotillaError('ERR_CONFIG_FILE', `There is no option '${name}'.${better ? ` Did you mean '${better}'?` : ''}`);
  }
  const key = camel(found.name).replace(/^no([A-Z])/, (_, letter: string) => letter.toLowerCase());
  if (found.kind.is === 'flag') {
    if (typeof value !== 'boolean')
      throw new FlotillaError('ERR_CONFIG_FILE', `'${name}' must be true or false; it is ${JSON.stringify(value)}.`);
    return [key, found.name.startsWith('no-') ? !value : value];
  }
  const many = found.kind.is === 'ports' || (found.kind.is === 'text' && found.kind.many);
  let result: unknown;
  for (const one of Array.isArray(value) && many ? value : [value]) {
    if (typeof one !== 'string' && typeof one !== 'number')
      throw new FlotillaError('ERR_CONFIG_FILE', `'${name}' must be a text or a number; it is ${JSON.stringify(one)}.`);
    try {
      result = parse(found, String(one), result);
    } catch (error) {
      throw new FlotillaError('ERR_CONFIG_FILE', `'${name}': ${(error as Error).message}`, { cause: error });
    }
  }
  return [key, result];
}

/** What `--save-config` writes: names as in a file of options, values as on the command line. */
export function toFile(of: 'host' | 'scheduler', values: Values): Record<string, unknown> {
  const saved: Record<string, unknown> = {};
  for (const { name, kind, secret, of: whose } of ROWS) {
    if (secret || !whose.includes(of)) continue;
    const key = camel(name);
    if (name.startsWith('no-')) {
      if (values[key.slice(2, 3).toLowerCase() + key.slice(3)] === false) saved[key] = true;
      continue;
    }
    const value = values[key];
    if (value === undefined || value === false) continue;
    saved[key] = kind.is === 'seconds' ? (value as number) / 1000 : value;
  }
  return saved;
}

/** Of some values, those of these names. */
export function pick(values: Values, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

/** The table, for the guide. */
export function optionTable(): string {
  const lines = ROWS.map(({ name, letter, aliases = [], of, kind, says, fallback, takes }) => {
    const unit = kind.is === 'seconds' ? 'seconds' : kind.is === 'bytes' ? 'bytes, k m g t' : '';
    const flags = `${letter ? `\`-${letter}\` ` : ''}\`--${name}${kind.is === 'flag' ? '' : ` ${takes ?? 'value'}`}\``;
    return `| ${flags} | ${aliases.map((alias) => `\`--${alias}\``).join(' ')} | ${of.join(', ')} | ${says.replace(/\|/g, '\\|')} | ${fallback ?? ''} | ${unit} |`;
  });
  return ['| option | also | of | means | default | unit |', '|---|---|---|---|---|---|', ...lines, ''].join('\n');
}

function parse({ kind, name }: Row, given: string, before: unknown): unknown {
  switch (kind.is) {
    case 'text':
      return kind.many ? [...((before as string[] | undefined) ?? []), given] : given;
    case 'number':
      return inBounds(name, Number(given), kind, given);
    case 'seconds':
      return inBounds(name, Number(given), kind, given) * 1000;
    case 'bytes':
      return bytesOf(name, given);
    case 'ports':
      return [...((before as number[] | undefined) ?? []), ...portsOf(name, given)];
    case 'flag':
      return true;
  }
}

function inBounds(name: string, value: number, { least, most }: { least: number; most: number }, given: string): number {
  if (given.trim() !== '' && Number.isFinite(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`--${name} must be a number from ${least} to ${most}.`);
}

function bytesOf(name: string, given: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?$/i.exec(given.trim());
  if (match) return Math.floor(Number(match[1]) * 1024 ** ' kmgt'.indexOf((match[2] || ' ').toLowerCase()));
  if (given.trim() === '') return 0;
  throw new InvalidArgumentError(`--${name} must be a number of bytes, with k, m, g or t for more: 512m.`);
}

function portsOf(name: string, given: string): number[] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(given.trim());
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? from);
  if (!match || from < 1 || to > MOST_PORT || to < from) throw new InvalidArgumentError(`--${name} must be a port, or two as 9706-9710.`);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
