// Questions to other runtimes and their answers: correlation, deadline, cancellation.
//
//   RQ1. A request settles exactly once: by its answer, its deadline, its signal, or the end of the session.
//   RQ2. A request that the asker gives up is cancelled at the other side.
//   RQ3. A runtime that is offline is asked nothing: the asker is told so at once.
import { type Clock, FlotillaError, IdMap, type RuntimeId } from '../../base/index.ts';
import type { SessionEnd } from '../sessions/session.ts';
import type { WaitOptions } from '../tasks/reference.ts';

/** Hears the one outcome of a request. */
export type OnAnswer = (ok: boolean, value: unknown) => void;

/** A request under way: the peer that it asks, and the callback that hears its one outcome. */
export interface Pending {
  readonly peer: RuntimeId;
  settle(ok: boolean, value: unknown): void;
}

class SessionLoss extends FlotillaError {}

/** Whether an error says that a session ended here, as opposed to one that a peer sent. */
export function isSessionLoss(error: unknown): boolean {
  return error instanceof SessionLoss;
}

/** The error for a wait that ended with its session. */
export function sessionError(end: SessionEnd, what: string): FlotillaError {
  const message = `${what}: the other runtime is gone (${end.message}). Whether it happened is unknown.`;
  const { terminated, lost = 'host', kind: how } = end;
  const details = { lost, how, ...(terminated === undefined ? {} : { terminated, reason: end.message }) };
  return new SessionLoss(end.code ?? 'ERR_SESSION_LOST', message, { details });
}

/** The error for a request that was not even sent, because its runtime is offline. */
export function offlineError(end: SessionEnd): FlotillaError {
  const message = `The other runtime is offline (${end.message}): nothing was sent. It is dialled again; try when it is back.`;
  return new SessionLoss(end.code ?? 'ERR_SESSION_LOST', message, { details: { lost: end.lost ?? 'host', how: end.kind } });
}

/** The requests of one runtime that are under way. */
export class Requests {
  readonly #clock: Clock;
  readonly #send: (peer: RuntimeId, port: number, id: number, method: unknown, args: unknown) => void;
  readonly #cancel: (peer: RuntimeId, port: number, id: number, reason: unknown) => void;
  readonly #refusal: (peer: RuntimeId) => Error | undefined;
  readonly #pending = new IdMap<Pending>();
  #next: number;

  constructor(options: {
    clock: Clock;
    half: 0 | 1;
    send: (peer: RuntimeId, port: number, id: number, method: unknown, args: unknown) => void;
    cancel: (peer: RuntimeId, port: number, id: number, reason: unknown) => void;
    /** Gives the reason why a peer is not to be asked, if there is one. */
    refusal: (peer: RuntimeId) => Error | undefined;
  }) {
    this.#clock = options.clock;
    this.#send = options.send;
    this.#cancel = options.cancel;
    this.#refusal = options.refusal;
    this.#next = options.half + 2;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Whether a peer owes an answer. */
  asks(peer: RuntimeId): boolean {
    return this.#pending.some((pending) => pending.peer === peer);
  }

  /** Gives an id to a wait that an answer settles, but that is not sent as a request. */
  open(pending: Pending): number {
    const id = this.#next;
    this.#next += 2;
    this.#pending.set(id, pending);
    return id;
  }

  /** Whether nothing is to be sent for an id, because its peer is offline. Then the id is settled in a moment. RQ3 */
  refused(id: number, peer: RuntimeId): boolean {
    const refusal = this.#refusal(peer);
    if (refusal) this.#clock.defer(() => this.answered(id, false, refusal));
    return refusal !== undefined;
  }

  drop(id: number): void {
    this.#pending.delete(id);
  }

  /** Asks; `pending` hears the outcome. Throws if the arguments cannot travel. */
  request(pending: Pending, port: number, method: unknown, args: unknown): number {
    const id = this.open(pending);
    if (this.refused(id, pending.peer)) return id;
    try {
      this.#send(pending.peer, port, id, method, args);
    } catch (error) {
      this.#pending.delete(id);
      throw error;
    }
    return id;
  }

  /** Gives a request up: its answer will not be heard. RQ2 */
  cancel(peer: RuntimeId, port: number, id: number, reason: unknown): void {
    if (this.#pending.delete(id)) this.#cancel(peer, port, id, reason);
  }

  /** Asks, as a promise. Rejects with the other side's error, ERR_TIMEOUT, ERR_SESSION_LOST or the signal's reason. */
  ask(peer: RuntimeId, port: number, method: string, args: readonly unknown[], options: WaitOptions = {}): Promise<unknown> {
    return this.within(options, `'${method}'`, (settle) => {
      const id = this.request({ peer, settle }, port, method, args);
      return (reason) => this.cancel(peer, port, id, reason);
    });
  }

  /** Asks without a deadline. Rejects with the other side's error, or ERR_SESSION_LOST. */
  plain(peer: RuntimeId, port: number, method: string, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.request({ peer, settle: (ok, value) => (ok ? resolve(value) : reject(value)) }, port, method, args);
    });
  }

  /** Makes a promise for an outcome that `begin` starts; the function that `begin` returns gives it up. */
  within(options: WaitOptions, what: string, begin: (settle: OnAnswer) => (reason: unknown) => void): Promise<unknown> {
    const { timeout, signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const finish = (): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const giveUp = begin((ok, value) => {
        finish();
        if (ok) resolve(value);
        else reject(value);
      });
      const leave = (reason: unknown): void => {
        finish();
        giveUp(reason);
        reject(reason);
      };
      const onAbort = (): void => leave(signal?.reason);
      const timer =
        timeout === undefined
          ? undefined
          : this.#clock.after(timeout, () => leave(new FlotillaError('ERR_TIMEOUT', `${what} was not answered within ${timeout} ms.`)));
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  answered(id: number, ok: boolean, value: unknown): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id); // RQ1
    pending.settle(ok, value);
  }

  ended(peer: RuntimeId, end: SessionEnd): void {
    for (const [id, pending] of this.#pending) {
      if (pending.peer !== peer || !this.#pending.delete(id)) continue;
      pending.settle(false, sessionError(end, 'A request was not answered'));
    }
  }
}
