// Runtimes that find each other's names through this one: the workers of a client, which know nobody else.
//
//   FA1. What a member looks for is looked for at all members, those that come later included.
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

/** Those that one runtime joins. */
export class Family {
  readonly #post: Post;
  readonly #searches = new Map<string, Shared>();
  #members: Members = new Map();

  constructor(post: Post) {
    this.#post = post;
  }

  /** Says who they are. */
  among(members: Members): void {
    this.#members = members;
  }

  has(peer: RuntimeId): boolean {
    return this.#members.has(peer);
  }

  /** There are more of them. FA1 */
  more(): void {
    for (const { search } of this.#searches.values()) this.#askAll(search);
  }

  /** Asks each once. */
  once(asker: RuntimeId, sought: Sought): Promise<Nameable | null> {
    return new Promise((resolve) => {
      const search = new Search(this.#post, sought, resolve as (what: unknown) => void, () => resolve(null));
      this.#askAll(search, asker);
      if (!search.asks) resolve(null);
    });
  }

  /** Calls back when one of them has it; returns what ends the wait. FA2 */
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
