// The logger that code in this package speaks to. Silent unless one is given.

/** Where reports go. `fields` are for machines, `text` is for people. */
export interface Log {
  debug(text: string, fields?: Record<string, unknown>): void;
  info(text: string, fields?: Record<string, unknown>): void;
  warn(text: string, fields?: Record<string, unknown>): void;
  error(text: string, fields?: Record<string, unknown>): void;
}

const nothing = (): void => {};

/** A log that says nothing. */
export const SILENT: Log = Object.freeze({ debug: nothing, info: nothing, warn: nothing, error: nothing });

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** How much is said. */
export type LogLevel = (typeof LEVELS)[number] | 'silent';

/** Whether a text names a level. */
export function isLogLevel(text: string): text is LogLevel {
  return text === 'silent' || LEVELS.some((level) => level === text);
}

/** A log that writes one line a report, from `level` up. */
export function lineLog(write: (line: string) => void, level: LogLevel = 'info'): Log {
  if (level === 'silent') return SILENT;
  const from = LEVELS.indexOf(level);
  const at = (index: number, name: string) =>
    index < from ? nothing : (text: string): void => write(`${name === 'info' ? '' : `${name}: `}${text}`);
  return { debug: at(0, 'debug'), info: at(1, 'info'), warn: at(2, 'warning'), error: at(3, 'error') };
}
