// A hub that serves user code on another thread: it accepts, acknowledges and keeps pulses going while that thread is busy.
//
// Owns the frames on their way across, and knows which mailboxes of the other thread are open. Does not own the hub, nor the kernel of
// this thread, which answers at its own doors.
//
//   TH1. A delivery to an open mailbox is acknowledged here, at once.
//   TH2. Frames cross in the order in which they came, in one batch a turn and peer; the end of a peer comes behind them.
//   TH3. Bytes that have left are told in large steps, because a message for each frame would cost more than the frame.
import type { MessagePort } from 'node:worker_threads';
import type { Clock, RuntimeId } from '../../base/index.ts';
import { eachFrame, KIND, LENGTH_BYTES, readVarint } from '../../wire/index.ts';
import { FIRST_TASK } from '../post/door.ts';
import type { Post } from '../post/post.ts';
import type { Hub } from '../sessions/hub.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import type { SessionEnd } from '../sessions/session.ts';
import { taskEnded } from '../tasks/ends.ts';
import type { Carried } from './carrier.ts';
import type { Downward, Upward } from './thread-carrier.ts';

const BATCH_BYTES = 16 << 10;
const FREED_BYTES = 512 << 10;

/** The parts that a {@link ThreadHub} stands between. Hub and kernel are asked for when they are needed: they are made after it. */
export interface ThreadHubOptions {
  /** The port to the thread of the user's code. */
  readonly port: MessagePort;
  readonly hub: () => Hub;
  /** The kernel of this thread. */
  readonly own: () => Required<Carried> & Pick<Post, 'id' | 'answer'>;
  /** The doors that this thread's kernel answers at. */
  readonly mine: ReadonlySet<number>;
  readonly clock: Clock;
  /** Hears that a mailbox of the other thread takes messages from now on, or no longer. */
  readonly onMailbox?: (target: number, open: boolean) => void;
  /** Hears that the session with a peer has ended, before either thread does. */
  readonly onEnded?: (peer: RuntimeId) => void;
}

/** Hands the events of a hub to the other thread, or to this thread's kernel, and the frames of the other thread to the hub. */
export class ThreadHub implements Carried {
  readonly #port: MessagePort;
  readonly #hub: () => Hub;
  readonly #own: () => Required<Carried> & Pick<Post, 'id' | 'answer'>;
  readonly #mine: ReadonlySet<number>;
  readonly #clock: Clock;
  readonly #onMailbox: ThreadHubOptions['onMailbox'];
  readonly #onEnded: ThreadHubOptions['onEnded'];
  /** The mailboxes of the other thread that are open. */
  readonly #open = new Set<number>();
  readonly #batches = new Map<RuntimeId, Batch>();
  /** The bytes that have left for each peer, of which the other thread was not told yet. */
  readonly #freed = new Map<RuntimeId, number>();

