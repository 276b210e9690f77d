// The networks that a runtime has, by scheme: finds the one that an address belongs to.
import { type Address, noAddress } from './address.ts';
import type { Network } from './contract.ts';

/** Networks by the scheme of their addresses. A text without a scheme is an address of the first. */
export interface Networks {
  readonly [scheme: string]: Network;
}

const SCHEME = /^\s*([a-z][a-z\d+.-]*):\/\//;

/**
 * The address that a text stands for; `port` stands in for one that is absent. Throws ERR_LINK_ADDRESS.
 *
 * @example
 * ```ts
 * const networks = { tcp: tcpNetwork, unix: unixNetwork };
 * console.log(parseAddress(networks, 'tcp://[::1]:9706/1').host); // => ::1
 * console.log(formatAddress(networks, parseAddress(networks, '10.0.0.2', 9705))); // => tcp://10.0.0.2:9705
 * ```
 */
export function parseAddress(networks: Networks, text: string, port?: number): Address {
  const scheme = SCHEME.exec(text)?.[1] ?? defaultScheme(networks);
  return networkNamed(networks, scheme, text).parse(text, port);
}

/** The address as text that parses back to it. */
export function formatAddress(networks: Networks, address: Address): string {
  return networkOf(networks, address).print(address);
}

/** A text completed with the scheme and the port that it lacks. Throws ERR_LINK_ADDRESS. */
export function wholeAddress(networks: Networks, text: string, port: number): string {
  return formatAddress(networks, parseAddress(networks, text, port));
}

/** An address without the scheme, where it may be left out. */
export function shortAddress(networks: Networks, text: string): string {
  const scheme = `${defaultScheme(networks)}://`;
  return text.startsWith(scheme) ? text.slice(scheme.length) : text;
}

/** The network that an address belongs to. Throws ERR_LINK_ADDRESS if it is not here. */
export function networkOf(networks: Networks, address: Address): Network {
  return networkNamed(networks, address.scheme, `${address.scheme}://${address.host}`);
}

/** The addresses that others are told of a place listened at; `advertise` is an address, or its host alone, to be told instead. */
export function reachableAt(networks: Networks, bound: Address, advertise: string | undefined): readonly string[] {
  if (advertise !== undefined) return [wholeAddress(networks, advertise, bound.port)];
  const network = networkOf(networks, bound);
  return (network.reachable?.(bound) ?? [bound]).map((address) => network.print(address));
}

function networkNamed(networks: Networks, scheme: string, text: string): Network {
  const network = Object.hasOwn(networks, scheme) ? networks[scheme] : undefined;
  if (network) return network;
  const schemes = Object.keys(networks).map((name) => `${name}://`);
  throw noAddress(text, `there is no network '${scheme}' here`, `one that begins with ${schemes.join(' or ')}`);
}

function defaultScheme(networks: Networks): string {
  return Object.keys(networks)[0] ?? '';
}
