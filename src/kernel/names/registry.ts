// The registry has the names of one runtime, and finds names at peers.
//
// Owns the names and the searches for them. Does not own the tasks, channels and services that they stand for.
//
//   RG1. In one runtime a name stands for one thing of its kind; it is free again when that ends.
//   RG2. A search ends with the first positive answer; a denial decides nothing while others may still know.
//   RG3. A search that waits hears of a name when it is registered, and asks peers that appear later.
//
// No runtime keeps a list of all names: a list would be wrong whenever a task ends, and somebody would have to be in charge of it. A
// search asks every peer instead, and a peer that lacks the name keeps the question and answers when the name is registered. So the two
// programs may start in any order, and nobody asks again and again.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import type { Asked } from '../post/door.ts';
import type { Post } from '../post/post.ts';
import { NAMES as DOOR } from '../protocol.ts';
import { Family } from './family.ts';
import { checkName, type LocateOptions, type Nameable, type NameKind } from './name.ts';
import { Search } from './search.ts';

/** The most names that one runtime has, and the most searches that it keeps waiting for one peer. */
export const NAMES = { registered: 100_000, searchesEach: 10_000 } as const;
const WARN_FIRST_MS = 5_000;
const WARN_MS = 30_000;

/** The names of one runtime. */
export class Registry {
  /** The runtimes that find each other's names through this one. */
  readonly family: Family;
  readonly #post: Post;
  readonly #names = new Map<string, Nameable>();
  readonly #held = new Map<number, Set<string>>();
  readonly #waiting = new Map<string, Set<(found: Nameable) => void>>();
  readonly #searches = new Map<RuntimeId, number>();

