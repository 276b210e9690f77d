// An address: where a runtime can be reached, as data. Networks that write theirs as `SCHEME://HOST:PORT/NAME` read and print them here.
import { FlotillaError } from '../base/index.ts';

/** Where a runtime can be reached. The network of the scheme says what the other parts mean. */
export interface Address {
  /** The network it belongs to. */
  readonly scheme: string;
  /** A machine or a server; the path of a unix socket. */
  readonly host: string;
  /** 0 to listen at any that is free, or where addresses have no port. */
  readonly port: number;
  /** Tells apart the runtimes behind one port, as the workers of a host. */
  readonly name?: string;
}

const MOST_PORT = 65_535;
const PARTS = /^(\[[0-9a-fA-F:.%\w]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?(?:\/([\w.-]+))?$/;

/** Reads `HOST:PORT/NAME`, with or without the scheme; `port` stands in for one that is absent. Throws ERR_LINK_ADDRESS, whose text shows `example`. */
export function readHostPort(scheme: string, text: string, port: number | undefined, example: string): Address {
  const parts = text.trim();
  const match = PARTS.exec(parts.startsWith(`${scheme}://`) ? parts.slice(scheme.length + 3) : parts);
  const at = match?.[2] === undefined ? port : Number(match[2]);
  if (!match || at === undefined || at > MOST_PORT) {
    const why = match && at === undefined ? 'it has no port' : match ? `its port is above ${MOST_PORT}` : 'it is not HOST:PORT';
    throw noAddress(text, why, `${scheme}://HOST:PORT, for example ${example}`);
  }
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { scheme, host, port: at, ...(match[3] === undefined ? {} : { name: match[3] }) };
}

/** Prints what {@link readHostPort} reads. */
export function printHostPort({ scheme, host, port, name }: Address): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${name === undefined ? '' : `/${name}`}`;
}

/** The error for a text that cannot be read: why, and what to write instead. */
export function noAddress(text: string, why: string, write: string): FlotillaError {
  return new FlotillaError('ERR_LINK_ADDRESS', `'${text}' is no address: ${why}. Write ${write}.`);
}
