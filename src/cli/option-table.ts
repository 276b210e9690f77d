// The options of the daemons as a command line has them: those of the tables of host and scheduler, and a few of its own.
import { defineSettings, flag, type Line, type LineRow, type OptionRow, type Written, word } from '../base/index.ts';
import { SCHEDULER_OPTIONS } from '../cluster/index.ts';
import { HOST_OPTIONS } from '../host/index.ts';

/** The daemons. */
export type DaemonName = 'host' | 'scheduler';

const OWN = defineSettings('flotilla', {
  config: { is: word, line: { takes: 'file', says: 'read options from a .json, .js or .ts file; the command line wins', unsaved: true } },
  saveConfig: {
    is: word,
    line: { takes: 'file', says: 'write the options to a file, without addresses, name and secret, and end', unsaved: true },
  },
  daemon: { is: flag, line: { says: 'no console: for services and containers' } },
  debug: { is: flag, line: { letter: 'd', says: 'say more' } },
});

/** One option on the command line. */
export interface LineOption extends Line {
  /** Its name in the daemon's table of options. */
  readonly key: string;
  /** Its long name, without dashes. */
  readonly name: string;
  /** Other spellings: those of dispycos first. */
  readonly aliases: readonly string[];
  /** How its text becomes a value; a flag has none. */
  readonly text: Written | undefined;
}

const LINES: Readonly<Record<DaemonName, readonly LineOption[]>> = {
  host: [...linesOf(HOST_OPTIONS.rows), ...linesOf(OWN.rows)],
  scheduler: [...linesOf(SCHEDULER_OPTIONS.rows), ...linesOf(OWN.rows)],
};

/** Every option of `flotilla host` or `flotilla scheduler`, in the order in which they are shown. */
export function optionsFor(of: DaemonName): readonly LineOption[] {
  return LINES[of];
}

/** The options of both daemons, each once, with the daemons that have it, in the order of the host; a scheduler's own stand between. */
export function allOptions(): readonly (LineOption & { readonly of: readonly DaemonName[] })[] {
  const rest = [...LINES.scheduler];
  const merged = LINES.host.flatMap((one) => {
    const at = rest.findIndex(({ key }) => key === one.key);
    const before = rest.splice(0, at + 1);
    return [
      ...before.slice(0, -1).map((other) => ({ ...other, of: ['scheduler'] as const })),
      { ...one, of: at < 0 ? (['host'] as const) : (['host', 'scheduler'] as const) },
    ];
  });
  return [...merged, ...rest.map((one) => ({ ...one, of: ['scheduler'] as const }))];
}

/** A name with dashes in camel case. */
export function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function linesOf(rows: Readonly<Record<string, OptionRow | LineRow>>): LineOption[] {
  return Object.entries(rows).flatMap(([key, { is, also = [], line }]) => {
    if (!line) return [];
    const name = line.name ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [{ ...line, key, name, aliases: also, text: 'read' in is ? is : undefined }];
  });
}
