/* Links over unix sockets; over named pipes on Windows. */
import type { Network } from '../contract.ts';
import { dial } from './dial.ts';
import { listen } from './listen.ts';

/** The sockets of this machine. */
export const unixNetwork: Network = Object.freeze({ dial, listen });
