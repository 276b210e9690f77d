// The finder brings runtimes together: it opens sessions with those that are heard nearby, with seeds, and with those a relay knows.
//
// Owns the beacon, the seeds, and the list of runtimes that it relays for. Does not own sessions (hub.ts), nor announcements (beacon.ts).
//
//   FN1. The runtime that asked and was answered dials; if no session has come of it after a while, the other dials.
//   FN2. A seed is dialled again, at growing intervals, for as long as the runtime lives.
//   FN3. A peer that was closed on purpose is not looked for again until it is asked for, or comes by itself.
import { setMaxListeners } from 'node:events';
import { Backoff, dropFirst, FlotillaError, type RuntimeId, randomFraction, sleep, toError } from '../../base/index.ts';
import { Beacon, type DatagramOptions, type Heard } from '../../discovery/index.ts';
import { DEFAULT_PORT, networkOf, parseAddress } from '../../transport/index.ts';
import type { Post } from '../post/post.ts';
import { PEERS } from '../protocol.ts';
import type { Hub } from '../sessions/hub.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import { probe } from './probe.ts';

const OTHERS_TURN_MS = 1_000;
const SEED = { firstMs: 200, mostMs: 30_000 } as const;
const ASK_AGAIN_MS = 400;
const GATHER_MS = 300;
const MOST_CLOSED = 10_000;

/** The datagrams by which a finder looks for runtimes nearby, and its seeds. */
export interface FinderOptions {
  readonly datagrams: DatagramOptions | undefined;
  readonly seeds: readonly string[];
}

/** Finds peers for one runtime. */
export class Finder {
  ignoring = false;
  readonly #hub: Hub;
  readonly #post: Post;
  readonly #options: FinderOptions;
  readonly #stop = new AbortController();
  readonly #closed = new Set<RuntimeId>();
  readonly #opening = new Set<RuntimeId>();
  /** The callbacks that wait for answers from a machine. */
  readonly #asking = new Set<(found: PeerInfo) => void>();
  readonly #relayed = new Set<RuntimeId>();
  #beacon: Beacon | undefined;
  readonly #off: () => void;

  constructor(hub: Hub, post: Post, options: FinderOptions) {
    this.#hub = hub;
    this.#post = post;
    this.#options = options;
    setMaxListeners(0, this.#stop.signal); // it has a listener for each peer that is being looked for
    post.serve(
      PEERS,
      {
        relay: (asked) => {
          this.#relayed.add(asked.peer);
          this.#beacon?.again();
          return [...post.peers.values()].filter((peer) => peer.id !== post.id && peer.id !== asked.peer);
        },
        probe: (_asked, addresses, hosts, port, nonce) => probe(hub, addresses, hosts, port, nonce),
      },
      {
        message: (via, { peer }) => this.#near(via, peer),
      },
    );
    this.#off = post.on({
      opened: (peer) => this.#tellRelayed(peer),
      online: (id) => {
        const peer = post.peers.get(id);
        if (peer) this.#tellRelayed(peer);
      },
      ended: (peer) => {
        this.#relayed.delete(peer);
        if (!this.#closed.has(peer)) this.#beacon?.again(); // the peer may be back soon
      },
    });
  }

