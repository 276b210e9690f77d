// A hub that serves user code on another thread: it accepts, acknowledges and keeps pulses going while that thread is busy.
//
//   TH1. A delivery to an open mailbox is acknowledged here, at once.
//   TH2. Frames cross in the order in which they came, in one batch a turn and peer.
import type { MessagePort } from 'node:worker_threads';
import type { Clock, RuntimeId } from '../../base/index.ts';
import { eachFrame, KIND, LENGTH_BYTES, readVarint } from '../../wire/index.ts';
import type { Kernel } from '../post/kernel.ts';
import { FIRST_TASK } from '../post/ports.ts';
import type { Hub } from '../sessions/hub.ts';
import { taskEnded } from '../tasks/ends.ts';
import type { Carried } from './carrier.ts';
import type { Downward, Upward } from './thread-carrier.ts';

const BATCH_BYTES = 16 << 10;
const FREED_BYTES = 512 << 10;

/** Connects a hub with the thread at the other end of `port`. `own` is the kernel of this thread, `mine` its doors. */
export function serveThread(options: {
  port: MessagePort;
  hub: () => Hub;
  own: () => Kernel;
  mine: ReadonlySet<number>;
  clock: Clock;
  onMailbox?: (target: number, open: boolean) => void;
}): Carried {
  const { port, mine, clock } = options;
  const open = new Set<number>();
  const batches = new Map<RuntimeId, Batch>();
  const freed = new Map<RuntimeId, number>();
  const down = (message: Downward, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  const flush = (): void => {
    for (const [peer, batch] of batches) {
      batches.delete(peer);
      const { bytes, length } = batch.take();
      down({ kind: 'frames', peer, bytes, length }, [bytes]);
    }
  };
  // What the threads of one runtime ask of each other.
  const own = (peer: RuntimeId, kind: number, target: number, bytes: Buffer, start: number, end: number): void =>
    options.own().frame(peer, kind, target, bytes, start, end, false);
  port.on('message', (up: Upward) => {
    if (up.kind === 'reach') return options.hub().reach(up.peer, up.addresses, up.via);
    if (up.kind === 'dial') return options.hub().dial(up.peer);
    if (up.kind === 'mailbox') {
      if (up.open) open.add(up.target);
      else open.delete(up.target);
      return options.onMailbox?.(up.target, up.open);
    }
    const buffer = Buffer.from(up.bytes);
    if (up.peer === options.own().id) {
      eachFrame(buffer, 0, buffer.length, (kind, target, bytes, start, end) => own(up.peer, kind, target, bytes, start, end));
      return;
    }
    const size = buffer.length;
    const release = (): void => {
      const total = (freed.get(up.peer) ?? 0) + size;
      if (total < FREED_BYTES) {
        freed.set(up.peer, total);
        return;
      }
      freed.delete(up.peer);
      down({ kind: 'freed', peer: up.peer, bytes: total });
    };
    options.hub().post(up.peer, { buffer, start: 0, end: size, frames: up.frames, release }, up.large);
  });
  const across = (peer: RuntimeId, kind: number, target: number, buffer: Buffer, start: number, end: number): void => {
    if (batches.size === 0) clock.defer(flush);
    let batch = batches.get(peer);
    if (!batch) {
      batch = new Batch();
      batches.set(peer, batch);
    }
    batch.add(kind, target, buffer, start, end); // TH2
  };
  return {
    frame(peer, kind, target, buffer, start, end, owned) {
      const here = kind === KIND.ANSWER ? target === 1 : kind === KIND.FILE || (mine.has(target) && kind !== KIND.CREDIT);
      if (here) return options.own().frame(peer, kind, target, buffer, start, end, owned);
      if (kind === KIND.DELIVER && target >= FIRST_TASK) {
        const id = readVarint(buffer, start, end);
        if (!open.has(target)) return options.own().answer(peer, id.value, false, taskEnded());
        options.own().answer(peer, id.value, true, undefined); // TH1
        return this.frame(peer, KIND.MESSAGE, target, buffer, id.next, end, false);
      }
      if (!owned) return across(peer, kind, target, buffer, start, end);
      flush();
      const bytes = buffer.buffer as ArrayBuffer;
      down({ kind: 'large', peer, frame: kind, target, bytes }, [bytes]);
    },
    land: (...frame) => options.own().land(...frame),
    landed: (...frame) => options.own().landed(...frame),
    opened(peer) {
      options.own().opened(peer);
      down({ kind: 'opened', peer });
    },
    offline: (peer) => down({ kind: 'offline', peer }),
    online: (peer) => down({ kind: 'online', peer }),
    room: (peer) => down({ kind: 'room', peer }),
    ended(peer, end) {
      freed.delete(peer);
      flush();
      down({ kind: 'ended', peer, end });
      options.own().ended(peer, end);
    },
  };
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
