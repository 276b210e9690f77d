// The numbered doors of a runtime: frames name one as their target. Fixed numbers below FIRST_TASK, tasks above.
import { FlotillaError, type RuntimeId, toError } from '../../base/index.ts';
import type { SessionEnd } from '../sessions/session.ts';

/** The doors every runtime may have. */
export const PORT = {
  RUNTIME: 0,
  TERMINATE: 1,
  HOST: 2,
  SCHEDULER: 3,
  CLIENT: 4,
  CALLS: 5,
  WORKER: 6,
  BATCH: 7,
  IO: 8,
  STREAM: 9,
  TASKS: 10,
  NAMES: 11,
  CHANNELS: 12,
  SERVICES: 13,
  FILES: 14,
  FILE_DATA: 15,
  PEERS: 16,
} as const;
/** The number of the first task. */
export const FIRST_TASK = 64;

/** What happens at a door. */
export interface Port {
  message?(peer: RuntimeId, value: unknown, bytes: number): void;
  request?(peer: RuntimeId, id: number, method: unknown, args: unknown): void;
  cancel?(peer: RuntimeId, id: number, reason: unknown): void;
  ended?(peer: RuntimeId, end: SessionEnd): void;
}

/** Who asks, and whether they still want to know. */
export interface Asked {
  readonly peer: RuntimeId;
  /** The number that the peer gave the request. */
  readonly id: number;
  readonly signal: AbortSignal;
}

const GIVEN_UP = 'the one who asked does not want to know any more';

// Most answers come at once, and nobody looks at the signal.
class Asking implements Asked {
  readonly peer: RuntimeId;
  readonly id: number;
  #abort: AbortController | undefined;
  #reason: unknown;

  constructor(peer: RuntimeId, id: number) {
    this.peer = peer;
    this.id = id;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  abort(reason: unknown): void {
    this.#reason = reason;
    this.#abort?.abort(reason);
  }
}

type Answer = (peer: RuntimeId, id: number, ok: boolean, value: unknown) => void;

/** Named methods, each with a list of arguments. */
export type Methods = Readonly<Record<string, (asked: Asked, ...args: never[]) => unknown>>;

/** A door at which named methods are asked, each with a list of arguments. */
export function methodPort(answer: Answer, methods: Methods): Port {
  const running = new Map<string, Asking>();
  return {
    request(peer, id, method, args) {
      const run = typeof method === 'string' && Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!run || !Array.isArray(args)) {
        return answer(
          peer,
          id,
          false,
          new FlotillaError('ERR_REQUEST_UNKNOWN', `This runtime does not know the request '${String(method)}'.`),
        );
      }
      const asking = new Asking(peer, id);
      const key = `${peer} ${id}`;
      running.set(key, asking);
      const settle = (ok: boolean, value: unknown): void => {
        running.delete(key);
        answer(peer, id, ok, value);
      };
      try {
        const result = (run as (asked: Asked, ...args: unknown[]) => unknown)(asking, ...args);
        if (result instanceof Promise)
          result.then(
            (value) => settle(true, value),
            (error: unknown) => settle(false, toError(error)),
          );
        else settle(true, result);
      } catch (error) {
        settle(false, toError(error));
      }
    },
    cancel(peer, id, reason) {
      running.get(`${peer} ${id}`)?.abort(reason ?? GIVEN_UP);
    },
    ended(peer) {
      for (const [key, asking] of running) {
        if (!key.startsWith(peer)) continue;
        running.delete(key);
        asking.abort(new FlotillaError('ERR_SESSION_LOST', 'The one who asked is gone.'));
      }
    },
  };
}
