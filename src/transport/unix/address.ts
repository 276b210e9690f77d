// Addresses of unix sockets, `unix:///PATH`: how they are read and printed, and what the system calls such a path.
import { type Address, noAddress } from '../address.ts';

const PREFIX = 'unix://';
/** The longest path of a socket that every system takes. */
const PATH_BYTES = 103;

/** Reads an address; it has no port. Throws ERR_LINK_ADDRESS. */
export function parse(text: string): Address {
  const path = text.trimStart().slice(PREFIX.length);
  if (path.startsWith('/') && Buffer.byteLength(path) <= PATH_BYTES) return { scheme: 'unix', host: path, port: 0 };
  const why = path.startsWith('/') ? `its path is longer than ${PATH_BYTES} bytes` : 'its path does not begin with /';
  throw noAddress(text, why, 'unix:///PATH, for example unix:///run/user/1000/app.sock');
}

/** Prints an address. */
export function print({ host }: Address): string {
  return PREFIX + host;
}

/** The path of a unix socket, or the name of a pipe on Windows. */
export function systemPath(path: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\flotilla${path.replaceAll('/', '-')}` : path;
}
