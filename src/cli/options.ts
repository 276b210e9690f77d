// The options of the daemons as commander, files and the guide have them: all made of their tables.
import { InvalidArgumentError, Option } from 'commander';
import { FlotillaError, suggest, toError, type Written } from '../base/index.ts';
import { allOptions, camel, type DaemonName, type LineOption, optionsFor } from './option-table.ts';

/** The values of options, as commander calls them: by name in camel case, without `no-`. */
export type Values = Readonly<Record<string, unknown>>;

/** The options of a daemon, for commander. */
export function optionsOf(of: DaemonName): Option[] {
  return optionsFor(of).map((one) => {
    const value = one.text ? ` <${one.takes ?? 'value'}>` : '';
    const fallback = one.fallback === undefined ? '' : ` (default: ${one.fallback})`;
    const option = new Option(`${one.letter ? `-${one.letter}, ` : ''}--${one.name}${value}`, one.says + fallback);
    return one.text ? option.argParser((given: string, before: unknown) => parse(one, given, before)) : option;
  });
}

/** The arguments with the spellings of dispycos replaced by ours. */
export function withOurSpelling(argv: readonly string[], of: DaemonName): string[] {
  const aliases = new Map(optionsFor(of).flatMap(({ name, aliases: others }) => others.map((alias) => [alias, name] as const)));
  const letters: Readonly<Record<string, string>> = { '-w': '--cpus' };
  return argv.map((word) => {
    if (letters[word]) return letters[word];
    if (!word.startsWith('--')) return word;
    const [flagName = '', ...value] = word.slice(2).split('=');
    const name = flagName.replace(/_/g, '-');
    return `--${[aliases.get(name) ?? name, ...value].join('=')}`;
  });
}

/** The options that were given. Commander adds `true` for each that a `--no-` option would deny, which nobody has said. */
export function withoutDefaults(of: DaemonName, given: Values): Values {
  const deniable = new Set(optionsFor(of).flatMap((one) => (denies(one) ? [valueKey(one)] : [])));
  return Object.fromEntries(Object.entries(given).filter(([key, value]) => !(value === true && deniable.has(key))));
}

/** The given options of a daemon, by the names in its table; those of the command line's own are left out. */
export function settingsOf(of: DaemonName, values: Values, keys: object): Record<string, unknown> {
  const said = optionsFor(of).filter((one) => one.key in keys && values[valueKey(one)] !== undefined);
  return Object.fromEntries(said.map((one) => [one.key, values[valueKey(one)]]));
}

/** The value of an option as a file of options has it. Throws ERR_CONFIG_FILE. */
export function fromFile(of: DaemonName, name: string, value: unknown): [key: string, value: unknown] {
  const known = optionsFor(of);
  const found = known.find(
    (one) => camel(one.name) === name || one.name === name || one.aliases.some((alias) => alias === name || camel(alias) === name),
  );
  if (!found) {
    const better = suggest(
      name,
      known.map((one) => camel(one.name)),
    );
    throw new FlotillaError('ERR_CONFIG_FILE', `There is no option '${name}'.${better ? ` Did you mean '${better}'?` : ''}`);
  }
  const key = valueKey(found);
  if (!found.text) {
    if (typeof value !== 'boolean')
      throw new FlotillaError('ERR_CONFIG_FILE', `'${name}' must be true or false; it is ${JSON.stringify(value)}.`);
    return [key, denies(found) ? !value : value];
  }
  let result: unknown;
  for (const one of Array.isArray(value) && found.text.many ? value : [value]) {
    if (typeof one !== 'string' && typeof one !== 'number')
      throw new FlotillaError('ERR_CONFIG_FILE', `'${name}' must be a text or a number; it is ${JSON.stringify(one)}.`);
    try {
      result = parse(found, String(one), result);
    } catch (error) {
      throw new FlotillaError('ERR_CONFIG_FILE', `'${name}': ${toError(error).message}`, { cause: error });
    }
  }
  return [key, result];
}

/** The options that `--save-config` writes: names as in a file of options, values as on the command line. */
export function toFile(of: DaemonName, values: Values): Record<string, unknown> {
  const saved: Record<string, unknown> = {};
  for (const one of optionsFor(of)) {
    if (one.unsaved) continue;
    const value = values[valueKey(one)];
    if (denies(one)) {
      if (value === false) saved[camel(one.name)] = true;
    } else if (value !== undefined && value !== false) saved[camel(one.name)] = one.text?.scale ? Number(value) / one.text.scale : value;
  }
  return saved;
}

/** The table of all options, for the guide. */
export function optionTable(): string {
  const lines = allOptions().map(({ name, letter, aliases, of, text, says, fallback, takes }) => {
    const flags = `${letter ? `\`-${letter}\` ` : ''}\`--${name}${text ? ` ${takes ?? 'value'}` : ''}\``;
    return `| ${flags} | ${aliases.map((alias) => `\`--${alias}\``).join(' ')} | ${of.join(', ')} | ${says.replace(/\|/g, '\\|')} | ${fallback ?? ''} | ${text?.unit ?? ''} |`;
  });
  return ['| option | also | of | means | default | unit |', '|---|---|---|---|---|---|', ...lines, ''].join('\n');
}

/** The function that reads one option of a verb, for commander. */
export function reads<T>(name: string, kind: Written<T>): (given: string) => T {
  return (given) => {
    const read = kind.read(given);
    if ('must' in read) throw new InvalidArgumentError(`--${name} must be ${read.must}.`);
    return read.value;
  };
}

function parse({ text, name }: LineOption, given: string, before: unknown): unknown {
  if (!text) return true;
  const value = reads(name, text)(given);
  return text.many && Array.isArray(value) && Array.isArray(before) ? [...before, ...value] : value;
}

function denies({ name }: LineOption): boolean {
  return name.startsWith('no-');
}

function valueKey({ name }: LineOption): string {
  return camel(name.replace(/^no-/, ''));
}
