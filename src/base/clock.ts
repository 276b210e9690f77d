// The clock. It is handed in, so that a whole cluster can run on virtual time.

/** A timer that can be stopped. */
export interface Timer {
  cancel(): void;
}

/** The time that code in this package may see. Milliseconds everywhere. */
export interface Clock {
  /** Monotonic milliseconds since some start. */
  now(): number;
  /** Milliseconds since 1970, for people and for signatures. */
  wall(): number;
  /** Calls back once, after at least `ms`. `background` timers do not keep the process alive. */
  after(ms: number, callback: () => void, options?: { background?: boolean }): Timer;
  /** Calls back after the current turn and all promise reactions that follow from it. */
  defer(callback: () => void): void;
  /** Calls back after input, output and timers that are due have had their turn. */
  turn(callback: () => void): void;
}

/** Waits; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
