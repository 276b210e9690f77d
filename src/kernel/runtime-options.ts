// The options of a runtime: their table, and the places, datagrams and secrets that they mean.
import { isIP, isIPv4, isIPv6 } from 'node:net';
import {
  defineOptions,
  either,
  FlotillaError,
  fields,
  flag,
  type Kind,
  type Log,
  type LogLevel,
  label,
  listOf,
  number,
  oneOf,
  text,
  whole,
} from '../base/index.ts';
import type { DatagramOptions } from '../discovery/index.ts';
import { type Address, DEFAULT_PORT, type Locality, type Networks, networkOf, parseAddress, type Role } from '../transport/index.ts';

const GROUP4 = '239.255.97.5';
const GROUP6 = 'ff05::f107:111a';

/** Options of {@link Runtime.start}. pycos's spelling, where it differs, in brackets. */
export interface RuntimeOptions {
  /** The name that peers see and `locatePeer` finds; it should be unique. By default the first address, else made from the id. */
  readonly name?: string;
  /**
   * Addresses to be dialled at: `tcp://HOST:PORT`, `unix:///PATH`; port 0 takes any, no port takes 9705 or, if that is used, any.
   * None by default: a runtime that only dials needs none; with `discover`, all of the machine. (`node`, `host`, `tcp_port`)
   */
  readonly listen?: string | readonly string[];
  /** The addresses told to others instead of those listened at, in the same order: `HOST` or `HOST:PORT`. (`ext_ip_addr`, `ext_host`) */
  readonly advertise?: string | readonly string[];
  /** Announces this runtime nearby, answers others, and opens sessions with those it hears. False by default: silent and deaf. (`discover_peers`) */
  readonly discover?: boolean;
  /** The port of announcements, the same for all; 9705 by default. (`udp_port`) */
  readonly udpPort?: number;
  /** Announces by multicast instead of IPv4 broadcast, the same for all; `true` for the usual groups and one hop. IPv6 always does. (`ipv4_udp_multicast`) */
  readonly multicast?: boolean | { readonly group4?: string; readonly group6?: string; readonly hops?: number };
  /** Only addresses of this family; both by default. (`socket_family`) */
  readonly family?: 4 | 6;
  /** Addresses of runtimes to be connected with for as long as this one lives: dialled again whenever the session is lost. */
  readonly seeds?: readonly string[];
  /** Takes no new peers and answers no announcements; can be changed while it runs. (`ignore_peers`) */
  readonly ignorePeers?: boolean;
  /** The secret shared by all runtimes that may connect, or the current one and the one before; by default that of `~/.flotilla/secret`. */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** A certificate in PEM, copied to every machine, with its key in the same file or in `keyfile`: encrypts instead of the secret, or, if `secret` is given too, both are required. */
  readonly certfile?: string;
  readonly keyfile?: string;
  /** The folder for received files; `~/.flotilla/files/NAME` by default. (`dest_path`) */
  readonly filesDir?: string;
  /** The most bytes of a received file; no limit by default. (`max_file_size`) */
  readonly maxFileSize?: number;
  /** Milliseconds between signs of life, 500 to 100000; 2000 by default. A peer silent for five is lost. */
  readonly pulse?: number;
  /** Milliseconds that an answer of a peer, or a connection to it, is waited for where a call does not say; 10000 by default. (`MsgTimeout`) */
  readonly answerTimeout?: number;
  /** `auto` encrypts all that leaves the machine; `always`, everything but unix sockets. */
  readonly encrypt?: 'auto' | 'always';
  /** The log to which reports go; by default stderr, from `logLevel` up. */
  readonly log?: Log;
  /** The level of the log: `info` by default, or FLOTILLA_LOG. At `info`, a runtime that others can find says where it listens. */
  readonly logLevel?: LogLevel;
  /** The role that this runtime has for others. @internal */
  readonly role?: Role;
}

/** Options with which a runtime can be dialled. */
export type Listens = { readonly listen: string | readonly [string, ...string[]] } | { readonly discover: true };

/** A runtime that can be dialled. */
export interface Listening {
  /** The first of its locations. */
  readonly location: string;
}

const LEAST_PULSE_MS = 500;
const MOST_PULSE_MS = 100_000;
const MOST_TIMEOUT_MS = 0x7fff_ffff;
const MOST_PORT = 65_535;
const MOST_HOPS = 255;

const bytes: Kind<Uint8Array> = (value) => (value instanceof Uint8Array && value.length > 0 ? undefined : 'bytes');
const group4: Kind<string> = (value) =>
  isIPv4(String(value)) && /^2(2[4-9]|3\d)\./.test(String(value)) ? undefined : 'an IPv4 multicast address';
