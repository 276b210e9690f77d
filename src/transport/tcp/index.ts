/* Links over tcp, plain and TLS. */
import type { Network } from '../contract.ts';
import { dial } from './dial.ts';
import { listen } from './listen.ts';

/** The network of this machine. */
export const tcpNetwork: Network = Object.freeze({ dial, listen });
