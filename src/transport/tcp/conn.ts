// A connection over a socket, plain or TLS.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Conn, ConnHandler } from '../contract.ts';
import { isLoopback } from './address.ts';
import type { SocketLanding } from './landing.ts';
import { endsOf } from './place.ts';

/** How long a closing socket stays for the other side to read the last bytes. */
const LINGER_MS = 2_000;

/** The name by which TLS gives both ends, and nobody between, the same bytes. */
const EXPORTER = 'EXPERIMENTAL flotilla 2';
const EXPORTED_BYTES = 32;
const NO_CONTEXT = Buffer.alloc(0);

/** Wraps a connected socket. Owns it. */
export class SocketConn implements Conn {
  readonly remote: string;
  readonly exposed: boolean;
  readonly local: boolean;
  readonly #socket: Socket;
  #handler: ConnHandler | undefined;
  #closed: { error: Error | undefined } | undefined;
  #error: Error | undefined;
  #held: Buffer[] = [];

  /** `landing` reads for the socket, if it was made with one; `rest` is bytes that were read from it before. */
  constructor(socket: Socket, remote?: string, landing?: SocketLanding, rest?: Buffer) {
    this.#socket = socket;
    this.exposed = remote === undefined && !(socket instanceof TLSSocket);
    this.local = remote !== undefined || isLoopback(socket.remoteAddress ?? '') || socket.remoteAddress === socket.localAddress;
    const host = socket.remoteAddress ?? '';
    this.remote = remote ?? `tcp://${host.includes(':') ? `[${host}]` : host}:${socket.remotePort ?? 0}`;
    socket.setNoDelay(true);
    if (rest && rest.length > 0) this.#held.push(rest);
    if (landing) this.#land(landing);
    else
      socket.on('data', (chunk: Buffer) => {
        if (this.#handler) this.#handler.data(chunk);
        else {
          this.#held.push(chunk);
          socket.pause();
        }
      });
    socket.on('drain', () => this.#handler?.drain());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#closed = { error: this.#error };
      this.#handler?.closed(this.#error);
    });
  }

  binding(side: 'dialer' | 'listener'): string | Uint8Array {
    const socket = this.#socket;
    if (socket instanceof TLSSocket) return socket.exportKeyingMaterial(EXPORTED_BYTES, EXPORTER, NO_CONTEXT);
    return this.exposed ? endsOf(socket, side) : 'local';
  }

  #land(landing: SocketLanding): void {
    landing.reader = {
      place: () => this.#handler?.place?.(),
      placed: (bytes) => this.#handler?.placed?.(bytes),
      data: (chunk) => {
        const handler = this.#handler;
        if (handler) handler.data(handler.place ? chunk : Buffer.from(chunk));
        else this.#held.push(Buffer.from(chunk));
        return handler !== undefined;
      },
    };
  }

  start(handler: ConnHandler): void {
    this.#handler = handler;
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) handler.data(chunk);
    if (this.#closed) handler.closed(this.#closed.error);
    else this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#socket.destroyed) return true;
    return this.#socket.write(bytes);
  }

  together(writes: () => void): void {
    this.#socket.cork();
    writes();
    this.#socket.uncork();
  }

  end(): void {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
