/* Links over unix sockets; over named pipes on Windows. */
import type { Network } from '../contract.ts';
import { parse, print } from './address.ts';
import { dial } from './dial.ts';
import { listen } from './listen.ts';

/** The sockets of this machine. */
export const unixNetwork: Network = Object.freeze({
  parse,
  print,
  local: () => ({ perMachine: true, stays: true }),
  announced: false, // few of those that hear may dial: a socket opens to its own user only
  beside: () => undefined,
  dial,
  listen,
} satisfies Network);
