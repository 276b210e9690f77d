// Addresses of tcp, `tcp://HOST:PORT/NAME`: how they are read, and where a host leads.
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Address, noAddress, readHostPort } from '../address.ts';
import type { Locality } from '../contract.ts';

const SCHEME = 'tcp';
/** An IPv6 address without brackets, which can have no port. */
const BARE = /^(?:tcp:\/\/)?([\da-fA-F:.]+(?:%\w+)?)$/;

/** The port that runtimes listen at unless told otherwise. */
export const DEFAULT_PORT = 9705;

/** Reads an address; `HOST` and `HOST:PORT` will do, and an IPv6 address needs brackets only where a port follows. Throws ERR_LINK_ADDRESS. */
export function parse(text: string, port?: number): Address {
  const [, host = ''] = BARE.exec(text.trim()) ?? [];
  if (!isIPv6(host)) return readHostPort(SCHEME, text, port, 'tcp://10.0.0.2:9705');
  if (port !== undefined) return { scheme: SCHEME, host, port };
  throw noAddress(text, 'it has no port', `tcp://[${host}]:PORT`);
}

/** Tells loopback addresses from others: every machine has the same, and only bytes sent to them stay. */
export function local({ host }: Address): Locality {
  const loopback = isLoopback(host);
  return { perMachine: loopback, stays: loopback };
}

/** The addresses by which others reach what listens at one: of a wildcard, those of this machine's interfaces. */
export function reachable(bound: Address): readonly Address[] {
  return reachableHosts(bound.host).map((host) => ({ ...bound, host }));
}

function reachableHosts(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const all = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outside = all.filter((a) => !a.internal && (a.family === 'IPv4' || (host === '::' && !a.address.startsWith('fe80'))));
  return outside.length > 0 ? outside.map((a) => a.address) : ['127.0.0.1'];
}

/** Whether a host name or address never leaves this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host) || /^::ffff:127\./.test(host);
}

/** Whether bytes sent to a host name or address stay on this machine. */
export function isThisMachine(host: string): boolean {
  if (isLoopback(host)) return true;
  return Object.values(networkInterfaces()).some((found) => found?.some((a) => a.address === host));
}