const group6: Kind<string> = (value) => (isIPv6(String(value)) && /^ff/i.test(String(value)) ? undefined : 'an IPv6 multicast address');
const log: Kind<Log> = (value) =>
  ['debug', 'info', 'warn', 'error'].every((name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function')
    ? undefined
    : 'an object with the functions debug, info, warn and error';
const secret: Kind<string | Uint8Array> = (value) => (either(text, bytes)(value) === undefined ? undefined : 'a text or bytes, not empty');
const secrets: Kind<string | Uint8Array | readonly (string | Uint8Array)[]> = (value) =>
  Array.isArray(value) && value.length > 0 ? listOf(secret)(value) : secret(value);

const RUNTIME = defineOptions<RuntimeOptions>('Runtime.start', {
  name: { is: label },
  listen: { is: either(text, listOf(text)), also: ['node', 'host', 'tcp_port'] },
  advertise: { is: either(text, listOf(text)), also: ['ext_ip_addr', 'ext_host'] },
  discover: { is: flag, also: ['discover_peers'] },
  udpPort: { is: whole(1, MOST_PORT), also: ['udp_port'] },
  multicast: { is: either(flag, fields({ group4, group6, hops: whole(1, MOST_HOPS) })), also: ['ipv4_udp_multicast'] },
  family: { is: oneOf(4, 6), also: ['socket_family'] },
  seeds: { is: listOf(text) },
  ignorePeers: { is: flag, also: ['ignore_peers'] },
  secret: { is: secrets },
  certfile: { is: text },
  keyfile: { is: text },
  filesDir: { is: text, also: ['dest_path', 'dest_path_prefix'] },
  maxFileSize: { is: number(0), also: ['max_file_size'] },
  pulse: { is: number(LEAST_PULSE_MS, MOST_PULSE_MS) },
  answerTimeout: { is: number(1, MOST_TIMEOUT_MS), also: ['MsgTimeout'] },
  encrypt: { is: oneOf('auto', 'always') },
  log: { is: log },
  logLevel: { is: oneOf('debug', 'info', 'warn', 'error', 'silent') },
  role: { is: oneOf('runtime', 'client', 'scheduler', 'host', 'worker'), internal: true },
});

/** Throws ERR_OPTION_UNKNOWN, ERR_OPTION_INVALID or ERR_LINK_ADDRESS. */
export function checkRuntimeOptions(options: RuntimeOptions, networks: Networks): void {
  RUNTIME.check(options);
  for (const seed of options.seeds ?? []) parseAddress(networks, seed, DEFAULT_PORT);
  const places = placesOf(options, networks).length;
  const advertised = [options.advertise ?? []].flat();
  for (const one of advertised) parseAddress(networks, one, DEFAULT_PORT);
  if (advertised.length > places) {
    const why = `it has ${advertised.length} of them, and ${places} ${places === 1 ? 'address is' : 'addresses are'} listened at`;
    throw new FlotillaError(
      'ERR_OPTION_INVALID',
      `Runtime.start: 'advertise' is told instead of each address of 'listen', in their order; ${why}.`,
    );
  }
  if (options.keyfile !== undefined && options.certfile === undefined) {
    throw new FlotillaError('ERR_OPTION_INVALID', "Runtime.start: 'keyfile' needs 'certfile'.");
  }
}

/** A place to listen at. With `orAny`, another port is taken if that one is used. */
export interface ListenPlace {
  readonly address: Address;
  readonly orAny: boolean;
  readonly local: Locality;
  readonly advertise: string | undefined;
}

/** The places to listen at. Throws ERR_LINK_ADDRESS, or ERR_OPTION_INVALID for an address of the other family. */
export function placesOf(options: RuntimeOptions, networks: Networks): readonly ListenPlace[] {
  const everywhere = options.discover ? Object.values(networks).flatMap((network) => network.everywhere?.(options.family) ?? []) : [];
  const texts = [options.listen ?? everywhere].flat();
  const advertise = [options.advertise ?? []].flat();
  return texts.map((text, i) => {
    const unspecified = -1;
    const address = parseAddress(networks, text, unspecified);
    const network = networkOf(networks, address);
    const ip = isIP(address.host);
    if (ip !== 0 && options.family !== undefined && ip !== options.family)
      throw new FlotillaError('ERR_OPTION_INVALID', `Runtime.start: 'family' is ${options.family}, and '${text}' is an IPv${ip} address.`);
    const orAny = address.port === unspecified;
    const place = orAny ? { ...address, port: network.defaultPort ?? 0 } : address;
    return { address: place, orAny, local: network.local(place), advertise: advertise[i] };
  });
}

/** The datagrams by which runtimes nearby are looked for; undefined if they are not. */
export function datagramsOf(options: RuntimeOptions, places: readonly ListenPlace[]): DatagramOptions | undefined {
  if (!options.discover) return undefined;
  const { multicast, family, udpPort = DEFAULT_PORT } = options;
  const chosen = typeof multicast === 'object' ? multicast : {};
  const groups = { group4: chosen.group4 ?? GROUP4, group6: chosen.group6 ?? GROUP6, hops: chosen.hops ?? 1 };
  const loopback = places.length > 0 && places.every(({ local }) => local.perMachine);
  return { port: udpPort, multicast: multicast || family === 6 ? groups : false, loopback, family };
}

/** Whether others may reach this runtime without having been told of it. Such a runtime says in the log where it listens. */
export function isOpen(options: RuntimeOptions, places: readonly ListenPlace[]): boolean {
  return options.discover === true || places.some(({ local }) => !local.stays);
}

/** The valid secrets that were given. */
export function secretsOf(options: RuntimeOptions): readonly Uint8Array[] | undefined {
  if (options.secret === undefined) return undefined;
  return (typeof options.secret === 'string' || options.secret instanceof Uint8Array ? [options.secret] : options.secret).map((secret) =>
    typeof secret === 'string' ? Buffer.from(secret) : secret,
  );
}

const WEAK_BYTES = 12;

/** The reason why a secret is easily guessed; undefined if it is not. */
export function weakness(secret: Uint8Array): string | undefined {
  if (secret.length < WEAK_BYTES) return `it has ${secret.length} bytes`;
  return new Set(secret).size < WEAK_BYTES / 2 ? 'it repeats a few characters' : undefined;
}
