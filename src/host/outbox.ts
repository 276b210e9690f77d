// What the workers of a client print, on its way to that client: kept in order and held back while it takes nothing, given up when it is gone.
//
//   OB1. While anything is held, what comes later is held, too.
//   OB2. Who prints is asked to wait when there is no room: else a chatty worker fills this host's memory.
import { Deferred, type RuntimeId } from '../base/index.ts';
import type { Post } from '../kernel/index.ts';
import { type HostNotice, TENANT } from './protocol.ts';

/** The outbox of one stay of a client. */
export class Outbox {
  readonly #post: Post;
  readonly #client: RuntimeId;
  readonly #held: HostNotice[] = [];
  #waiting: Deferred<void> | undefined;
  #off: () => void = () => {};
  #state: 'closed' | 'open' | 'ended' = 'closed';

  constructor(post: Post, client: RuntimeId) {
    this.#post = post;
    this.#client = client;
  }

  /** The client is there and takes what was held. */
  open(): void {
    if (this.#state === 'closed') this.#state = 'open';
    this.#look();
  }

  /** The client never came, or is gone. */
  end(): void {
    this.#state = 'ended';
    this.#held.length = 0;
    this.#look();
  }

  say(notice: HostNotice): void {
    if (this.#waiting || this.#state === 'closed') this.#held.push(notice);
    else if (!this.#gone) this.#post.message(this.#client, TENANT, notice);
  }

  /** Resolves when all that was said has left and there is room for more, or nobody is there to take it; undefined if it is so. OB2 */
  untilRoom(): Promise<void> | undefined {
    if (this.#waiting) return this.#waiting.promise;
    if (this.#gone || (this.#held.length === 0 && this.#hasRoom)) return undefined;
    const waiting = new Deferred<void>();
    const mine = (peer: RuntimeId): void => {
      if (peer === this.#client) this.#look();
    };
    this.#off = this.#post.on({ room: mine, ended: mine });
    this.#waiting = waiting;
    this.#look();
    return waiting.promise;
  }

  // Whether those who wait may go on.
  #look(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#give();
    if (!this.#gone && (this.#held.length > 0 || !this.#hasRoom)) return;
    this.#waiting = undefined;
    this.#off();
    waiting.resolve();
  }

  // OB1
  #give(): void {
    if (this.#gone) this.#held.length = 0;
    let given = 0;
    for (const notice of this.#held) {
      if (!this.#hasRoom) break;
      this.#post.message(this.#client, TENANT, notice);
      given++;
    }
    this.#held.splice(0, given);
  }

  get #hasRoom(): boolean {
    return this.#state === 'open' && this.#post.carrier.hasRoom(this.#client);
  }

  get #gone(): boolean {
    return this.#state === 'ended' || (this.#state === 'open' && !this.#post.peers.has(this.#client));
  }
}
