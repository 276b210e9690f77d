// One end of a connection in memory.
import type { Conn, ConnHandler } from '../contract.ts';
import type { MemoryNetwork } from './network.ts';

type Item = { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'end'; readonly error: Error | undefined };

/** How long an ended connection stays for the other side to read the last bytes. */
const LINGER_MS = 2_000;

/** Delivers to its partner after the network's latency, in order. */
export class MemoryConn implements Conn {
  readonly machine: string;
  readonly remote: string;
  readonly exposed = false;
  readonly local = true;
  readonly #network: MemoryNetwork;
  #partner!: MemoryConn;
  #handler: ConnHandler | undefined;
  readonly #arrived: Item[] = [];
  readonly #inFlight: Item[] = [];
  #flying = false;
  #unread = 0;
  #full = false;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #told: { error: Error | undefined } | undefined;

  constructor(network: MemoryNetwork, machine: string, remote: string) {
    this.#network = network;
    this.machine = machine;
    this.remote = remote;
  }

  join(partner: MemoryConn): void {
    this.#partner = partner;
    partner.#partner = this;
  }

  binding(): string {
    return 'memory';
  }

  start(handler: ConnHandler): void {
    this.#handler = handler;
    this.#deliver();
    const told = this.#told;
    if (told) this.#network.clock.after(0, () => handler.closed(told.error));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== 'open') return true;
    this.#inFlight.push({ kind: 'bytes', bytes: Buffer.from(bytes) }); // MN1
    this.#unread += bytes.length;
    this.#full ||= this.#unread > this.#network.windowBytes;
    this.flush();
    return !this.#full;
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#inFlight.push({ kind: 'end', error: undefined });
    this.flush();
    this.#network.clock.after(LINGER_MS, () => this.#close(undefined), { background: true });
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') this.#inFlight.push({ kind: 'end', error: undefined });
    this.flush();
    this.#close(undefined);
  }

  /** Both ends learn at once that the connection is broken; what was on the way is lost. */
  break(): void {
    const error = new Error('the connection was cut');
    this.#inFlight.length = 0;
    this.#partner.#inFlight.length = 0;
    this.#close(error);
    this.#partner.#close(error);
  }

  /** This end is gone. Its partner is told, or hears nothing ever again. */
  crash(tell: boolean): void {
    const partner = this.#partner;
    this.#handler = undefined;
    this.#inFlight.length = 0;
    this.#close(undefined);
    if (tell) partner.#close(new Error('the connection was reset'));
  }

  /** Sends the bytes that may pass now. */
  flush(): void {
    if (this.#flying || this.#inFlight.length === 0 || !this.#network.passes(this.machine, this.#partner.machine)) return; // MN3
    this.#flying = true;
    this.#network.clock.after(this.#network.latency(), () => {
      this.#flying = false;
      if (!this.#network.passes(this.machine, this.#partner.machine)) return;
      const items = this.#inFlight.splice(0);
      for (const item of items) {
        if (item.kind === 'bytes') {
          this.#unread -= item.bytes.length;
          this.#note(item.bytes);
        }
        this.#partner.#arrived.push(item);
      }
      this.#partner.#deliver();
      if (this.#full && this.#unread <= this.#network.windowBytes) {
        this.#full = false;
        this.#handler?.drain();
      }
      this.flush();
    });
  }

  #note(bytes: Buffer): void {
    const trace = this.#network.trace;
    trace.bytes += bytes.length;
    trace.chunks++;
    for (let i = 0; i < bytes.length; i++) trace.digest = (Math.imul(trace.digest, 31) + (bytes[i] as number)) | 0;
  }

  #deliver(): void {
    while (this.#handler && this.#arrived.length > 0) {
      const item = this.#arrived.shift() as Item;
      if (item.kind === 'end') {
        this.#close(item.error);
        if (this.#partner.#state === 'ending') this.#partner.#close(undefined);
      } else if (this.#state !== 'closed') this.#chunks(item.bytes);
    }
  }

  #chunks(bytes: Buffer): void {
    if (bytes.length < 2 || this.#network.random() < 0.8) return this.#give(bytes);
    const at = 1 + Math.floor(this.#network.random() * (bytes.length - 1)); // MN2
    this.#give(bytes.subarray(0, at));
    if (this.#state !== 'closed') this.#give(bytes.subarray(at));
  }

  // Copies bytes to the place where they belong, as far as one is known, because a socket reads them there.
  #give(bytes: Buffer): void {
    const place = this.#handler?.place?.();
    if (!place) return this.#handler?.data(bytes);
    const count = bytes.copy(place);
    this.#handler?.placed?.(count);
    if (count < bytes.length && this.#state !== 'closed') this.#give(bytes.subarray(count));
  }

  #close(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#network.forget(this);
    this.#network.clock.after(0, () => {
      this.#told = { error };
      this.#handler?.closed(error);
    });
  }
}
