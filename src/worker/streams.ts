// The values of generators on their way to the client: never more at a time than it has room for.
//
//   SV1. Yielded values leave while the generator computes on; a generator that never waits gives others their turn, too.
import type { Clock, RuntimeId } from '../base/index.ts';
import type { Post } from '../kernel/index.ts';
import type { Current } from './current.ts';
import { CALLER, type Taken } from './protocol.ts';

const WINDOW = 64;
const FLUSH_MS = 1;
const YIELD_MS = 10;

interface Credit {
  count: number;
  wake: (() => void) | undefined;
}

/** The streams of one worker. */
export class Streams {
  readonly #post: Post;
  readonly #clock: Clock;
  readonly #turn: () => Promise<void>;
  readonly #credits = new Map<number, Credit>();
  #flushedAt = 0;

  constructor({ post, clock, turn }: { readonly post: Post; readonly clock: Clock; readonly turn: () => Promise<void> }) {
    this.#post = post;
    this.#clock = clock;
    this.#turn = turn;
  }

  /** Sends the values of a call to its client. Rejects with what the generator throws, or the signal's reason. */
  async send(peer: RuntimeId, call: number, { signal }: Current, values: AsyncIterable<unknown>): Promise<void> {
    const credit: Credit = { count: WINDOW, wake: undefined };
    this.#credits.set(call, credit);
    const woken = (): void => credit.wake?.();
    signal.addEventListener('abort', woken);
    let turnedAt = this.#clock.now();
    try {
      signal.throwIfAborted();
      for await (const value of values) {
        this.#post.message(peer, CALLER, { kind: 'item', call, value });
        credit.count--;
        while (credit.count <= 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            credit.wake = resolve;
          });
        }
        turnedAt = await this.#share(turnedAt);
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener('abort', woken);
      this.#credits.delete(call);
    }
  }

  /** The client has taken some values, and has room for as many more. */
  credit({ call, more }: Taken): void {
    const credit = this.#credits.get(call);
    if (!credit) return;
    credit.count += more;
    credit.wake?.();
  }

  // SV1
  async #share(turnedAt: number): Promise<number> {
    const now = this.#clock.now();
    if (now - this.#flushedAt > FLUSH_MS) {
      this.#post.flush();
      this.#flushedAt = now;
    }
    if (now - turnedAt <= YIELD_MS) return turnedAt;
    await this.#turn();
    return this.#clock.now();
  }
}
