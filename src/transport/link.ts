// One open, authenticated connection between two runtimes, as frames.
import { type RuntimeId, toError } from '../base/index.ts';
import { type FrameHandler, FrameSplitter, type Lander } from '../wire/index.ts';
import type { Conn } from './contract.ts';
import type { Greeted, Purpose } from './handshake.ts';
import type { Role } from './keys.ts';

/** Hears what happens on a link. `closed` is called exactly once, last. */
export interface LinkHandler {
  readonly frame: FrameHandler;
  /** Says where the bytes of long frames belong. A link that was destroyed writes nothing more to the places it was given. */
  readonly lander?: Lander;
  /** Hears of each chunk of bytes, whatever is in it, since any byte is a sign of life. */
  alive(): void;
  drain(): void;
  closed(error: Error | undefined): void;
}

/** Frames over a connection whose other side has proved itself. Owns the connection. */
export class Link {
  readonly peer: RuntimeId;
  readonly role: Role;
  readonly purpose: Purpose;
  readonly conn: Conn;
  #rest: Buffer;

  constructor(conn: Conn, greeted: Greeted) {
    this.conn = conn;
    this.peer = greeted.id;
    this.role = greeted.role;
    this.purpose = greeted.purpose;
    this.#rest = greeted.rest;
  }

  /** Begins to deliver frames. A malformed one closes the link. */
  start(handler: LinkHandler): void {
    let failure: Error | undefined;
    const splitter = new FrameSplitter(handler.frame, handler.lander);
    const take = (step: () => void): void => {
      if (failure) return;
      handler.alive();
      try {
        step();
      } catch (error) {
        failure = toError(error);
        this.conn.destroy();
      }
    };
    const data = (chunk: Buffer): void => take(() => splitter.push(chunk));
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (rest.length > 0) data(rest);
    this.conn.start({
      data,
      place: () => (failure ? undefined : splitter.place()),
      placed: (bytes) => take(() => splitter.placed(bytes)),
      drain: () => handler.drain(),
      closed: (error) => handler.closed(failure ?? error),
    });
  }

  write(bytes: Uint8Array): boolean {
    return this.conn.write(bytes);
  }

  /** Writes one after another, at once. */
  writeBoth(head: Uint8Array, bytes: Uint8Array): boolean {
    let more = true;
    const both = (): void => {
      this.conn.write(head);
      more = this.conn.write(bytes);
    };
    if (this.conn.together) this.conn.together(both);
    else both();
    return more;
  }

  /** Closes after what was written. */
  end(): void {
    this.conn.end();
  }

  destroy(): void {
    this.conn.destroy();
  }
}
