// What workers print, as the client's user sees it: each line marked with its worker.
import type { OutputLine } from './crew-client.ts';

/** Writes a worker's line to the same stream of this process, marked; the mark is dim on a terminal. */
export function printLine({ worker, stream, text }: OutputLine): void {
  const to = stream === 'stdout' ? process.stdout : process.stderr;
  const mark = to.isTTY && !process.env['NO_COLOR'] ? `\u001b[2m[${worker}]\u001b[0m` : `[${worker}]`;
  to.write(`${mark} ${text}\n`);
}
