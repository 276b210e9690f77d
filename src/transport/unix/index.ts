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
  announced: false, // only its user may open a socket
  beside: () => undefined,
  dial,
  listen,
} satisfies Network);
