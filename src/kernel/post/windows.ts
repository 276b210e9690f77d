// The windows of one runtime: what it has under way to each task of each peer (credit.ts says why).
//
// Each task of a peer has a window of its own, so that one which does not read stops those who write to it, and nobody who writes
// to its neighbours over the same session. What the session itself can hold is another limit (ROOM_BYTES of session.ts): a sender
// needs room in both.
import type { RuntimeId } from '../../base/index.ts';
import { SendWindow } from './credit.ts';

const WINDOWS_KEPT = 10_000;

/** Windows by peer and task. Those of idle pairs are forgotten when there are many. */
export class Windows {
  readonly #byPeer = new Map<RuntimeId, Map<number, SendWindow>>();

  get(peer: RuntimeId, task: number): SendWindow {
    let windows = this.#byPeer.get(peer);
    if (!windows) {
      windows = new Map();
      this.#byPeer.set(peer, windows);
    }
    let window = windows.get(task);
    if (!window) {
      if (windows.size >= WINDOWS_KEPT) for (const [key, old] of windows) if (old.messages === 0) windows.delete(key);
      window = new SendWindow();
      windows.set(task, window);
    }
    return window;
  }

  returned(peer: RuntimeId, task: number, messages: number, bytes: number): void {
    this.#byPeer.get(peer)?.get(task)?.returned(messages, bytes);
  }

  /** The session has room again. */
  room(peer: RuntimeId): void {
    for (const window of this.#byPeer.get(peer)?.values() ?? []) if (window.hasRoom) window.wake();
  }

  /** A task has ended: what is sent to it is dropped, and nobody waits for room. */
  ended(peer: RuntimeId, task: number): void {
    const window = this.#byPeer.get(peer)?.get(task);
    if (window) end(window);
  }

  /** A peer is gone, and all its tasks. */
  lost(peer: RuntimeId, error: Error): void {
    const windows = this.#byPeer.get(peer);
    this.#byPeer.delete(peer);
    for (const window of windows?.values() ?? []) {
      window.lost = error;
      end(window);
    }
  }
}

function end(window: SendWindow): void {
  window.ended = true;
  window.wake();
}