  /** Begins to announce and to hear. Rejects with ERR_DISCOVERY. */
  async start(): Promise<void> {
    const { datagrams } = this.#options;
    if (datagrams) await this.#listen(datagrams, true);
    for (const seed of this.#options.seeds) void this.#keep(seed);
  }

  /** Looks for others again, now. */
  again(): void {
    this.#beacon?.again();
  }

  /** Finds all runtimes of one machine, by its shared port. Rejects with ERR_LINK_UNREACHABLE if none has answered in time. */
  async machine(host: string, port: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<readonly PeerInfo[]> {
    const beacon = this.#beacon ?? (await this.#listen(quiet(port), false)); // a beacon for this question only, which announces nothing
    const { clock } = this.#hub.options.environment;
    const found = new Map<RuntimeId, PeerInfo>();
    const started = clock.now();
    let lastAt = started;
    const hear = (peer: PeerInfo): void => {
      if (!found.has(peer.id)) lastAt = clock.now();
      found.set(peer.id, peer);
    };
    this.#asking.add(hear);
    try {
      for (;;) {
        beacon.ask(host, port);
        await sleep(clock, found.size > 0 ? GATHER_MS : ASK_AGAIN_MS, signal);
        if (found.size > 0 && clock.now() - lastAt >= GATHER_MS) return [...found.values()];
        if (clock.now() - started < timeoutMs) continue;
        throw new FlotillaError(
          'ERR_LINK_UNREACHABLE',
          `No runtime on ${host} answered at port ${port} (udp) within ${timeoutMs / 1000} s. Does one run there with discover: true, with the same secret? Is the port open in the firewall? With a port (${host}:9705) it is dialled directly.`,
        );
      }
    } finally {
      this.#asking.delete(hear);
      if (beacon !== this.#beacon) await beacon.close();
    }
  }

  /** Learns which runtimes a peer knows, now and later, and opens sessions with all of them, through that peer if need be. */
  async relay(via: RuntimeId, timeoutMs: number): Promise<void> {
    const known = await this.#post.at(via, PEERS, { timeout: timeoutMs }).relay();
    for (const peer of known) this.#near(via, peer);
  }

  /** Remembers that a peer was closed on purpose. FN3 */
  forget(peer: RuntimeId): void {
    this.#closed.add(peer);
    if (this.#closed.size > MOST_CLOSED) dropFirst(this.#closed);
  }

  welcome(peer: RuntimeId): void {
    this.#closed.delete(peer);
  }

  async close(): Promise<void> {
    this.#off();
    this.#stop.abort(new FlotillaError('ERR_CLOSED', 'The runtime is closed.'));
    await this.#beacon?.close();
  }

  async #listen(datagrams: DatagramOptions, announces: boolean): Promise<Beacon> {
    const { environment, keys } = this.#hub.options;
    const { networks } = environment;
    const held: { beacon?: Beacon } = {};
    const socket = await environment.datagrams.open(datagrams, (bytes, from) => held.beacon?.take(bytes, from));
    const beacon = new Beacon(
      {
        id: this.#hub.id,
        name: () => this.#hub.options.name,
        addresses: () => this.#hub.addresses.filter((text) => networkOf(networks, parseAddress(networks, text)).announced),
        signer: {
          ids: keys.all.map((one) => one.id),
          sign: (id, bytes) => keys.find(id)?.sign(bytes) ?? Buffer.alloc(32),
          verify: (id, bytes, signature) => keys.find(id)?.verifySignature(bytes, signature) ?? false,
        },
        clock: environment.clock,
        random: environment.random,
        port: datagrams.port,
        multicast: datagrams.multicast !== false,
        log: this.#post.log,
        speaks: () => !this.ignoring,
        heard: (heard) => this.#heard(heard),
        knows: (id) => this.#hub.isOpen(id),
      },
      socket,
    );
    held.beacon = beacon;
    if (this.#stop.signal.aborted) {
      await beacon.close();
      throw this.#stop.signal.reason;
    }
    if (announces) {
      this.#beacon = beacon;
      beacon.again();
    }
    return beacon;
  }

  // Takes an announcement or an answer, and dials its sender: at once after an answer, else when the sender had its chance. FN1
  #heard({ id, name, addresses, by }: Heard): void {
    if (addresses.length === 0 && by === 'answer') return;
    this.#hub.reach(id, addresses);
    const listeners = by === 'answer' ? [...this.#asking] : [];
    if (listeners.length > 0) {
      this.welcome(id);
      void this.#open(id, name).then((peer) => {
        if (peer) for (const hear of listeners) hear(peer);
      });
      return;
    }
    if (this.#closed.has(id) || this.#post.peers.has(id) || this.#opening.has(id)) return;
    if (by === 'answer') return void this.#open(id, name);
    if (addresses.length === 0) return;
    const { clock, random } = this.#hub.options.environment;
    this.#opening.add(id);
    sleep(clock, OTHERS_TURN_MS * (0.5 + randomFraction(random)), this.#stop.signal)
      .then(() => this.#open(id, name))
      .catch(() => {})
      .finally(() => this.#opening.delete(id));
  }

  #near(via: RuntimeId, peer: PeerInfo): void {
    if (typeof peer?.id !== 'string' || !Array.isArray(peer.addresses) || peer.id === this.#hub.id || this.#closed.has(peer.id)) return;
    this.#hub.reach(peer.id, peer.addresses.map(String), via);
    if (!this.#post.peers.has(peer.id)) void this.#open(peer.id, peer.name);
  }

  async #open(id: RuntimeId, name: string): Promise<PeerInfo | undefined> {
    if (this.ignoring) return undefined;
    try {
      await this.#hub.open(id, this.#hub.options.answerMs, this.#stop.signal);
      return this.#post.peers.get(id);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#post.log.debug(`'${name}' was heard nearby, but: ${toError(error).message}`);
      return undefined;
    }
  }

  // Keeps a session with a seed. FN2
  async #keep(seed: string): Promise<void> {
    const { clock, random, networks } = this.#hub.options.environment;
    const { signal } = this.#stop;
    const backoff = new Backoff({ ...SEED, random: () => randomFraction(random) });
    let told = false;
    while (!signal.aborted) {
      try {
        const address = parseAddress(networks, seed, DEFAULT_PORT);
        const id = await this.#hub.connect(address, { timeoutMs: this.#hub.options.answerMs, signal });
        backoff.reset();
        told = false;
        await this.#untilGone(id);
      } catch (error) {
        if (signal.aborted) return;
        if (!told) this.#post.log.warn(`The seed ${seed} does not answer; it is tried again and again. ${toError(error).message}`);
        told = true;
      }
      await sleep(clock, backoff.next(), signal).catch(() => {});
    }
  }

  #tellRelayed(peer: PeerInfo): void {
    const { peers } = this.#post;
    for (const to of this.#relayed) if (to !== peer.id && peers.has(to)) this.#post.message(to, PEERS, { kind: 'peer', peer });
  }

  #untilGone(id: RuntimeId): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        off();
        this.#stop.signal.removeEventListener('abort', done);
        resolve();
      };
      const gone = (peer: RuntimeId): void => {
        if (peer === id) done();
      };
      const off = this.#post.on({ offline: gone, ended: gone });
      this.#stop.signal.addEventListener('abort', done, { once: true });
      if (!this.#post.peers.has(id)) done();
    });
  }
}

// Options for a beacon that asks and is answered, but tells no one that it is here.
function quiet(port: number): DatagramOptions {
  return { port, multicast: false, loopback: false, family: undefined, listens: false };
}
