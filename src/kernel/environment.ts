// The outside world as a runtime sees it: time, chance, the network. Handed in, so that it can be simulated.
import { randomFillSync } from 'node:crypto';
import type { Clock, RandomBytes } from '../base/index.ts';
import { loadSecret, type Network, tcpNetwork } from '../transport/index.ts';

/** What a runtime may reach of the world. */
export interface Environment {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly network: Network;
  /** The secret shared by all who may connect; asked for once, unless the options give one. Throws ERR_SECRET_FILE. */
  readonly secret: () => Uint8Array;
}

/** The real clock of this process. */
export const realClock: Clock = Object.freeze({
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms: number, callback: () => void, options?: { background?: boolean }) {
    const timer = setTimeout(callback, Math.min(ms, 0x7fff_ffff));
    if (options?.background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  // A next tick that is asked for in a microtask runs when all microtasks of the turn are done.
  defer(callback: () => void) {
    queueMicrotask(() => process.nextTick(callback));
  },
});

/** Random bytes from the system. */
export const realRandom: RandomBytes = (length) => randomFillSync(new Uint8Array(length));

/** The real world. */
export function nodeEnvironment(): Environment {
  return { clock: realClock, random: realRandom, network: tcpNetwork, secret: () => loadSecret(realRandom).secret };
}
