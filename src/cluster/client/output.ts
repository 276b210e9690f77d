// Prints the lines of workers for the client's user, each marked with its worker.
import { paint } from '../../base/index.ts';
import type { OutputLine } from '../events.ts';

/** Writes a worker's line to the same stream of this process, marked; the mark is dim on a terminal. */
export function printLine({ worker, stream, text }: OutputLine): void {
  const to = stream === 'stdout' ? process.stdout : process.stderr;
  to.write(`${paint(to, 'dim', `[${worker}]`)} ${text}\n`);
}
