// The doors that one runtime has opened, and the guard before each.
//
// Owns what happens at each door, and the count of what each peer said that no door takes. Does not own requests (requests.ts).
//
//   DO1. What comes over the wire is checked before whoever answers sees it: of what does not pass, nothing runs.
//   DO2. A peer that says MOST_REFUSED such things within a minute has no session any more.
//   DO3. Whoever answers hears that the asker has given up, or is gone.
import { type Clock, FlotillaError, type Log, type RuntimeId, toError } from '../../base/index.ts';
import type { FileData } from '../files/contract.ts';
import type { Answers, Asked, Door, Notice } from './door.ts';

/** So much that no door takes costs a peer its session, within so many milliseconds. */
const MOST_REFUSED = 10;
const REFUSED_MS = 60_000;

/** What is done at a door, beside answering. */
export interface Behind<N extends Notice> {
  /** A notice; `bytes` is how much it was on the wire. */
  message?(peer: RuntimeId, notice: N, bytes: number): void;
  /** A request was given up. */
  cancel?(peer: RuntimeId, id: number, reason: unknown): void;
  /** Takes bytes that belong to what was asked here, and are no values. */
  readonly data?: FileData;
}

/** What is done at a door by one who answers each request himself, at any time. */
export interface Port<N extends Notice> extends Behind<N> {
  request(peer: RuntimeId, id: number, method: unknown, args: unknown[]): void;
}

/** A door as frames find it. */
interface Opened {
  message(peer: RuntimeId, value: unknown, bytes: number): void;
  request(peer: RuntimeId, id: number, method: unknown, args: unknown): void;
  readonly port: Port<never>;
}

/** What doors are part of. */
export interface DoorsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly answer: (peer: RuntimeId, id: number, ok: boolean, value: unknown) => void;
  /** Ends the session with a peer, for a reason. */
  readonly end: (peer: RuntimeId, reason: string) => void;
}

/** The doors of one runtime. */
export class Doors {
  readonly #options: DoorsOptions;
  readonly #opened = new Map<number, Opened>();
  readonly #answering: { ended(peer: RuntimeId): void }[] = [];
  readonly #refused = new Map<RuntimeId, { count: number; readonly since: number }>();

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  /** Opens a door: `answers` has its methods. */
  serve<M, N extends Notice>(door: Door<M, N>, answers: Answers<M>, behind: Behind<N> = {}): void {
    const asked = new Answering(this.#options.answer, answers);
    this.open(door, {
      ...behind,
      request: (peer, id, method, args) => asked.request(peer, id, method, args),
      cancel: (peer, id, reason) => {
        asked.cancel(peer, id, reason);
        behind.cancel?.(peer, id, reason);
      },
    });
    this.#answering.push(asked);
  }

  /** Opens a door to one who answers each request himself. DO1 */
  open<M, N extends Notice>(door: Door<M, N>, port: Port<N>): void {
    this.#opened.set(door.number, {
      port,
      message: (peer, value, bytes) => {
        try {
          door.checkNotice(value);
        } catch (error) {
          this.#options.log.warn(`Something that a peer said is not heard: ${toError(error).message}`);
          return this.#refuse(peer);
        }
        port.message?.(peer, value as N, bytes);
      },
      request: (peer, id, method, args) => {
        try {
          door.checkRequest(method, args);
        } catch (error) {
          this.#options.answer(peer, id, false, error);
          return this.#refuse(peer);
        }
        port.request(peer, id, method, args as unknown[]);
      },
    });
  }

  /** Something was told at a door. */
  message(peer: RuntimeId, number: number, value: unknown, bytes: number): void {
    this.#opened.get(number)?.message(peer, value, bytes);
  }

  /** Something is asked at a door. */
  request(peer: RuntimeId, number: number, id: number, method: unknown, args: unknown): void {
    const opened = this.#opened.get(number);
    if (opened) opened.request(peer, id, method, args);
    else this.#options.answer(peer, id, false, new FlotillaError('ERR_REQUEST_UNKNOWN', `This runtime has no door ${number}.`));
  }

  /** What takes bytes at a door. */
  data<M, N extends Notice>({ number }: Door<M, N>): FileData | undefined {
    return this.#opened.get(number)?.port.data;
  }

  /** The asker of a request has given it up. DO3 */
  cancelled(peer: RuntimeId, number: number, id: number, reason: unknown): void {
    this.#opened.get(number)?.port.cancel?.(peer, id, reason);
  }

  /** DO3 */
  ended(peer: RuntimeId): void {
    this.#refused.delete(peer);
    for (const asked of this.#answering) asked.ended(peer);
  }

  // DO2
  #refuse(peer: RuntimeId): void {
    const now = this.#options.clock.now();
    let refused = this.#refused.get(peer);
    if (!refused || now - refused.since > REFUSED_MS) {
      refused = { count: 0, since: now };
      this.#refused.set(peer, refused);
    }
    refused.count++;
    if (refused.count !== MOST_REFUSED) return;
    this.#refused.delete(peer);
    // Not at once: what came with it is still being taken, and the peer is to hear why.
    this.#options.clock.defer(() => this.#options.end(peer, `it said ${MOST_REFUSED} things within a minute that no door here takes`));
  }
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

/** Answers what is asked at one door by its methods. */
class Answering<M> {
  readonly #answer: DoorsOptions['answer'];
  readonly #methods: ReadonlyMap<unknown, (asked: Asked, ...args: unknown[]) => unknown>;
  readonly #running = new Map<string, Asking>();

  constructor(answer: DoorsOptions['answer'], answers: Answers<M>) {
    this.#answer = answer;
    this.#methods = new Map(Object.entries<(asked: Asked, ...args: unknown[]) => unknown>(answers as never));
  }

  request(peer: RuntimeId, id: number, method: unknown, args: unknown[]): void {
    const run = this.#methods.get(method);
    if (!run) {
      const why = `This runtime does not know the request '${String(method)}'.`;
      return this.#answer(peer, id, false, new FlotillaError('ERR_REQUEST_UNKNOWN', why));
    }
    const asking = new Asking(peer, id);
    const key = `${peer} ${id}`;
    this.#running.set(key, asking);
    const settle = (ok: boolean, value: unknown): void => {
      this.#running.delete(key);
      this.#answer(peer, id, ok, value);
    };
    try {
      const result = run(asking, ...args);
      if (result instanceof Promise)
        result.then(
          (value) => settle(true, value),
          (error: unknown) => settle(false, toError(error)),
        );
      else settle(true, result);
    } catch (error) {
      settle(false, toError(error));
    }
  }

  cancel(peer: RuntimeId, id: number, reason: unknown): void {
    this.#running.get(`${peer} ${id}`)?.abort(reason ?? GIVEN_UP);
  }

  ended(peer: RuntimeId): void {
    for (const [key, asking] of this.#running) {
      if (!key.startsWith(peer)) continue;
      this.#running.delete(key);
      asking.abort(new FlotillaError('ERR_SESSION_LOST', 'The one who asked is gone.'));
    }
  }
}
