// The needs of discovery: a way for datagrams, and a key to sign with.

/** Opens ways for datagrams. */
export interface Datagrams {
  /** Opens the shared port, to hear others, and a port of its own, to be answered at. Rejects with ERR_DISCOVERY. */
  open(options: DatagramOptions, receive: (bytes: Buffer, from: DatagramPeer) => void): Promise<DatagramSocket>;
}

/** The other end of a datagram. */
export interface DatagramPeer {
  readonly host: string;
  readonly port: number;
  /** Whether it came to the shared port, which one of several processes may have been given. */
  readonly shared: boolean;
}

export interface DatagramOptions {
  /** The port that all runtimes of a network share. */
  readonly port: number;
  /** Groups to speak to instead of broadcasting. IPv6 always uses its group. */
  readonly multicast: false | { readonly group4: string; readonly group6: string; readonly hops: number };
  /** False opens only a port of its own, to ask and be answered at. True by default. */
  readonly listens?: boolean;
  /** Whether datagrams stay on this machine. */
  readonly loopback: boolean;
  readonly family: 4 | 6 | undefined;
}

export interface DatagramSocket {
  /** Sends to all that listen nearby; with `here`, only to those on this machine. */
  shout(bytes: Buffer, here?: boolean): void;
  send(bytes: Buffer, host: string, port: number): void;
  close(): Promise<void>;
}

/** Signs announcements, and finds the key of those that come in. */
export interface Signer {
  /** The keys that are valid, the one to sign with first. */
  readonly ids: readonly string[];
  sign(id: string, bytes: Uint8Array): Buffer;
  /** Whether the signature is of the key with this id. */
  verify(id: string, bytes: Uint8Array, signature: Uint8Array): boolean;
}
