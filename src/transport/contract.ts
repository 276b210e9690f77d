// What a network offers: addresses of its own, connections that carry bytes in order, and places to be dialled at.
//
// A connection is owned by whoever holds it after dial() or the listener's callback; closing it is theirs to do.
import type { Address } from './address.ts';
import type { Doorkeeper, Guest } from './door.ts';

/** Hears what happens on a connection. `closed` is called exactly once, last. */
export interface ConnHandler {
  /** Takes bytes. They may change after the call if the handler has a `place`. */
  data(chunk: Buffer): void;
  /** Where the next bytes belong, if that is known: a connection that can reads them there. */
  place?(): Buffer | undefined;
  /** So many bytes now lie at the place that was given last. */
  placed?(bytes: number): void;
  drain(): void;
  closed(error: Error | undefined): void;
}

/** An open connection: bytes in order, both ways. */
export interface Conn {
  /** The other end, for people. */
  readonly remote: string;
  /** Plain, but it can be made encrypted by dialling again: nobody may stand between its ends. */
  readonly exposed: boolean;
  /** Whether the bytes never leave this machine. */
  readonly local: boolean;
  /** What both ends of this connection know of it alike, and those of two connections that somebody joins do not. */
  binding(side: 'dialer' | 'listener'): string | Uint8Array;
  /** Begins to deliver, and again to another handler. What arrived before waits. */
  start(handler: ConnHandler): void;
  /** Takes bytes; they must not change until written. False: wait for drain. */
  write(bytes: Uint8Array): boolean;
  /** Gathers what is written in `writes`, to be sent as one where that is cheaper. */
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

/** A certificate and its key, and what the other side's is checked against. PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

export interface DialOptions {
  readonly timeoutMs: number;
  readonly psk: PreSharedKey;
  /** `auto`: everywhere but on this machine. */
  readonly encrypt: 'auto' | 'always';
  readonly signal?: AbortSignal;
  /** Encrypts with certificates on both sides instead of the pre-shared key. */
  readonly certificate?: Certificate | undefined;
}

export interface ListenOptions {
  /** Where whoever comes stands until it has proved itself. A network that lets somebody in hands the guest over with the connection. */
  readonly door: Doorkeeper;
  readonly certificate?: Certificate | undefined;
  /** The key for an identity; undefined refuses. */
  readonly findKey: (identity: string) => Uint8Array | undefined;
  /** Told of each connection that failed before it could be used. */
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
