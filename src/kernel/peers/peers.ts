// Peers as a program sees them: it hears which are here, reaches more, and parts from them.
//
//   PE1. A listener is first told of all peers that are here, then of each change; the end of a peer always before its new beginning.
import { Events, FlotillaError, type RuntimeId, toError } from '../../base/index.ts';
import { DEFAULT_PORT, networkOf, parseAddress } from '../../transport/index.ts';
import type { Post } from '../post/post.ts';
import type { Hub } from '../sessions/hub.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import type { TaskRef, WaitOptions } from '../tasks/reference.ts';
import type { Finder } from './finder.ts';
import type { PeerStatus } from './status.ts';

/** A peer: an address, a runtime's id, an entry of `peers()`, or a reference to anything there. */
export type Where = string | { readonly id: RuntimeId } | { readonly runtime: RuntimeId };

type One = readonly [PeerInfo, ...PeerInfo[]];

/** The peers at an address: one at least, if it says a port or is of a network without machines; else all that answer on that machine. */
export type PeersAt<W extends string> = W extends `tcp://${infer Place}`
  ? PeersOf<Place>
  : W extends `${string}://${string}`
    ? One
    : PeersOf<W>;

type PeersOf<Place extends string> = Place extends `${string}]:${number}`
  ? One
  : Place extends `${string}::${string}`
    ? readonly PeerInfo[]
    : Place extends `${string}:${number}`
      ? One
      : readonly PeerInfo[];

/** Options of `runtime.peer`. */
export interface PeerOptions extends WaitOptions {
  /** The shared port at which a whole machine is asked; 9705 by default. (`udp_port`) */
  readonly udpPort?: number;
  /**
   * False: the connection is closed when nothing has been said for a pulse and no answer or end is awaited, and opened again by the
   * next word of either side; an end of the peer meanwhile is noticed then. Only between runtimes that both listen. True: it
   * stays. If absent, it stays as it was; true at first. (`stream_send`)
   */
  readonly keepOpen?: boolean;
  /** Also reaches all runtimes that this peer knows or finds on its own network, through it where they cannot be dialled. */
  readonly relay?: boolean;
}

interface PeersPost extends Post {
  readonly references: { own<T>(value: T): T };
}

/** The peers of one runtime. */
export class Peers {
  /** The peers that come and go; an `offline` always precedes the next `online` of a peer. */
  readonly events: Events<PeerStatus>;
  readonly #hub: Hub;
  readonly #post: PeersPost;
  readonly #finder: Finder;

  constructor(hub: Hub, post: PeersPost, finder: Finder) {
    this.#hub = hub;
    this.#post = post;
    this.#finder = finder;
    this.events = new Events((error) => post.log.error(`A listener to peers threw: ${toError(error).message}`));
    const tell = (status: PeerStatus['status'], peer: PeerInfo | undefined): void => {
      if (peer) this.events.emit({ kind: 'peer-status', status, peer });
    };
    post.on({
      opened: (peer) => tell('online', peer),
      offline: (peer) => tell('offline', post.peers.get(peer)),
      online: (peer) => tell('online', post.peers.get(peer)),
      ended: (_peer, _end, info) => tell('offline', info),
    });
    this.events.on(({ peer, status }) => {
      if (status === 'online' && peer.name === hub.options.name) {
        post.log.warn(
          `Another runtime has our name, '${peer.name}' (${peer.addresses.join(', ') || peer.id}): locatePeer() finds only one of them.`,
        );
      }
    });
  }

