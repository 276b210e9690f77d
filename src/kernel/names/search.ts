// A search: one question after a name, to any number of peers.
import type { RuntimeId } from '../../base/index.ts';
import type { Post } from '../post/post.ts';
import { NAMES } from '../protocol.ts';
import type { NameKind } from './name.ts';

/** The name that a search asks for. */
export interface Sought {
  readonly kind: NameKind;
  readonly name: string;
  /** Whether a peer without the name answers only when it is registered there; if false, it answers at once. */
  readonly wait: boolean;
}

/** Asks peers for one name until one of them has it. */
export class Search {
  /** The peers that answered that they do not have the name. */
  readonly denied = new Set<RuntimeId>();
  readonly #post: Post;
  readonly #sought: Sought;
  readonly #found: (what: unknown) => void;
  readonly #allDenied: () => void;
  readonly #asking = new Map<RuntimeId, number>();
  #over = false;

  /** `found` is called once, `denied` each time that no peer is left that may still answer. */
  constructor(post: Post, sought: Sought, found: (what: unknown) => void, denied: () => void) {
    this.#post = post;
    this.#sought = sought;
    this.#found = found;
    this.#allDenied = denied;
  }

  /** Whether an answer is awaited. */
  get asks(): boolean {
    return this.#asking.size > 0;
  }

  /** Asks a peer, unless its answer is awaited already. */
  ask(peer: RuntimeId): void {
    if (this.#over || this.#asking.has(peer)) return;
    const { kind, name, wait } = this.#sought;
    const settle = (ok: boolean, value: unknown): void => {
      if (!this.#asking.delete(peer)) return;
      if (ok && value !== null && value !== undefined) {
        this.stop();
        return this.#found(value);
      }
      this.denied.add(peer);
      if (this.#asking.size === 0) this.#allDenied();
    };
    this.#asking.set(peer, -1);
    this.#asking.set(peer, this.#post.request({ peer, settle }, NAMES, 'find', [kind, name, wait]));
  }

  /** Ends the search, and gives up the questions that are under way. */
  stop(): void {
    this.#over = true;
    for (const [peer, id] of this.#asking) this.#post.requests.cancel(peer, NAMES.number, id, undefined);
    this.#asking.clear();
  }
}
