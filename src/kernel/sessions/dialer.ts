// The dialer reaches peers: by which addresses, in what order, for how long, and when it gives up.
//
//   DI1. A peer is dialled at its own addresses first, then through runtimes that have a session with it.
//   DI2. A new session is tried as long as an answer is waited for; one that was cut, until it has been silent for the limit.
//   DI3. An answer or a refusal at an address that means this machine says nothing of a peer that may be on another.
//   DI4. A refusal where a peer used to listen, repeated, is proof that it is gone; so is another runtime's answer.
//   DI5. An address that this runtime cannot read, as that of a network which it does not have, is never dialled, and does not keep
//        it from dialling the others.
import { setMaxListeners } from 'node:events';
import { Backoff, dropFirst, FlotillaError, hasCode, type RuntimeId, randomFraction, sleep, toError } from '../../base/index.ts';
import {
  type Address,
  type Conn,
  type Dial,
  dialAndGreet,
  type Greeted,
  networkOf,
  parseAddress,
  type Self,
} from '../../transport/index.ts';
import type { HubOptions } from './hub-options.ts';
import type { Relay } from './relay.ts';
import type { Session, SessionEnd } from './session.ts';

/** How long a new session is tried for. */
const DIAL_MS = 3_000;
const REFUSALS_ARE_PROOF = 3;
/** Failures that trying again does not change. */
const HOPELESS = ['ERR_LINK_WRONG_SECRET', 'ERR_LINK_CERTIFICATE', 'ERR_LINK_VERSION'] as const;
const YIELD_MS = 1_000;
const ROUTES_KEPT = 20_000;
const EXPOSED_KEPT = 1_000;

interface Route {
  readonly addresses: Set<string>;
  readonly via: Set<RuntimeId>;
}

/** The parts of a hub that dialling needs: to know who is there, to hand over a link that is up, to report a peer that is gone. */
interface Dialling {
  readonly id: RuntimeId;
  readonly self: Self;
  readonly options: HubOptions;
  /** How long a peer may be silent. */
  readonly silenceMs: number;
  session(peer: RuntimeId): Session | undefined;
  isOpen(peer: RuntimeId): boolean;
  greeted(conn: Conn, greeted: Greeted, dialled: Session): Promise<void>;
  end(peer: RuntimeId, end: SessionEnd): void;
  silent(session: Session): 'kept' | 'ended';
}

/** Opens links for sessions that have none. */
export class Dialer {
  readonly #hub: Dialling;
  readonly #relay: Relay;
  readonly #routes = new Map<RuntimeId, Route>();
  readonly #busy = new Map<RuntimeId, Promise<void>>();
  readonly #opening = new Set<RuntimeId>();
  readonly #exposed = new Set<string>();
  readonly #closing = new AbortController();

