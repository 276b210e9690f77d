// The printed lines of a client's workers, on their way to that client: kept in order, held back while it takes none, and dropped when it
// is gone.
//
// The outbox belongs to a stay, not to a process: the last lines of a worker, which often say why it ended, are read after its end.
//
//   OB1. While a line is held, later ones are held, too, so that none overtakes it.
//   OB2. A stream is asked to wait when there is no room, so that its worker waits, too: else a chatty worker fills this host's memory.
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

  /** The client is there, and is given the held lines. */
  open(): void {
    if (this.#state === 'closed') this.#state = 'open';
    this.#look();
  }

  /** The client never came, or is gone: the held lines are dropped. */
  end(): void {
    this.#state = 'ended';
    this.#held.length = 0;
    this.#look();
  }

  say(notice: HostNotice): void {
    if (this.#waiting || this.#state === 'closed') this.#held.push(notice);
    else if (!this.#gone) this.#post.message(this.#client, TENANT, notice);
  }

  /** Resolves when all lines have left and there is room for more, or nobody is there to take them; undefined if that is so now. OB2 */
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

  // Gives lines as far as there is room, and lets those who wait go on when all have left.
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
