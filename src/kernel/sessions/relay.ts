// Connections through a runtime that has a session with both ends. The relay moves opaque bytes: the handshake, the
// session and its order are end to end.
//
//   RL1. A relay passes bytes on only between peers that both have an open session with it.
//   RL2. An end sends at most WINDOW bytes that the other has not taken.
//   RL3. Between two neighbours a channel has a number n: its opener sends to 2n, the other to 2n + 1.
import type { Clock, RuntimeId } from '../../base/index.ts';
import type { Conn } from '../../transport/index.ts';
import { ByteWriter, KIND, LENGTH_BYTES, readVarint } from '../../wire/index.ts';
import type { Range } from '../post/range.ts';
import { RelayConn } from './relay-conn.ts';

const OP = { OPEN: 1, DATA: 2, CLOSE: 3, CREDIT: 4 } as const;
const MOST_CHANNELS = 10_000;
const ID_BYTES = 16;

type End =
  | { readonly kind: 'conn'; readonly conn: RelayConn }
  | { readonly kind: 'forward'; readonly peer: RuntimeId; readonly to: number };

/** What a relay stands between. */
export interface RelayOptions {
  readonly id: RuntimeId;
  readonly clock: Clock;
  readonly push: (peer: RuntimeId, range: Range) => void;
  readonly isOpen: (peer: RuntimeId) => boolean;
  /** Takes a connection that another runtime opened through a relay. */
  readonly accept: (conn: Conn) => void;
}

/** The channels that end at, or pass through, one runtime. */
export class Relay {
  readonly #id: RuntimeId;
  readonly #clock: Clock;
  readonly #push: RelayOptions['push'];
  readonly #isOpen: RelayOptions['isOpen'];
  readonly #accept: RelayOptions['accept'];
  readonly #ends = new Map<RuntimeId, Map<number, End>>();
  #next = 1;
  #count = 0;

  constructor({ id, clock, push, isOpen, accept }: RelayOptions) {
    this.#id = id;
    this.#clock = clock;
    this.#push = push;
    this.#isOpen = isOpen;
    this.#accept = accept;
  }

  /** Makes a connection to `target` through `via`. The handshake over it will tell whether it leads anywhere. */
  dial(via: RuntimeId, target: RuntimeId): Conn {
    const to = this.#next++ * 2; // RL3
    const conn = this.#conn(via, to, target);
    this.#set(via, other(to), { kind: 'conn', conn });
    this.#send(via, to, OP.OPEN, Buffer.from(target, 'hex'));
    return conn;
  }

  /** Takes a relay frame from a peer. */
  frame(from: RuntimeId, channel: number, payload: Buffer): void {
    const op = payload[0];
    const body = payload.subarray(1);
    if (op === OP.OPEN) return this.#opened(from, channel, body);
    const end = this.#ends.get(from)?.get(channel);
    if (!end) {
      if (op !== OP.CLOSE) this.#send(from, other(channel), OP.CLOSE);
    } else if (end.kind === 'forward') {
      this.#send(end.peer, end.to, op as number, body);
      if (op !== OP.CLOSE) return;
      this.#drop(from, channel);
      this.#drop(end.peer, other(end.to));
    } else if (op === OP.DATA) end.conn.take(Buffer.from(body));
    else if (op === OP.CREDIT) end.conn.credit(readVarint(body, 0, body.length).value);
    else if (op === OP.CLOSE) end.conn.closedByPeer();
  }

  /** Closes every channel that went to a peer that is gone. */
  lost(peer: RuntimeId): void {
    const ends = this.#ends.get(peer);
    this.#ends.delete(peer);
    this.#count -= ends?.size ?? 0;
    for (const end of ends?.values() ?? []) {
      if (end.kind === 'conn') end.conn.closedByPeer();
      else {
        this.#send(end.peer, end.to, OP.CLOSE);
        this.#drop(end.peer, other(end.to));
      }
    }
  }

  close(): void {
    for (const peer of [...this.#ends.keys()]) this.lost(peer);
  }

  #opened(from: RuntimeId, channel: number, body: Buffer): void {
    const target = body.toString('hex', 0, ID_BYTES) as RuntimeId;
    const back = other(channel);
    if (this.#count >= MOST_CHANNELS) return this.#send(from, back, OP.CLOSE);
    if (target === this.#id) {
      const conn = this.#conn(from, back, from);
      this.#set(from, channel, { kind: 'conn', conn });
      return this.#accept(conn);
    }
    if (!this.#isOpen(target)) return this.#send(from, back, OP.CLOSE); // RL1
    const onward = this.#next++ * 2;
    this.#set(from, channel, { kind: 'forward', peer: target, to: onward });
    this.#set(target, other(onward), { kind: 'forward', peer: from, to: back });
    this.#send(target, onward, OP.OPEN, body);
  }

  #conn(peer: RuntimeId, to: number, shown: RuntimeId): RelayConn {
    return new RelayConn(`relay:${shown.slice(0, 8)}`, this.#clock, {
      send: (bytes) => this.#send(peer, to, OP.DATA, bytes),
      credit: (bytes) => {
        const writer = new ByteWriter(Buffer.allocUnsafe(16));
        writer.varint(bytes);
        this.#send(peer, to, OP.CREDIT, writer.buffer.subarray(0, writer.position));
      },
      close: (tell) => {
        if (tell) this.#send(peer, to, OP.CLOSE);
        this.#drop(peer, other(to));
      },
    });
  }

  #set(peer: RuntimeId, channel: number, end: End): void {
    let ends = this.#ends.get(peer);
    if (!ends) {
      ends = new Map();
      this.#ends.set(peer, ends);
    }
    ends.set(channel, end);
    this.#count++;
  }

  #drop(peer: RuntimeId, channel: number): void {
    const ends = this.#ends.get(peer);
    if (ends?.delete(channel)) this.#count--;
    if (ends?.size === 0) this.#ends.delete(peer);
  }

  #send(peer: RuntimeId, channel: number, op: number, body: Uint8Array = new Uint8Array(0)): void {
    const writer = new ByteWriter(Buffer.allocUnsafe(32 + body.length));
    writer.position = LENGTH_BYTES;
    writer.byte(KIND.RELAY);
    writer.varint(channel);
    writer.byte(op);
    writer.raw(body);
    writer.buffer.writeUInt32BE(writer.position - LENGTH_BYTES, 0);
    this.#push(peer, { buffer: writer.buffer, start: 0, end: writer.position, frames: 1, release: undefined });
  }
}

function other(channel: number): number {
  return channel % 2 === 0 ? channel + 1 : channel - 1;
}
