// What two runtimes tell each other when a link opens: which session it belongs to, and what has been received.
import { FlotillaError } from '../base/index.ts';
import { decodeValue } from '../wire/index.ts';

/** The first frame on a link. */
export interface Open {
  readonly token: string;
  readonly received: number;
  readonly resume: boolean;
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Reads it. Throws ERR_WIRE_MALFORMED. */
export function readOpen(buffer: Buffer, start: number, end: number): Open {
  const open = decodeValue(buffer.subarray(start, end)) as Partial<Open> | null;
  const valid =
    open !== null &&
    typeof open === 'object' &&
    typeof open.token === 'string' &&
    typeof open.received === 'number' &&
    typeof open.name === 'string' &&
    Array.isArray(open.addresses);
  if (!valid) throw new FlotillaError('ERR_WIRE_MALFORMED', 'The other side opened the link with something else than it must.');
  return {
    token: open.token as string,
    received: open.received as number,
    resume: open.resume === true,
    name: open.name as string,
    addresses: (open.addresses as unknown[]).map(String).slice(0, 16),
  };
}
