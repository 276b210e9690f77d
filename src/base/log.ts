// The log, to which all code of this package reports. It is silent unless one is given.

/** Takes reports. `fields` are for machines, `text` is for people. */
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

/** The level from which reports are written. */
export type LogLevel = (typeof LEVELS)[number] | 'silent';

/** Whether a text names a level. */
export function isLogLevel(text: string): text is LogLevel {
  return text === 'silent' || LEVELS.some((level) => level === text);
}

/** Makes a log that writes one line for each report, from `level` up. */
export function lineLog(write: (line: string) => void, level: LogLevel = 'info'): Log {
  if (level === 'silent') return SILENT;
  const from = LEVELS.indexOf(level);
  const at = (index: number, name: string) =>
    index < from ? nothing : (text: string): void => write(`${name === 'info' ? '' : `${name}: `}${text}`);
  return { debug: at(0, 'debug'), info: at(1, 'info'), warn: at(2, 'warning'), error: at(3, 'error') };
}