  constructor({ port, hub, own, mine, clock, onMailbox, onEnded }: ThreadHubOptions) {
    this.#port = port;
    this.#hub = hub;
    this.#own = own;
    this.#mine = mine;
    this.#clock = clock;
    this.#onMailbox = onMailbox;
    this.#onEnded = onEnded;
    port.on('message', (up: Upward) => this.#take(up));
  }

  frame(peer: RuntimeId, kind: number, target: number, buffer: Buffer, start: number, end: number, owned: boolean): void {
    const here = kind === KIND.ANSWER ? target === 1 : kind === KIND.FILE || (this.#mine.has(target) && kind !== KIND.CREDIT);
    if (here) return this.#own().frame(peer, kind, target, buffer, start, end, owned);
    if (kind === KIND.DELIVER && target >= FIRST_TASK) return this.#deliver(peer, target, buffer, start, end);
    if (!owned) return this.#across(peer, kind, target, buffer, start, end);
    this.#flush(); // TH2
    const bytes = buffer.buffer as ArrayBuffer;
    this.#down({ kind: 'large', peer, frame: kind, target, bytes }, [bytes]);
  }

  land(peer: RuntimeId, kind: number, target: number, bytes: number): Buffer | undefined {
    return this.#own().land(peer, kind, target, bytes);
  }

  landed(peer: RuntimeId, kind: number, target: number): void {
    this.#own().landed(peer, kind, target);
  }

  opened(peer: PeerInfo): void {
    this.#own().opened(peer);
    this.#down({ kind: 'opened', peer });
  }

  offline(peer: RuntimeId): void {
    this.#down({ kind: 'offline', peer });
  }

  online(peer: RuntimeId): void {
    this.#down({ kind: 'online', peer });
  }

  room(peer: RuntimeId): void {
    this.#down({ kind: 'room', peer });
  }

  ended(peer: RuntimeId, end: SessionEnd): void {
    this.#onEnded?.(peer);
    this.#freed.delete(peer);
    this.#flush(); // TH2
    this.#down({ kind: 'ended', peer, end });
    this.#own().ended(peer, end);
  }

  #take(up: Upward): void {
    if (up.kind === 'reach') return this.#hub().reach(up.peer, up.addresses, up.via);
    if (up.kind === 'dial') return this.#hub().dial(up.peer);
    if (up.kind === 'end') return this.#hub().end(up.peer, up.end);
    if (up.kind === 'mailbox') {
      if (up.open) this.#open.add(up.target);
      else this.#open.delete(up.target);
      return this.#onMailbox?.(up.target, up.open);
    }
    const { peer } = up;
    const buffer = Buffer.from(up.bytes);
    const size = buffer.length;
    const own = this.#own();
    if (peer !== own.id) {
      const release = (): void => this.#free(peer, size);
      return this.#hub().post(peer, { buffer, start: 0, end: size, frames: up.frames, release }, up.large);
    }
    // Frames to the own runtime are requests of the other thread to this one.
    eachFrame(buffer, 0, size, (kind, target, bytes, start, end) => own.frame(peer, kind, target, bytes, start, end, false));
  }

  // Acknowledges a delivery here, because the other thread may be busy for long, and hands it on as a message. TH1
  #deliver(peer: RuntimeId, target: number, buffer: Buffer, start: number, end: number): void {
    const id = readVarint(buffer, start, end);
    if (!this.#open.has(target)) return this.#own().answer(peer, id.value, false, taskEnded());
    this.#own().answer(peer, id.value, true, undefined);
    this.#across(peer, KIND.MESSAGE, target, buffer, id.next, end);
  }

  // Gathers a frame for the other thread. TH2
  #across(peer: RuntimeId, kind: number, target: number, buffer: Buffer, start: number, end: number): void {
    if (this.#batches.size === 0) this.#clock.defer(() => this.#flush());
    let batch = this.#batches.get(peer);
    if (!batch) {
      batch = new Batch();
      this.#batches.set(peer, batch);
    }
    batch.add(kind, target, buffer, start, end);
  }

  #flush(): void {
    for (const [peer, batch] of this.#batches) {
      this.#batches.delete(peer);
      const { bytes, length } = batch.take();
      this.#down({ kind: 'frames', peer, bytes, length }, [bytes]);
    }
  }

  // Counts bytes that have left. TH3
  #free(peer: RuntimeId, size: number): void {
    const total = (this.#freed.get(peer) ?? 0) + size;
    if (total < FREED_BYTES) return void this.#freed.set(peer, total);
    this.#freed.delete(peer);
    this.#down({ kind: 'freed', peer, bytes: total });
  }

  #down(message: Downward, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

class Batch {
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #length = 0;

  add(kind: number, target: number, buffer: Buffer, start: number, end: number): void {
    const needed = LENGTH_BYTES + 10 + end - start;
    if (this.#length + needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow((this.#length + needed) * 2);
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    const from = this.#length;
    let at = from + LENGTH_BYTES;
    this.#bytes[at++] = kind;
    for (; target >= 0x80; target = Math.floor(target / 0x80)) this.#bytes[at++] = (target % 0x80) | 0x80;
    this.#bytes[at++] = target;
    at += buffer.copy(this.#bytes, at, start, end);
    this.#bytes.writeUInt32BE(at - from - LENGTH_BYTES, from);
    this.#length = at;
  }

  take(): { bytes: ArrayBuffer; length: number } {
    return { bytes: this.#bytes.buffer as ArrayBuffer, length: this.#length };
  }
}
