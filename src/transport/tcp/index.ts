/* Links over tcp, plain and TLS. */
import { printHostPort } from '../address.ts';
import type { Network } from '../contract.ts';
import { DEFAULT_PORT, local, parse, reachable } from './address.ts';
import { dial } from './dial.ts';
import { listen } from './listen.ts';

export { DEFAULT_PORT, isLoopback, isThisMachine } from './address.ts';

/** The network of this machine. */
export const tcpNetwork: Network = Object.freeze({
  parse,
  print: printHostPort,
  local,
  announced: true,
  defaultPort: DEFAULT_PORT,
  beside: (address) => ({ ...address, port: 0 }),
  everywhere: (family) => (family === 6 ? 'tcp://[::]' : 'tcp://0.0.0.0'),
  reachable,
  machine: ({ host, port }) => (port === 0 ? host : undefined),
  dial,
  listen,
} satisfies Network);
