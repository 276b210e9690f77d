// The byte side of a runtime as seen from another thread: frames cross in batches of transferred buffers.
import type { MessagePort } from 'node:worker_threads';
import type { RuntimeId } from '../../base/index.ts';
import { eachFrame } from '../../wire/index.ts';
import { bytesOf, piecesOf, type Range } from '../post/range.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import { ROOM_BYTES, type SessionEnd } from '../sessions/session.ts';
import type { Carried, Carrier } from './carrier.ts';

/** The messages from the thread of the user's code to the thread of the kernel. */
export type Upward =
  | { readonly kind: 'post'; readonly peer: RuntimeId; readonly bytes: ArrayBuffer; readonly frames: number; readonly large: boolean }
  | { readonly kind: 'reach'; readonly peer: RuntimeId; readonly addresses: readonly string[]; readonly via: RuntimeId | undefined }
  | { readonly kind: 'dial'; readonly peer: RuntimeId }
  | { readonly kind: 'end'; readonly peer: RuntimeId; readonly end: SessionEnd }
  | { readonly kind: 'mailbox'; readonly target: number; readonly open: boolean };

/** The messages from the thread of the kernel to the thread of the user's code. */
export type Downward =
  | { readonly kind: 'frames'; readonly peer: RuntimeId; readonly bytes: ArrayBuffer; readonly length: number }
  | { readonly kind: 'large'; readonly peer: RuntimeId; readonly frame: number; readonly target: number; readonly bytes: ArrayBuffer }
  | { readonly kind: 'opened'; readonly peer: PeerInfo }
  | { readonly kind: 'offline' | 'online' | 'room'; readonly peer: RuntimeId }
  | { readonly kind: 'freed'; readonly peer: RuntimeId; readonly bytes: number }
  | { readonly kind: 'ended'; readonly peer: RuntimeId; readonly end: SessionEnd };

/** The data that the kernel's thread tells the user's thread when it is ready. */
export interface ThreadStart {
  readonly id: RuntimeId;
  readonly name: string;
  readonly location: string;
  readonly addresses: readonly string[];
}

/** Speaks to a hub on another thread. */
export class ThreadCarrier implements Carrier {
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly location: string;
  readonly acknowledges = true;
  readonly #port: MessagePort;
  readonly #pending = new Map<RuntimeId, number>();

  constructor(port: MessagePort, start: ThreadStart) {
    this.#port = port;
    this.id = start.id;
    this.name = start.name;
    this.addresses = start.addresses;
    this.location = start.location;
  }

  /** Begins to hand up the events of the hub. */
  start(carried: Carried): void {
    this.#port.on('message', (down: Downward) => this.#take(carried, down));
  }

  post(peer: RuntimeId, range: Range, large: boolean): void {
    const bytes = new ArrayBuffer(bytesOf(range, range.start));
    let at = 0;
    for (const piece of piecesOf(range, range.start)) {
      new Uint8Array(bytes).set(piece, at);
      at += piece.length;
    }
    this.#pending.set(peer, (this.#pending.get(peer) ?? 0) + bytes.byteLength);
    range.release?.();
    this.#up({ kind: 'post', peer, bytes, frames: range.frames, large }, [bytes]);
  }

  hasRoom(peer: RuntimeId): boolean {
    return (this.#pending.get(peer) ?? 0) < ROOM_BYTES;
  }

  reach(peer: RuntimeId, addresses: readonly string[], via?: RuntimeId): void {
    this.#up({ kind: 'reach', peer, addresses, via });
  }

  dial(peer: RuntimeId): void {
    this.#up({ kind: 'dial', peer });
  }

  end(peer: RuntimeId, end: SessionEnd): void {
    this.#up({ kind: 'end', peer, end });
  }

  mailbox(target: number, open: boolean): void {
    this.#up({ kind: 'mailbox', target, open });
  }

  #up(message: Upward, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #take(carried: Carried, down: Downward): void {
    switch (down.kind) {
      case 'frames': {
        const buffer = Buffer.from(down.bytes, 0, down.length);
        eachFrame(buffer, 0, buffer.length, (kind, target, bytes, start, end) =>
          carried.frame(down.peer, kind, target, bytes, start, end, false),
        );
        return;
      }
      case 'large':
        return carried.frame(down.peer, down.frame, down.target, Buffer.from(down.bytes), 0, down.bytes.byteLength, true);
      case 'opened':
        return carried.opened(down.peer);
      case 'freed': {
        const had = this.hasRoom(down.peer);
        this.#pending.set(down.peer, (this.#pending.get(down.peer) ?? 0) - down.bytes);
        // This count is another than that of the session, which may have had room all the time, and then says nothing.
        if (!had && this.hasRoom(down.peer)) carried.room(down.peer);
        return;
      }
      case 'ended':
        this.#pending.delete(down.peer);
        return carried.ended(down.peer, down.end);
      default:
        return carried[down.kind](down.peer);
    }
  }
}
