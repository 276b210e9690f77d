// What a network offers: addresses of its own, connections that carry bytes in order, and places to be dialled at.
//
// A connection belongs to the caller of dial(), or to the callback of the listener, which closes it.
import type { Address } from './address.ts';
import type { Doorkeeper, Guest } from './door.ts';

/** Hears what happens on a connection. `closed` is called exactly once, last. */
export interface ConnHandler {
  /** Takes bytes. If the handler has a `place`, they are valid during the call only: the connection reads the next ones over them. */
  data(chunk: Buffer): void;
  /** Gives the memory where the next bytes belong, if that is known: a connection that is able to reads them there, without a copy. */
  place?(): Buffer | undefined;
  /** Hears that so many bytes now lie at the place that was given last. */
  placed?(bytes: number): void;
  drain(): void;
  closed(error: Error | undefined): void;
}

/** An open connection: bytes in order, both ways. */
export interface Conn {
  /** The other end, for people. */
  readonly remote: string;
  /** Whether it is plain though the same address could be dialled encrypted: then the handshake makes sure that nobody stands between its ends. */
  readonly exposed: boolean;
  /** Whether the bytes never leave this machine. */
  readonly local: boolean;
  /** Bytes that both ends of one connection compute alike, and that differ at the ends of two connections which somebody joins: a proof that covers them cannot be passed on. */
  binding(side: 'dialer' | 'listener'): string | Uint8Array;
  /** Begins to deliver to a handler, or goes on with another one. Bytes that arrive before the first start wait. */
  start(handler: ConnHandler): void;
  /** Takes bytes, which must not change until they are written. Returns false if the caller should wait for `drain`. */
  write(bytes: Uint8Array): boolean;
  /** Sends all that `writes` writes as one, where that is cheaper. */
  together?(writes: () => void): void;
  /** Closes after what was written. */
  end(): void;
  /** Closes now. */
  destroy(): void;
}

/** The key for an encrypted connection, and the name by which the other side finds it. */
export interface PreSharedKey {
  readonly identity: string;
  readonly key: Uint8Array;
}

/** A certificate and its key, and the authority that the certificate of the other side is checked against; all in PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

export interface DialOptions {
  readonly timeoutMs: number;
  readonly psk: PreSharedKey;
  /** `auto` encrypts unless the bytes stay on this machine. */
  readonly encrypt: 'auto' | 'always';
  readonly signal?: AbortSignal;
  /** Encrypts with certificates on both sides instead of the pre-shared key. */
  readonly certificate?: Certificate | undefined;
}

export interface ListenOptions {
  /** A stranger stands in this door until it has proved itself. A network that lets it in on its own hands the guest over with the connection. */
  readonly door: Doorkeeper;
  readonly certificate?: Certificate | undefined;
  /** Finds the key for an identity; undefined refuses the connection. */
  readonly findKey: (identity: string) => Uint8Array | undefined;
  /** Hears of each connection that failed before it could be used. */
  readonly onFailure: (remote: string, error: Error) => void;
}

/** A place where a runtime can be dialled. */
export interface ListeningPlace {
  readonly address: Address;
  close(): Promise<void>;
}

/** What an address alone says of where it leads. */
export interface Locality {
  /** It means another place on every machine, as a loopback address does: what answers or refuses there says nothing of a peer elsewhere. */
  readonly perMachine: boolean;
  /** No byte to or from it leaves the machine. */
  readonly stays: boolean;
}

/** One way to reach other runtimes: it reads and prints the addresses of its scheme, dials them and listens at them. */
export interface Network {
  /** Reads an address. `port` stands in for one that is absent; a network whose ports are not a runtime's own has its own. Throws ERR_LINK_ADDRESS. */
  parse(text: string, port?: number): Address;
  /** The address as text that parses back to it. */
  print(address: Address): string;
  local(address: Address): Locality;
  /** Whether runtimes nearby are told its addresses by datagram: not, where few of those that hear may dial. */
  readonly announced: boolean;
  /** Where a runtime listens whose address says no port, if nobody else does; absent: at any that is free. */
  readonly defaultPort?: number;
  /** A place of the same kind, any that is free; undefined if an address means one place only. */
  beside(address: Address): Address | undefined;
  /** Where a runtime listens that others are to find and that names no place; absent: not in this network. */
  everywhere?(family: 4 | 6 | undefined): string;
  /** The addresses by which others reach what listens at one; itself, if absent. */
  reachable?(bound: Address): readonly Address[];
  /** The machine whose runtimes are all meant by an address without a port, and asked by datagram; undefined, or absent, if it is one runtime's. */
  machine?(address: Address): string | undefined;
  dial(address: Address, options: DialOptions): Promise<Conn>;
  listen(address: Address, accept: (conn: Conn, guest?: Guest) => void, options: ListenOptions): Promise<ListeningPlace>;
}
