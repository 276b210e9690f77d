// tcp://HOST:PORT/NAME, mem://HOST:PORT/NAME and unix:///PATH: parse, print, compare.
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FlotillaError } from '../base/index.ts';

const UNIX = 'unix://';
/** The longest path of a socket that every system takes. */
const PATH_BYTES = 103;

/** Where a runtime can be reached. `name` is the worker behind a host's port; of a unix socket, `host` is the path. */
export interface Address {
  readonly scheme: 'tcp' | 'mem' | 'unix';
  readonly host: string;
  readonly port: number;
  readonly name?: string;
}

/**
 * The address that a text stands for; `HOST` and `HOST:PORT` are tcp. An IPv6 address needs brackets only where a port follows.
 *
 * Throws ERR_LINK_ADDRESS.
 *
 * @example
 * ```ts
 * console.log(parseAddress('tcp://[::1]:9706/1').host); // => ::1
 * console.log(formatAddress(parseAddress('10.0.0.2', 9705))); // => tcp://10.0.0.2:9705
 * ```
 */
export function parseAddress(text: string, defaultPort?: number): Address {
  if (text.startsWith(UNIX)) return unixAddress(text);
  const [, whole = ''] = /^(?:tcp:\/\/)?([\da-fA-F:.]+(?:%\w+)?)$/.exec(text.trim()) ?? [];
  if (isIPv6(whole)) return ipv6Address(text, whole, defaultPort);
  const match = /^(?:(tcp|mem):\/\/)?(\[[0-9a-fA-F:.%\w]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?(?:\/([\w.-]+))?$/.exec(text.trim());
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (!match || port === undefined || port > 65_535) {
    const why = match && port === undefined ? 'it has no port' : match ? 'its port is above 65535' : 'it is not HOST:PORT';
    throw new FlotillaError('ERR_LINK_ADDRESS', `'${text}' is no address: ${why}. Write tcp://HOST:PORT, for example tcp://10.0.0.2:9705.`);
  }
  const host = (match[2] as string).replace(/^\[|\]$/g, '');
  return { scheme: match[1] === 'mem' ? 'mem' : 'tcp', host, port, ...(match[4] === undefined ? {} : { name: match[4] }) };
}

function ipv6Address(text: string, host: string, port: number | undefined): Address {
  if (port !== undefined) return { scheme: 'tcp', host, port };
  throw new FlotillaError('ERR_LINK_ADDRESS', `'${text}' is no address: it has no port. Write tcp://[${host}]:PORT.`);
}

function unixAddress(text: string): Address {
  const path = text.slice(UNIX.length);
  if (!path.startsWith('/') || Buffer.byteLength(path) > PATH_BYTES) {
    const why = path.startsWith('/') ? `its path is longer than ${PATH_BYTES} bytes` : 'its path does not begin with /';
    throw new FlotillaError(
      'ERR_LINK_ADDRESS',
      `'${text}' is no address: ${why}. Write unix:///PATH, for example unix:///run/user/1000/app.sock.`,
    );
  }
  return { scheme: 'unix', host: path, port: 0 };
}

/** The address as text that parses back to it. */
export function formatAddress(address: Address): string {
  if (address.scheme === 'unix') return UNIX + address.host;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.scheme}://${host}:${address.port}${address.name === undefined ? '' : `/${address.name}`}`;
}

/** Whether a host name or address never leaves this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host) || /^::ffff:127\./.test(host);
}

/** The addresses by which others reach what listens at a host: of a wildcard, those of this machine's interfaces. */
export function reachableHosts(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const all = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outside = all.filter((a) => !a.internal && (a.family === 'IPv4' || (host === '::' && !a.address.startsWith('fe80'))));
  return outside.length > 0 ? outside.map((a) => a.address) : ['127.0.0.1'];
}

/** The addresses that others are told of a place listened at; `advertise` is HOST or HOST:PORT to be told instead. */
export function reachableAt(bound: Address, advertise: string | undefined): readonly string[] {
  if (advertise !== undefined) return [formatAddress(parseAddress(advertise, bound.port))];
  const hosts = bound.scheme === 'tcp' ? reachableHosts(bound.host) : [bound.host];
  return hosts.map((host) => formatAddress({ ...bound, host }));
}

/** Whether bytes sent to a host name or address stay on this machine. */
export function isThisMachine(host: string): boolean {
  if (isLoopback(host)) return true;
  return Object.values(networkInterfaces()).some((found) => found?.some((a) => a.address === host));
}
