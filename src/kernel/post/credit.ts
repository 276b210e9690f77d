// Mailbox credit: nobody sends a task what it does not take.
//
//   CR1. What a runtime has sent to a task and the task has not taken counts against the window of that pair.
//   CR2. A full window stops its sender and nobody else.
//   CR3. A sender that goes on far past a full window gets ERR_SESSION_OVERRUN.
//
// A session acknowledges what has arrived in a process, which says nothing of a task there that reads slowly: its mailbox would
// grow until the memory is gone. So each side of a pair of runtime and task counts, in messages and in bytes, since many small
// messages cost what few large ones do:
//
//      the runtime that sends                              the runtime of the task
//      SendWindow: under way or in the mailbox             TakeCount: taken, not yet returned
//        send: +1, +bytes  ------ message ------------->     mailbox
//        full: send() gives false, room() waits              the task receives it: +1, +bytes
//        -256, -bytes  <--------- CREDIT ---------------     a quarter of the window is taken: returned, and counted from 0
//
// A quarter at a time, because a frame for each message would double the traffic, and the whole window at once would leave the
// task without work for the time of a round trip. A sender that waits goes on at three quarters, so with the first credit that
// comes. send() cannot wait: it says that there is no room, and a program that does not listen is stopped eight windows later
// (CR3). Up to eight messages always pass, however large, since one may be larger than the window.
import { FlotillaError } from '../../base/index.ts';

/** What one runtime may have under way to one task. */
export const WINDOW = { messages: 1_024, bytes: 4 << 20 } as const;
const FAR = 8;
// A sender that waits goes on while the receiver still has most of the window to work on.
const WAKE = { messages: (WINDOW.messages * 3) / 4, bytes: (WINDOW.bytes * 3) / 4 } as const;
const RETURN = { messages: WINDOW.messages / 4, bytes: WINDOW.bytes / 4 } as const;

/** The sender's count of what is under way to one task. */
export class SendWindow {
  messages = 0;
  bytes = 0;
  /** The task has ended: what is sent to it is dropped there. */
  ended = false;
  /** Its runtime is gone. */
  lost: Error | undefined;
  #waiting: (() => void)[] = [];

  get hasRoom(): boolean {
    return this.messages < WINDOW.messages && this.bytes < WINDOW.bytes;
  }

  /** Throws ERR_SESSION_OVERRUN. CR3 */
  check(): void {
    if (this.messages < WINDOW.messages * FAR && (this.bytes < WINDOW.bytes * FAR || this.messages <= FAR)) return;
    throw new FlotillaError(
      'ERR_SESSION_OVERRUN',
      `${this.messages} messages (${this.bytes} bytes) wait to be taken by the task; the window is ${WINDOW.messages} messages or ${WINDOW.bytes} bytes. When send() returns false, wait for room().`,
    );
  }

  // CR1
  sent(bytes: number): void {
    this.messages++;
    this.bytes += bytes;
  }

  returned(messages: number, bytes: number): void {
    this.messages = Math.max(0, this.messages - messages);
    this.bytes = Math.max(0, this.bytes - bytes);
    if (this.#waiting.length > 0 && this.messages <= WAKE.messages && this.bytes <= WAKE.bytes) this.wake();
  }

  /** Calls back once there is room, or the task or its runtime has ended. CR2 */
  onRoom(callback: () => void): void {
    this.#waiting.push(callback);
  }

  wake(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

/** The receiver's count of what a task has taken from one runtime and not yet returned as credit. */
export class TakeCount {
  #messages = 0;
  #bytes = 0;

  /** Counts a message; returns credit when it is worth a frame. */
  taken(bytes: number): { messages: number; bytes: number } | undefined {
    this.#messages++;
    this.#bytes += bytes;
    if (this.#messages < RETURN.messages && this.#bytes < RETURN.bytes) return undefined;
    const credit = { messages: this.#messages, bytes: this.#bytes };
    this.#messages = 0;
    this.#bytes = 0;
    return credit;
  }
}