  constructor(post: Post) {
    this.#post = post;
    this.family = new Family(post);
    post.serve(DOOR, { find: (asked, kind, name, wait) => this.#find(asked, kind, name, wait) });
  }

  get size(): number {
    return this.#names.size;
  }

  /** Gives a name. Throws ERR_NAME_TAKEN, ERR_OPTION_INVALID or ERR_LIMIT. RG1 */
  register(kind: NameKind, name: string, what: Nameable): void {
    const key = keyOf(kind, checkName(name));
    const holder = this.#names.get(key);
    if (holder && holder.id === what.id) return;
    if (holder) {
      throw new FlotillaError('ERR_NAME_TAKEN', `The name '${name}' is taken here by another ${kind} (${holder.id}).`);
    }
    if (this.#names.size >= NAMES.registered) throw new FlotillaError('ERR_LIMIT', `This runtime has ${NAMES.registered} names already.`);
    this.#names.set(key, what);
    const held = this.#held.get(what.number) ?? new Set();
    this.#held.set(what.number, held.add(key));
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const found of waiting ?? []) found(what); // RG3
  }

  /** Takes a name back from its holder; says whether it held the name. */
  unregister(kind: NameKind, name: string, what: Nameable): boolean {
    const key = keyOf(kind, name);
    if (this.#names.get(key)?.id !== what.id) return false;
    this.#held.get(what.number)?.delete(key);
    return this.#names.delete(key);
  }

  /** Frees every name of the task, channel or service of this number, which has ended. */
  release(number: number): void {
    for (const key of this.#held.get(number) ?? []) this.#names.delete(key);
    this.#held.delete(number);
  }

  /** Finds a name: first here, then at all peers at once, those that come later included. RG2 */
  locate(kind: NameKind, name: string, options: LocateOptions = {}): Promise<unknown> {
    checkName(name);
    const { at, timeout, signal } = options;
    const post = this.#post;
    const here = at === undefined || at === post.id || post.carrier.addresses.includes(at);
    const own = here ? this.#names.get(keyOf(kind, name)) : undefined;
    if (own) return Promise.resolve(own);
    const wait = timeout !== 0;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        timer?.cancel();
        warning.cancel();
        signal?.removeEventListener('abort', onAbort);
        off();
        forget();
        search.stop();
        act();
      };
      const fail = (): void => settle(() => reject(this.#unknown(kind, name, options, search.denied)));
      const onAbort = (): void => settle(() => reject(signal?.reason));
      const found = (what: unknown): void => settle(() => resolve(what));
      const search = new Search(post, { kind, name, wait }, found, () => {
        if (!wait) fail();
      });
      const ask = (peer: RuntimeId): void => {
        if (peer !== post.id && this.#meant(peer, at)) search.ask(peer);
      };
      if (signal?.aborted) return reject(signal.reason);
      const forget = here && wait ? this.#await(keyOf(kind, name), found) : () => {};
      const off = wait ? post.on({ opened: ({ id }) => ask(id), online: ask }) : () => {};
      const timer = wait && timeout !== undefined ? post.clock.after(timeout, fail) : undefined;
      let warning = post.clock.after(
        WARN_FIRST_MS,
        function warn() {
          post.log.warn(`Still looking for the ${kind} '${name}': ${whoWasAsked(post, search.denied)}.`);
          warning = post.clock.after(WARN_MS, warn, { background: true });
        },
        { background: true },
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      for (const peer of [...post.peers.keys()]) ask(peer);
      if (!wait && !search.asks) fail();
    });
  }

  #find(asked: Asked, kind: NameKind, name: string, wait: boolean): unknown {
    const own = this.#names.get(keyOf(kind, name));
    if (own) return own;
    const { peer, signal } = asked;
    const sought = { kind, name, wait };
    const joins = this.family.has(peer);
    if (!wait) return joins ? this.family.once(peer, sought) : null;
    const count = this.#searches.get(peer) ?? 0;
    if (count >= NAMES.searchesEach) throw new FlotillaError('ERR_LIMIT', `${NAMES.searchesEach} searches of yours wait here already.`);
    this.#searches.set(peer, count + 1);
    return new Promise((resolve) => {
      const done = (what: Nameable | null): void => {
        forget();
        leave();
        const left = (this.#searches.get(peer) ?? 1) - 1;
        if (left > 0) this.#searches.set(peer, left);
        else this.#searches.delete(peer);
        resolve(what);
      };
      const forget = this.#await(keyOf(kind, name), done);
      const leave = joins ? this.family.await(sought, done) : () => {};
      signal.addEventListener('abort', () => done(null), { once: true });
    });
  }

  #await(key: string, found: (what: Nameable) => void): () => void {
    let waiting = this.#waiting.get(key);
    if (!waiting) {
      waiting = new Set();
      this.#waiting.set(key, waiting);
    }
    waiting.add(found);
    return () => {
      const left = this.#waiting.get(key);
      left?.delete(found);
      if (left?.size === 0) this.#waiting.delete(key);
    };
  }

  #meant(peer: RuntimeId, at: string | undefined): boolean {
    if (at === undefined || at === peer) return true;
    const info = this.#post.peers.get(peer);
    return info?.addresses.includes(at) ?? false;
  }

  #unknown(kind: NameKind, name: string, { at, timeout }: LocateOptions, denied: ReadonlySet<RuntimeId>): FlotillaError {
    const peer = at === undefined ? undefined : this.#post.peers.get(at as RuntimeId);
    const where = at === undefined ? '' : ` at ${peer ? `'${peer.name}'` : at}`;
    const waited = timeout ? ` within ${timeout} ms` : '';
    return new FlotillaError(
      'ERR_NAME_UNKNOWN',
      `No ${kind} '${name}'${where} was found${waited}: ${whoWasAsked(this.#post, denied, at === undefined ? undefined : (peer) => this.#meant(peer, at))}.`,
    );
  }
}

function keyOf(kind: NameKind, name: string): string {
  return `${kind} ${name}`;
}

const MOST_SHOWN = 8;

function whoWasAsked(post: Post, denied: ReadonlySet<RuntimeId>, meant?: (peer: RuntimeId) => boolean): string {
  if (meant?.(post.id)) return "it is this runtime's own place, and nothing here has it";
  const peers = [...post.peers.values()].filter(({ id }) => id !== post.id && (meant?.(id) ?? true));
  if (peers.length === 0)
    return 'no peer is known; is the other program running, with the same secret, and reachable by discovery, a seed or peer()';
  const names = peers.slice(0, MOST_SHOWN).map((peer) => `'${peer.name}'${denied.has(peer.id) ? ' (does not have it)' : ''}`);
  return `asked ${names.join(', ')}${peers.length > MOST_SHOWN ? ` and ${peers.length - MOST_SHOWN} more` : ''}`;
}
