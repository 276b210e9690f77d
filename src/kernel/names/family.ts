// A family: runtimes that find each other's names through this one, as the workers of a client do, which have no other peer.
//
//   FA1. A name that a member looks for is looked for at all members, those that come later included.
//   FA2. All members that wait for one name share one search.
import type { RuntimeId } from '../../base/index.ts';
import type { Post } from '../post/post.ts';
import type { Nameable } from './name.ts';
import { Search, type Sought } from './search.ts';

interface Shared {
  readonly search: Search;
  readonly waiting: Set<(found: Nameable) => void>;
}

type Members = Pick<ReadonlyMap<RuntimeId, unknown>, 'has' | 'keys'>;

/** The members of one runtime's family, and their searches. */
export class Family {
  readonly #post: Post;
  readonly #searches = new Map<string, Shared>();
  #members: Members = new Map();

  constructor(post: Post) {
    this.#post = post;
  }

  /** Sets the members; the map may grow and shrink afterwards. */
  among(members: Members): void {
    this.#members = members;
  }

  has(peer: RuntimeId): boolean {
    return this.#members.has(peer);
  }

  /** Asks members that have joined for all names that are being looked for. FA1 */
  more(): void {
    for (const { search } of this.#searches.values()) this.#askAll(search);
  }

  /** Asks each member once, but not the asker; resolves with null if none has the name. */
  once(asker: RuntimeId, sought: Sought): Promise<Nameable | null> {
    return new Promise((resolve) => {
      const search = new Search(this.#post, sought, resolve as (what: unknown) => void, () => resolve(null));
      this.#askAll(search, asker);
      if (!search.asks) resolve(null);
    });
  }

  /** Calls back when a member has the name; returns a function that ends the wait. FA2 */
  await(sought: Sought, found: (what: Nameable) => void): () => void {
    const key = `${sought.kind} ${sought.name}`;
    let shared = this.#searches.get(key);
    if (!shared) {
      const waiting = new Set<(found: Nameable) => void>();
      const tell = (what: unknown): void => {
        this.#searches.delete(key);
        for (const one of waiting) one(what as Nameable);
      };
      shared = { search: new Search(this.#post, sought, tell, () => {}), waiting };
      this.#searches.set(key, shared);
      this.#askAll(shared.search);
    }
    const mine = shared;
    mine.waiting.add(found);
    return () => {
      if (!mine.waiting.delete(found) || mine.waiting.size > 0) return;
      mine.search.stop();
      if (this.#searches.get(key) === mine) this.#searches.delete(key);
    };
  }

  #askAll(search: Search, but?: RuntimeId): void {
    for (const member of this.#members.keys()) if (member !== but && member !== this.#post.id) search.ask(member);
  }
}