  present(): PeerStatus[] {
    return [...this.#post.peers.values()]
      .filter((peer) => peer.id !== this.#post.id)
      .map((peer) => ({ kind: 'peer-status', status: 'online', peer }));
  }

  /** Sends a task the peers that are here, then each change; returns a function that ends that. PE1 */
  tell(task: TaskRef<PeerStatus>): () => void {
    const send = (event: PeerStatus): void => {
      try {
        task.send(event);
      } catch (error) {
        off();
        this.#post.log.warn(`'${task.name}' does not read what it is told of peers, and is told no more: ${toError(error).message}`);
      }
    };
    const off = this.events.on(send);
    for (const event of this.present()) send(event);
    void task.ended.then(off);
    return off;
  }

  /** Gives the id of the peer that is meant; dials an address that there is no session with. */
  async idOf(where: Where, wait: WaitOptions): Promise<RuntimeId> {
    if (typeof where !== 'string') return 'runtime' in where ? this.#post.references.own(where).runtime : where.id;
    if (where === this.#post.id || this.#hub.addresses.includes(where)) return this.#post.id;
    if (this.#post.peers.has(where as RuntimeId)) return where as RuntimeId;
    if (/^[0-9a-f]{32}$/.test(where))
      throw new FlotillaError('ERR_REFERENCE_UNREACHABLE', `There is no session with the runtime ${where}.`);
    for (const peer of this.#post.peers.values()) if (peer.addresses.includes(where)) return peer.id;
    return this.connect(where, wait.timeout ? wait : { ...wait, timeout: this.#hub.options.answerMs });
  }

  async connect(location: string, { timeout = this.#hub.options.answerMs, signal }: WaitOptions): Promise<RuntimeId> {
    if (this.#finder.ignoring) throw new FlotillaError('ERR_PEERS_IGNORED', "This runtime takes no new peers: its 'ignorePeers' is true.");
    const address = parseAddress(this.#hub.options.environment.networks, location);
    const id = await this.#hub.connect(address, { timeoutMs: timeout, ...(signal ? { signal } : {}) });
    this.#finder.welcome(id);
    return id;
  }

  async add(
    where: string,
    { timeout = this.#hub.options.answerMs, signal, udpPort = DEFAULT_PORT, relay = false, keepOpen }: PeerOptions,
  ): Promise<readonly PeerInfo[]> {
    if (this.#finder.ignoring) throw new FlotillaError('ERR_PEERS_IGNORED', "This runtime takes no new peers: its 'ignorePeers' is true.");
    const { networks } = this.#hub.options.environment;
    const address = parseAddress(networks, where, 0);
    const machine = networkOf(networks, address).machine?.(address);
    const found = machine
      ? await this.#finder.machine(machine, udpPort, timeout, signal)
      : [this.#info(await this.connect(where, { timeout, ...(signal ? { signal } : {}) }))];
    if (keepOpen !== undefined) for (const peer of found) this.#hub.parking.keepOpen(peer.id, keepOpen);
    if (relay) for (const peer of found) await this.#finder.relay(peer.id, timeout);
    return found;
  }

  locate(name: string, { timeout, signal }: WaitOptions): Promise<PeerInfo> {
    for (const peer of this.#post.peers.values()) if (peer.name === name) return Promise.resolve(peer);
    return this.#post.requests.within(signal ? { signal } : {}, 'A peer', (settle) => {
      const finish = (ok: boolean, value: unknown): void => {
        timer?.cancel();
        off();
        settle(ok, value);
      };
      const off = this.events.on(({ status, peer }) => {
        if (status === 'online' && peer.name === name) finish(true, peer);
      });
      const timer =
        timeout === undefined
          ? undefined
          : this.#post.clock.after(timeout, () => {
              const names = [...this.#post.peers.values()].filter((peer) => peer.id !== this.#post.id).map((peer) => `'${peer.name}'`);
              const known = names.length > 0 ? `known are ${names.slice(0, 8).join(', ')}` : 'no peer is known';
              finish(false, new FlotillaError('ERR_NAME_UNKNOWN', `No runtime '${name}' was found within ${timeout} ms: ${known}.`));
            });
      return () => {
        timer?.cancel();
        off();
      };
    }) as Promise<PeerInfo>;
  }

  async part(where: Where, timeoutMs: number): Promise<void> {
    const id = await this.idOf(where, {});
    this.#finder.forget(id);
    await this.#hub.part(id, timeoutMs);
  }

  #info(id: RuntimeId): PeerInfo {
    return this.#post.peers.get(id) ?? { id, name: '', role: 'runtime', addresses: [] };
  }
}
