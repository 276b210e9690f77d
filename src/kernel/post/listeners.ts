// Listeners hear of the sessions with peers. There are any number of them, each until it takes itself back.
import { type Log, type RuntimeId, toError } from '../../base/index.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import type { SessionEnd } from '../sessions/session.ts';

/** Hears of peers; a listener has the methods for the events that it wants to hear. */
export interface PeerListener {
  /** A session has opened: the peer was not here before. */
  opened?(peer: PeerInfo): void;
  /** A peer is silent past the limit, but held. */
  offline?(peer: RuntimeId): void;
  /** A peer that was offline is heard again. */
  online?(peer: RuntimeId): void;
  /** A session has ended, and all waits on it; `info` says who the peer was, if the session ever opened. */
  ended?(peer: RuntimeId, end: SessionEnd, info: PeerInfo | undefined): void;
  /** There is room again to send to a peer. */
  room?(peer: RuntimeId): void;
}

/** The listeners of one runtime. A listener that throws harms no other. */
export class PeerListeners {
  readonly #log: Log;
  readonly #listeners = new Set<PeerListener>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Has a listener hear of peers from now on; returns a function that ends that. */
  on(listener: PeerListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  opened(peer: PeerInfo): void {
    this.#tell((listener) => listener.opened?.(peer));
  }

  offline(peer: RuntimeId): void {
    this.#tell((listener) => listener.offline?.(peer));
  }

  online(peer: RuntimeId): void {
    this.#tell((listener) => listener.online?.(peer));
  }

  ended(peer: RuntimeId, end: SessionEnd, info: PeerInfo | undefined): void {
    this.#tell((listener) => listener.ended?.(peer, end, info));
  }

  room(peer: RuntimeId): void {
    this.#tell((listener) => listener.room?.(peer));
  }

  #tell(one: (listener: PeerListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        one(listener);
      } catch (error) {
        this.#log.error(`A listener to peers threw: ${toError(error).message}`);
      }
    }
  }
}
