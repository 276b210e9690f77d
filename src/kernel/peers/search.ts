// Searches for a name at one address. Perhaps no runtime listens there yet, so the address is dialled again and again: locate() waits
// for a name that is not registered yet, and does so here, too.
import {
  Backoff,
  type ErrorCode,
  FlotillaError,
  hasCode,
  onAbort,
  type RuntimeId,
  randomFraction,
  sleep,
  toError,
} from '../../base/index.ts';
import type { Environment } from '../environment.ts';
import type { LocateOptions, Name } from '../names/name.ts';
import type { Post } from '../post/post.ts';
import type { Peers } from './peers.ts';

const FIRST_MS = 50;
const MOST_MS = 2_000;
const WARN_FIRST_MS = 5_000;
const WARN_MS = 30_000;

// Failures that may pass in a moment.
const PASSING: readonly ErrorCode[] = ['ERR_LINK_UNREACHABLE', 'ERR_LINK_LOST', 'ERR_TIMEOUT', 'ERR_SESSION_LOST'];

/** Finds a name at an address. Rejects with ERR_NAME_UNKNOWN after the timeout, ERR_LINK_* if waiting is vain, or the signal's reason. */
export async function locateAt(
  { post, peers, environment }: { readonly post: SearchPost; readonly peers: Peers; readonly environment: Environment },
  name: Name | string,
  options: LocateOptions & { readonly at: string },
): Promise<unknown> {
  const { at, timeout, signal } = options;
  const { clock, random } = environment;
  if (timeout === 0) return post.locate(name, { ...options, at: await peers.idOf(at, signal ? { signal } : {}) });
  const started = clock.now();
  const left = (): number | undefined => (timeout === undefined ? undefined : Math.max(1, timeout - (clock.now() - started)));
  const backoff = new Backoff({ firstMs: FIRST_MS, mostMs: MOST_MS, random: () => randomFraction(random) });
  let warnAt = started + WARN_FIRST_MS;
  for (;;) {
    try {
      const id = await peers.idOf(at, within(left(), signal));
      return await whilePeer(post, id, signal, (until) => post.locate(name, { ...within(left(), until), at: id }));
    } catch (error) {
      signal?.throwIfAborted();
      if (!PASSING.some((code) => hasCode(error, code))) throw error;
      const why = toError(error).message;
      if (timeout !== undefined && clock.now() - started + FIRST_MS >= timeout) {
        const what = typeof name === 'string' ? `task '${name}'` : `${name.kind} '${name.name}'`;
        throw new FlotillaError('ERR_NAME_UNKNOWN', `No ${what} at ${at} was found within ${timeout} ms: ${why}`, { cause: error });
      }
      if (clock.now() >= warnAt) {
        post.log.warn(`Still looking for a name at ${at}: ${why}`);
        warnAt = clock.now() + WARN_MS;
      }
      await sleep(clock, Math.min(backoff.next(), left() ?? MOST_MS), signal);
    }
  }
}

function within(
  timeout: number | undefined,
  signal: AbortSignal | undefined,
): { readonly timeout?: number; readonly signal?: AbortSignal } {
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal ? { signal } : {}) };
}

interface SearchPost extends Post {
  locate(name: Name | string, options?: LocateOptions): Promise<unknown>;
}

// Gives a wait for a peer up when the peer is gone, because another may listen at its address then.
async function whilePeer<R>(
  post: SearchPost,
  id: RuntimeId,
  signal: AbortSignal | undefined,
  wait: (until: AbortSignal) => Promise<R>,
): Promise<R> {
  const until = new AbortController();
  const offAbort = onAbort(signal, () => until.abort(signal?.reason));
  const gone = (peer: RuntimeId, name = post.peers.get(peer)?.name): void => {
    if (peer === id && name !== undefined) until.abort(new FlotillaError('ERR_SESSION_LOST', `'${name}' is gone.`));
  };
  const offPeer = post.on({ offline: (peer) => gone(peer), ended: (peer, _end, info) => gone(peer, info?.name) });
  try {
    return await wait(until.signal);
  } finally {
    offAbort();
    offPeer();
  }
}
