// One question after a name, to any number of peers.
import type { RuntimeId } from '../../base/index.ts';
import type { Post } from '../post/post.ts';
import { NAMES } from '../protocol.ts';
import type { NameKind } from './name.ts';

/** What a search asks for. */
export interface Sought {
  readonly kind: NameKind;
  readonly name: string;
  /** Whether peers that do not have it answer when it is registered with them, or at once. */
  readonly wait: boolean;
}

/** The peers that are asked for one name, until one has it. */
export class Search {
  /** Those that do not have it. */
  readonly denied = new Set<RuntimeId>();
  readonly #post: Post;
  readonly #sought: Sought;
  readonly #found: (what: unknown) => void;
  readonly #allDenied: () => void;
  readonly #asking = new Map<RuntimeId, number>();
  #over = false;

  /** `found` is told once, and `denied` each time that nobody is left who may still answer. */
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

  /** Asks a peer, unless it is being asked. */
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

  /** Nobody is asked any more. */
  stop(): void {
    this.#over = true;
    for (const [peer, id] of this.#asking) this.#post.requests.cancel(peer, NAMES.number, id, undefined);
    this.#asking.clear();
  }
}