  constructor(hub: Dialling, relay: Relay) {
    this.#hub = hub;
    this.#relay = relay;
    setMaxListeners(0, this.#closing.signal); // as many as there are peers being dialled
  }

  reach(peer: RuntimeId, addresses: readonly string[], via?: RuntimeId): void {
    let route = this.#routes.get(peer);
    if (!route) {
      if (this.#routes.size >= ROUTES_KEPT) dropFirst(this.#routes);
      route = { addresses: new Set(), via: new Set() };
      this.#routes.set(peer, route);
    }
    for (const address of addresses) route.addresses.add(address);
    if (via && via !== peer && via !== this.#hub.id) route.via.add(via);
  }

  /** Whether a peer has an address that can be dialled from here. */
  canDial(peer: RuntimeId): boolean {
    return [...(this.#routes.get(peer)?.addresses ?? [])].some((text) => this.#read(text).address);
  }

  // Reads an address that a peer told; gives the error if this runtime has no such network. DI5
  #read(text: string): { readonly address?: Address; readonly error?: Error } {
    try {
      return { address: parseAddress(this.#hub.options.environment.networks, text) };
    } catch (error) {
      return { error: toError(error) };
    }
  }

  /** Whether an OPEN of ours is on its way to this peer. */
  isOpening(peer: RuntimeId): boolean {
    return this.#opening.has(peer);
  }

  /** Aborts when the runtime closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Gives the way to dial an address. One where a plain connection turned out to be exposed is dialled encrypted from then on. */
  way(address: Address, timeoutMs: number, signal: AbortSignal = this.#closing.signal): Dial {
    const { environment, certificate, encrypt } = this.#hub.options;
    const network = networkOf(environment.networks, address);
    const text = network.print(address);
    return ({ psk }, exposed) => {
      if (exposed) this.#exposed.add(text);
      if (this.#exposed.size > EXPOSED_KEPT) dropFirst(this.#exposed);
      const always = exposed || this.#exposed.has(text);
      return network.dial(address, { timeoutMs, psk, encrypt: always ? 'always' : encrypt, signal, certificate });
    };
  }

  /** Sends our OPEN on a link that was dialled; resolves when it is the session's. Rejects with ERR_LINK_LOST or why the peer refuses. */
  async attach(conn: Conn, greeted: Greeted, session: Session): Promise<void> {
    this.#opening.add(session.peer);
    try {
      await this.#hub.greeted(conn, greeted, session);
    } finally {
      this.#opening.delete(session.peer);
    }
  }

  /** Sees to it that the session gets a link, or ends. */
  establish(session: Session): void {
    if (this.#busy.has(session.peer) || this.#closing.signal.aborted) return;
    const work = this.#run(session)
      .catch(() => {})
      .finally(() => {
        this.#busy.delete(session.peer);
        if (!session.ended && session.state.kind !== 'open') this.establish(session);
      });
    this.#busy.set(session.peer, work);
  }

  /** Dials a silent peer that has a link. If nothing is known to dial, the link stays, because only the other side can make another. */
  anew(session: Session): void {
    const route = this.#routes.get(session.peer);
    if (session.state.kind !== 'open' || !route || route.addresses.size + route.via.size === 0) return;
    const { link } = session.state;
    session.cut(this.#hub.options.environment.clock.now());
    link.destroy();
    this.establish(session);
  }

  async close(): Promise<void> {
    this.#closing.abort(new FlotillaError('ERR_CLOSED', 'This runtime is closed.'));
    await Promise.all(this.#busy.values());
  }

  async #run(session: Session): Promise<void> {
    const { clock, random } = this.#hub.options.environment;
    const backoff = new Backoff({ firstMs: 20, mostMs: 2_000, random: () => randomFraction(random) });
    const wasOpen = session.state.kind === 'cut';
    const started = clock.now();
    let refusals = 0;
    let lastError: Error | undefined;
    if (wasOpen && !session.dialled) await sleep(clock, YIELD_MS, this.#closing.signal); // the side that dialled before dials again first, so that the two do not meet
    while (this.#waits(session)) {
      const outcome = await this.#tryAll(session);
      if (!this.#waits(session)) return;
      if (outcome.error) lastError = outcome.error;
      refusals = outcome.refused ? refusals + 1 : 0;
      const proof = outcome.stale ?? (wasOpen && refusals >= REFUSALS_ARE_PROOF ? 'nothing listens at its address any more' : undefined);
      if (proof)
        return this.#hub.end(session.peer, { kind: 'gone', message: proof, ...(outcome.stale ? { code: 'ERR_REFERENCE_STALE' } : {}) }); // DI4
      if (!wasOpen && (outcome.tried === 0 || outcome.hopeless)) {
        const message = lastError?.message ?? 'no address of it is known, and no runtime that knows it';
        return this.#hub.end(session.peer, { kind: 'gone', message, code: 'ERR_REFERENCE_UNREACHABLE' });
      }
      const since = wasOpen ? session.lastHeard : started;
      if (clock.now() - since >= (wasOpen ? this.#hub.silenceMs : this.#hub.options.answerMs)) {
        // DI2
        if (!wasOpen)
          return this.#hub.end(session.peer, {
            kind: 'silent',
            message: lastError?.message ?? 'it does not answer',
            code: 'ERR_REFERENCE_UNREACHABLE',
          });
        if (this.#hub.silent(session) === 'ended') return;
      }
      await sleep(clock, backoff.next(), this.#closing.signal);
    }
  }

  #waits(session: Session): boolean {
    return !session.ended && session.state.kind !== 'open' && !this.#closing.signal.aborted;
  }

  async #tryAll(session: Session): Promise<{ tried: number; refused: boolean; stale?: string; hopeless: boolean; error?: Error }> {
    const route = this.#routes.get(session.peer);
    // Ways through relays that may be back soon count as tried, but not as refused.
    let tried = [...(route?.via ?? [])].filter((via) => this.#hub.session(via) && !this.#hub.isOpen(via)).length;
    let refused = tried === 0;
    let hopeless = false;
    let stale: string | undefined;
    let error: Error | undefined;
    let unread: Error | undefined;
    const { networks } = this.#hub.options.environment;
    const ways: { readonly way: Dial; readonly counts: boolean }[] = [];
    for (const text of route?.addresses ?? []) {
      const read = this.#read(text);
      unread ??= read.error;
      if (!read.address) continue;
      const { address } = read;
      const { perMachine } = networkOf(networks, address).local(address);
      ways.push({ way: this.way(address, DIAL_MS), counts: session.near || !perMachine }); // DI3
    }
    for (const via of route?.via ?? [])
      if (this.#hub.isOpen(via)) ways.push({ way: () => Promise.resolve(this.#relay.dial(via, session.peer)), counts: true }); // DI1
    for (const { way, counts } of ways) {
      if (!this.#waits(session)) break;
      tried++;
      try {
        await this.#tryOne(session, way);
        return { tried, refused: false, hopeless: false };
      } catch (thrown) {
        if (!counts) {
          refused = false;
          error ??= thrown as Error;
          continue;
        }
        error = thrown as Error;
        if (!(error as { refused?: boolean }).refused) refused = false;
        if (hasCode(error, 'ERR_REFERENCE_STALE')) stale = 'another runtime answers at its address: it has been restarted';
        if (HOPELESS.some((code) => hasCode(error, code))) hopeless = true;
      }
    }
    error ??= unread;
    return { tried, refused: tried > 0 && refused, hopeless, ...(stale === undefined ? {} : { stale }), ...(error ? { error } : {}) };
  }

  async #tryOne(session: Session, way: Dial): Promise<void> {
    const { conn, greeted } = await dialAndGreet(way, this.#hub.self, { purpose: 'session', expected: session.peer });
    if (!this.#waits(session) || this.#opening.has(session.peer)) return conn.end();
    await this.attach(conn, greeted, session);
  }
}
