// One end of a connection through a relay.
import { type Clock, Fifo } from '../../base/index.ts';
import type { Conn, ConnHandler } from '../../transport/index.ts';

const WINDOW = 1 << 20;
const CHUNK = 128 << 10;
const CREDIT_BYTES = 128 << 10;

/** The way of a relayed connection's bytes. */
export interface RelayChannel {
  send(bytes: Uint8Array): void;
  credit(bytes: number): void;
  close(tell: boolean): void;
}

/** Bytes in order through a relay, with a window of their own. */
export class RelayConn implements Conn {
  readonly remote: string;
  readonly exposed = false;
  readonly local = true;
  readonly #clock: Clock;
  readonly #channel: RelayChannel;
  readonly #waiting = new Fifo<Uint8Array>();
  readonly #arrived = new Fifo<Buffer>();
  #handler: ConnHandler | undefined;
  #window = WINDOW;
  #taken = 0;
  #state: 'open' | 'ending' | 'closed' = 'open';

  constructor(remote: string, clock: Clock, channel: RelayChannel) {
    this.remote = remote;
    this.#clock = clock;
    this.#channel = channel;
  }

  binding(): string {
    return 'relay';
  }

  start(handler: ConnHandler): void {
    this.#handler = handler;
    for (let chunk = this.#arrived.shift(); chunk && this.#handler === handler; chunk = this.#arrived.shift()) this.#give(chunk);
    if (this.#state === 'closed') this.#clock.after(0, () => handler.closed(undefined));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== 'open') return true;
    for (let at = 0; at < bytes.length; at += CHUNK) this.#waiting.push(Buffer.from(bytes.subarray(at, at + CHUNK)));
    this.#flush();
    return this.#waiting.size === 0;
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#flush();
  }

  destroy(): void {
    this.#close(true);
  }

  take(chunk: Buffer): void {
    if (this.#handler) this.#give(chunk);
    else this.#arrived.push(chunk);
  }

  // RL2
  credit(bytes: number): void {
    const full = this.#waiting.size > 0;
    this.#window += bytes;
    this.#flush();
    if (full && this.#waiting.size === 0 && this.#state === 'open') this.#handler?.drain();
  }

  closedByPeer(): void {
    this.#close(false);
  }

  #give(chunk: Buffer): void {
    this.#taken += chunk.length;
    if (this.#taken >= CREDIT_BYTES && this.#state !== 'closed') {
      this.#channel.credit(this.#taken);
      this.#taken = 0;
    }
    this.#handler?.data(chunk);
  }

  #flush(): void {
    for (let next = this.#waiting.peek(); next && next.length <= this.#window; next = this.#waiting.peek()) {
      this.#waiting.shift();
      this.#window -= next.length;
      this.#channel.send(next);
    }
    if (this.#state === 'ending' && this.#waiting.size === 0) this.#close(true);
  }

  #close(tell: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#channel.close(tell);
    this.#clock.after(0, () => this.#handler?.closed(undefined));
  }
}
