/* The words that every room uses. No input or output, no word of the domain. Start reading at errors.ts. */

export { Backoff } from './backoff.ts';
export type { Clock, Timer } from './clock.ts';
export { sleep } from './clock.ts';
export { Deferred, isThenable } from './deferred.ts';
export type { ErrorCode, Retry } from './errors.ts';
export { codeOf, ERRORS, FlotillaError, formatErrorTable, hasCode, invariant, toError } from './errors.ts';
export type { Listener } from './events.ts';
export { Events } from './events.ts';
export { dropFirst, Fifo } from './fifo.ts';
export { IdMap } from './id-map.ts';
export type { RandomBytes, RuntimeId } from './ids.ts';
export { randomFraction, runtimeIdOf, shortId, toHex } from './ids.ts';
export type { Kind, KindValue, Written } from './kinds.ts';
export {
  abortSignal,
  anything,
  atMost,
  byteCount,
  callback,
  either,
  fields,
  figure,
  flag,
  isOf,
  label,
  labelOf,
  list,
  listOf,
  measure,
  number,
  oneOf,
  optional,
  record,
  runtimeId,
  seconds,
  short,
  string,
  text,
  whole,
  word,
  words,
  written,
} from './kinds.ts';
export type { Log, LogLevel } from './log.ts';
export { isLogLevel, lineLog, SILENT } from './log.ts';
export type { Line, LineRow, OptionRow, OptionRows, OptionsOf, OptionTable, SettingsTable } from './options.ts';
export { defined, defineOptions, defineSettings, shown, suggest } from './options.ts';
export { type Paint, paint } from './paint.ts';
export { Scope } from './scope.ts';
export { onAbort } from './signals.ts';
export { Timers } from './timers.ts';
