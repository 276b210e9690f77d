// The regular sign of life: it beats, notices when this process itself was held up, and hears the beats that a thread gives for a peer.
import { type Clock, FlotillaError, type Timer } from '../../base/index.ts';
import type { Link } from '../../transport/index.ts';
import { KIND } from '../../wire/index.ts';
import type { Session } from './session.ts';

/** Beats until stopped. `heldUp`: this runtime did not get to beat for more than two pulses. */
export class Heartbeat {
  readonly #clock: Clock;
  #pulseMs: number;
  readonly #beat: (now: number, heldUp: boolean) => void;
  #timer: Timer;
  #beatAt: number;

  constructor(clock: Clock, pulseMs: number, beat: (now: number, heldUp: boolean) => void) {
    this.#clock = clock;
    this.#pulseMs = pulseMs;
    this.#beat = beat;
    this.#beatAt = clock.now();
    this.#timer = this.#next();
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** Beats at other intervals from now on. */
  pace(ms: number): void {
    if (ms === this.#pulseMs) return;
    this.#pulseMs = ms;
    this.#timer.cancel();
    this.#beatAt = this.#clock.now();
    this.#timer = this.#next();
  }

  #next(): Timer {
    return this.#clock.after(
      this.#pulseMs,
      () => {
        const now = this.#clock.now();
        const heldUp = now - this.#beatAt > this.#pulseMs * 2;
        this.#beatAt = now;
        this.#timer = this.#next();
        this.#beat(now, heldUp);
      },
      { background: true },
    );
  }
}

/** Hears the pulses that a thread of a peer sends for it on a link of its own. */
export async function hearPulses(link: Link, heard: (stalled: boolean) => void, closed: () => void): Promise<void> {
  link.start({
    frame: (kind, _target, buffer, start) => {
      if (kind === KIND.PULSE) heard(buffer[start] === 1);
    },
    alive() {},
    drain() {},
    closed,
  });
}

/** The byte of a pulse that asks for an acknowledgement at once. */
export const ACK_NOW = 2;

/** Resolves when the other sides have taken all that was sent, or after `ms`. */
export function drained(
  clock: Clock,
  ms: number,
  sessions: readonly Session[],
  onCheck: (check: (() => void) | undefined) => void,
): Promise<void> {
  for (const session of sessions) session.control(KIND.PULSE, Uint8Array.of(ACK_NOW));
  return within(clock, ms, () => sessions.every((session) => session.pending === 0 || session.state.kind !== 'open'), onCheck);
}

/** Resolves when a session has a link; rejects with the reason why it ended, ERR_TIMEOUT or the signal's reason. */
export function untilOpen(session: Session, clock: Clock, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      timer.cancel();
      off();
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const check = (): void => {
      const { state } = session;
      if (state.kind === 'open') settle(resolve);
      else if (state.kind === 'ended')
        settle(() => reject(new FlotillaError(state.end.code ?? 'ERR_SESSION_LOST', `The session did not open: ${state.end.message}.`)));
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const timer = clock.after(timeoutMs, () =>
      settle(() => reject(new FlotillaError('ERR_TIMEOUT', `The session did not open within ${timeoutMs} ms.`))),
    );
    const off = session.onChange(check);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (session.state.kind === 'open' || session.ended) check();
  });
}

/** Resolves when a condition holds, or after `ms`. `onCheck` is given a function to call whenever the condition may have come to hold. */
function within(clock: Clock, ms: number, holds: () => boolean, onCheck: (check: (() => void) | undefined) => void): Promise<void> {
  if (holds()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      onCheck(undefined);
      resolve();
    };
    const timer = clock.after(ms, done);
    onCheck(() => {
      if (holds()) done();
    });
  });
}
