// The doors that one runtime has opened, and the guard before each.
//
// Owns the answerers of each door, and the count of refused requests and notices of each peer. Does not own requests (requests.ts).
//
//   DO1. A request or notice is checked before its answerer sees it; if it does not pass, nothing of it runs.
//   DO2. A peer of which MOST_REFUSED requests or notices are refused within a minute loses its session.
//   DO3. An answerer hears that the asker has given up, or is gone.
import { type Clock, FlotillaError, type Log, type RuntimeId, toError } from '../../base/index.ts';
import type { FileData } from '../files/contract.ts';
import type { Answers, Asked, Door, Notice } from './door.ts';

/** A peer of which so many requests and notices are refused, within so many milliseconds, loses its session. */
const MOST_REFUSED = 10;
const REFUSED_MS = 60_000;

/** The other things that a door does, beside answering. */
export interface Behind<N extends Notice> {
  /** Hears a notice; `bytes` is its length on the wire. */
  message?(peer: RuntimeId, notice: N, bytes: number): void;
  /** Hears that a request was given up. */
  cancel?(peer: RuntimeId, id: number, reason: unknown): void;
  /** Takes bytes that belong to a request of this door, but are no values: those of files. */
  readonly data?: FileData;
}

/** A door whose owner answers each request itself, at any time. */
export interface Port<N extends Notice> extends Behind<N> {
  request(peer: RuntimeId, id: number, method: unknown, args: unknown[]): void;
}

/** An opened door, as frames find it by number. */
interface Opened {
  message(peer: RuntimeId, value: unknown, bytes: number): void;
  request(peer: RuntimeId, id: number, method: unknown, args: unknown): void;
  readonly port: Port<never>;
}

/** The parts of a kernel that its doors need. */
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

  /** Opens a door whose methods `answers` has. */
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

  /** Opens a door whose owner answers each request itself. DO1 */
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

  /** Hands a notice to its door. */
  message(peer: RuntimeId, number: number, value: unknown, bytes: number): void {
    this.#opened.get(number)?.message(peer, value, bytes);
  }

  /** Hands a request to its door. */
  request(peer: RuntimeId, number: number, id: number, method: unknown, args: unknown): void {
    const opened = this.#opened.get(number);
    if (opened) opened.request(peer, id, method, args);
    else this.#options.answer(peer, id, false, new FlotillaError('ERR_REQUEST_UNKNOWN', `This runtime has no door ${number}.`));
  }

  /** Gives the part of a door that takes bytes. */
  data<M, N extends Notice>({ number }: Door<M, N>): FileData | undefined {
    return this.#opened.get(number)?.port.data;
  }

  /** Tells a door that the asker of a request has given it up. DO3 */
  cancelled(peer: RuntimeId, number: number, id: number, reason: unknown): void {
    this.#opened.get(number)?.port.cancel?.(peer, id, reason);
  }

  /** Tells all doors that a peer is gone. DO3 */
  ended(peer: RuntimeId): void {
    this.#refused.delete(peer);
    for (const asked of this.#answering) asked.ended(peer);
  }

  // Counts a refusal, and ends the session of a peer that has too many. DO2
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
    // The session does not end at once, because the rest of the frame is still being taken, and the peer is to hear why.
    this.#options.clock.defer(() => this.#options.end(peer, `it said ${MOST_REFUSED} things within a minute that no door here takes`));
  }
}

const GIVEN_UP = 'the one who asked does not want to know any more';

// One request that is being answered. Its signal is made on demand: most answers come at once, and nobody looks at it.
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

/** Answers the requests of one door by its methods. */
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
