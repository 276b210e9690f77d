// Errors for bytes that are not what they should be.
import { FlotillaError } from '../base/index.ts';

/** An error of ours for one that reading threw. */
export function asWireError(thrown: unknown): FlotillaError {
  if (thrown instanceof FlotillaError) return thrown;
  return malformed(thrown instanceof Error ? thrown.message : String(thrown), thrown);
}

/** The error for bytes that mean nothing. */
export function malformed(what: string, cause?: unknown): FlotillaError {
  return new FlotillaError('ERR_WIRE_MALFORMED', `The bytes received are malformed: ${what}.`, cause === undefined ? undefined : { cause });
}
