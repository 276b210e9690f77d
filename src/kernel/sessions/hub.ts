// The hub has all sessions of one runtime: it knows the peers, the link of each, and whether they are still alive.
//
// Owns sessions, links, listeners and the pulse. Does not own what frames mean (runtime.ts), or where peers may be
// reached (dialer.ts).
//
//   HU1. Between two runtimes there is at most one session, and a session has at most one link.
//   HU2. Each session that opened is reported `opened` once and `ended` once.
//   HU3. A peer that has been silent for the limit is lost, unless a keeper holds it: then it is offline.
//   HU4. A runtime that listens where another did proves the end of that other, which is reported before the beginning of the new one.
//   HU5. A runtime that was itself held up forgives the silence of others for that time.
//   HU6. The link to an offline peer stays if only the other side can dial: the peer is heard again over it, or closes it.
import { FlotillaError, type Log, type RuntimeId, SILENT, toHex } from '../../base/index.ts';
import { type Address, type Conn, type Greeted, greetAsDialer, greetAsListener, Link, type Self } from '../../transport/index.ts';
import { KIND, readVarint } from '../../wire/index.ts';
import type { Range } from '../post/range.ts';
import type { ListenPlace } from '../runtime-options.ts';
import { connectTo, type Trying } from './connect.ts';
import { Dialer } from './dialer.ts';
import { Endings } from './endings.ts';
import { ACK_NOW, drained, Heartbeat, hearPulses, untilOpen } from './heartbeat.ts';
import { Holders } from './holders.ts';
import { type HubOptions, MOST_LINKS, tooManyLinks } from './hub-options.ts';
import { Keepers } from './keepers.ts';
import { Listeners } from './listen.ts';
import { ANEW, answersUs, awaitOpen, BYE, endOf, IGNORED, ignoredBy, judge, type Open, openFrame, PARTED, UNKNOWN } from './open.ts';
import { Parking } from './parking.ts';
import { Relay } from './relay.ts';
import { controlFrame, Session, type SessionEnd } from './session.ts';

/** Pulses without any sign of life after which a peer is silent. */
export const SILENT_PULSES = 5;
const DRAIN_MS = 2_000;

/** The byte side of a runtime. */
export class Hub {
  readonly options: HubOptions;
  readonly id: RuntimeId;
  readonly self: Self;
  readonly dialer: Dialer;
  readonly parking: Parking;
  readonly keepers = new Keepers();
  readonly #log: Log;
  readonly #sessions = new Map<RuntimeId, Session>();
  readonly #final = new Set<RuntimeId>();
  readonly #known = new Set<RuntimeId>();
  readonly #endings = new Endings();
  readonly #offline = new Set<RuntimeId>();
  readonly #holders = new Holders();
  readonly #listeners: Listeners;
  readonly #links = new Set<Link>();
  readonly #relay: Relay;
  readonly #heartbeat: Heartbeat;
  readonly #stay: () => void;
  #drained: (() => void) | undefined;
  #closed = false;

  constructor(options: HubOptions) {
    this.options = options;
    this.id = options.identity.id;
    const { environment: env, identity, role, keys, certificate } = options;
    this.#log = options.log ?? SILENT;
    this.self = { identity, role, keys, clock: env.clock, random: env.random, certificate };
    const greeted = (conn: Conn, by: Greeted): void => void this.greeted(conn, by, undefined).catch(() => {});
    this.#listeners = new Listeners(env.networks, this.self, this.#log, greeted);
    const push = (peer: RuntimeId, range: Range): void => this.#sessions.get(peer)?.push(range, false);
    const isOpen = (peer: RuntimeId): boolean => this.isOpen(peer);
    this.#relay = new Relay({ id: this.id, clock: env.clock, push, isOpen, accept: (conn) => this.#accept(conn) });
    this.dialer = new Dialer(this, this.#relay);
    this.parking = new Parking(this);
    this.#stay = env.atExit(() => this.abandon(true));
    this.#heartbeat = new Heartbeat(env.clock, options.pulseMs, (now, heldUp) => this.#onPulse(now, heldUp));
  }

  /** Where this runtime can be dialled. */
  get addresses(): readonly string[] {
    return this.#listeners.addresses;
  }

  get silenceMs(): number {
    return this.options.pulseMs * SILENT_PULSES;
  }
  isOpen(peer: RuntimeId): boolean {
    return this.#sessions.get(peer)?.state.kind === 'open' && !this.#offline.has(peer);
  }

  session(peer: RuntimeId): Session | undefined {
    return this.#sessions.get(peer);
  }

  /** Opens a place to be dialled at. Rejects with ERR_LINK_PORT_IN_USE or ERR_LINK_ADDRESS. */
  listen(place: Omit<ListenPlace, 'local'>): Promise<void> {
    return this.#listeners.at(place);
  }

  /** Opens a session with the runtime that answers at an address. Rejects with ERR_LINK_* or ERR_PEERS_IGNORED. */
  connect(address: Address, options: Trying): Promise<RuntimeId> {
    return connectTo(this, address, options);
  }

  /** Opens a session with a runtime that can be reached, unless there is one. Rejects with ERR_REFERENCE_* or ERR_TIMEOUT. */
  async open(peer: RuntimeId, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (peer === this.id || this.isOpen(peer)) return;
    const session = this.sessionFor(peer);
    this.dialer.establish(session);
    await untilOpen(session, this.options.environment.clock, timeoutMs, signal);
  }

  /** Says goodbye to one peer, once what was sent has been taken or `timeoutMs` has passed. */
  async part(peer: RuntimeId, timeoutMs: number): Promise<void> {
    const session = this.#sessions.get(peer);
    if (!session) return;
    await this.#drain(timeoutMs, [session]);
    session.control(KIND.BYE, Uint8Array.of(BYE.parted));
    this.#end(session, PARTED.here);
  }

  /** Opens a session over a connection made elsewhere, whose end is the end of the peer. */
  async adopt(conn: Conn, side: 'dialer' | 'listener'): Promise<RuntimeId> {
    const greeted =
      side === 'dialer' ? await greetAsDialer(conn, this.self, { purpose: 'session' }) : await greetAsListener(conn, this.self);
    this.#final.add(greeted.id);
    await this.greeted(conn, greeted, side === 'dialer' ? this.sessionFor(greeted.id) : undefined);
    return greeted.id;
  }

  /** Tells how a peer may be reached, should there be no session with it. */
  reach(peer: RuntimeId, addresses: readonly string[], via?: RuntimeId): void {
    if (peer !== this.id) this.dialer.reach(peer, addresses, via);
  }

  /** Tries to have a session with a peer, unless there is one. */
  dial(peer: RuntimeId): void {
    if (this.#closed) return;
    const session = this.sessionFor(peer);
    if (session.state.kind === 'connecting') this.dialer.establish(session);
  }

  /** Sends whole frames; opens a session if there is none. */
  post(peer: RuntimeId, range: Range, large: boolean): void {
    if (this.#closed) return range.release?.();
    const session = this.sessionFor(peer);
    session.push(range, large);
    if (session.state.kind === 'connecting' || session.unpark(this.options.environment.clock.now())) this.dialer.establish(session);
  }

  /** Changes the time between signs of life. */
  pace(ms: number): void {
    this.options.pulseMs = ms;
    this.#heartbeat.pace(ms);
  }

  /** Ends the session with a peer, for a reason that the caller knows. */
  end(peer: RuntimeId, end: SessionEnd): void {
    const session = this.#sessions.get(peer);
    if (session) this.#end(session, end);
  }

  /** Says goodbye to all, once what was sent has been taken or `timeoutMs` has passed; `terminated` says that what still runs here is ended on purpose. */
  async close(timeoutMs = DRAIN_MS, why: 'closed' | 'terminated' = 'closed'): Promise<void> {
    if (this.#closed) return;
    await this.#drain(timeoutMs);
    this.#closed = true;
    this.#stay();
    this.#heartbeat.stop();
    await this.dialer.close();
    for (const session of [...this.#sessions.values()]) {
      session.control(KIND.BYE, Uint8Array.of(BYE[why]));
      this.#end(session, { kind: 'closed', message: 'this runtime closed' });
    }
    this.#relay.close();
    for (const link of this.#links) link.end();
    await this.#listeners.close();
  }

  /** Drops everything, as the end of the process would: without a word, or with a `goodbye`. */
  abandon(goodbye = false): void {
    this.#closed = true;
    this.#stay();
    this.#heartbeat.stop();
    void this.dialer.close();
    for (const session of this.#sessions.values()) {
      if (goodbye) session.control(KIND.BYE, Uint8Array.of(BYE.closed));
      session.end({ kind: 'gone', message: 'this runtime was dropped' });
    }
    this.#sessions.clear();
    this.#relay.close();
    for (const it of this.#links) it.destroy();
    void this.#listeners.close();
  }

  #drain(timeoutMs: number, sessions = [...this.#sessions.values()]): Promise<void> {
    return drained(this.options.environment.clock, timeoutMs, sessions, (check) => void (this.#drained = check));
  }

  /** The session with a peer; begins one if there is none. */
  sessionFor(peer: RuntimeId): Session {
    let session = this.#sessions.get(peer);
    if (!session) {
      const { clock, random } = this.options.environment;
      session = new Session(peer, toHex(random(16)), clock.now(), {
        frame: (s, kind, target, buffer, start, end, owned) => {
          if (kind === KIND.RELAY) this.#relay.frame(s.peer, target, buffer.subarray(start, end));
          else this.options.events.frame(s.peer, kind, target, buffer, start, end, owned);
        },
        places: this.options.events,
        room: (s) => this.options.events.room(s.peer),
      });
      this.#sessions.set(peer, session);
    }
    return session;
  }

  #accept(conn: Conn): void {
    const failed = (error: Error): void => this.#log.debug(`A relayed connection failed: ${error.message}`);
    void greetAsListener(conn, this.self)
      .then((greeted) => this.greeted(conn, greeted, undefined))
      .catch(failed);
  }

  /** Takes a link that is up: exchanges OPEN, then resolves with the link attached to its session. */
  greeted(conn: Conn, greeted: Greeted, dialled: Session | undefined): Promise<void> {
    const link = new Link(conn, greeted);
    const refused = this.#closed
      ? new FlotillaError('ERR_CLOSED', 'This runtime is closed.')
      : this.#links.size >= MOST_LINKS && tooManyLinks();
    if (refused) {
      link.end();
      return Promise.reject(refused);
    }
    this.#links.add(link);
    const { clock } = this.options.environment;
    // Another thread of a peer that computes says that its process lives.
    const heard = (stalled: boolean): void => this.#sessions.get(link.peer)?.heard(clock.now(), stalled);
    if (greeted.purpose === 'pulse') return hearPulses(link, heard, () => this.#links.delete(link));
    return awaitOpen(link, clock, {
      begin: () => {
        if (dialled) this.#sendOpen(link, dialled, dialled.theirs);
      },
      open: (open, opened, failed) => this.#open(link, dialled, open, opened, failed),
      refused: (why) => {
        if (dialled && why === BYE.ignored) this.#end(dialled, IGNORED);
        if (dialled && why === BYE.unknown) this.#end(dialled, UNKNOWN);
        return why === BYE.ignored ? ignoredBy(conn.remote) : undefined;
      },
      frame: (session, kind, target, buffer, start, end) => this.#frame(session, link, kind, target, buffer, start, end),
      closed: (session, error) => {
        this.#links.delete(link);
        if (session) this.#linkClosed(session, link, error);
      },
    });
  }

  #sendOpen(link: Link, session: Session, echo: string | undefined): void {
    session.announced = session.received;
    const before = this.#endings.of(session.peer);
    const { token, received } = session;
    link.write(openFrame({ token, echo, received, before, name: this.options.name, addresses: this.addresses }));
  }

  // HU1: decides which session a link belongs to, and which of two links is given up when both sides dialled (`judge` says why).
  #open(link: Link, dialled: Session | undefined, open: Open, opened: (session: Session) => void, failed: (why: string) => void): void {
    if (dialled) {
      if (answersUs(open, dialled)) return this.#attach(link, dialled, open, true, opened, failed);
      link.destroy();
      return failed('the session changed meanwhile');
    }
    let session = this.#sessions.get(link.peer);
    const ignored = this.options.ignores?.() && !this.#known.has(link.peer);
    const verdict = ignored ? 'ignored' : judge(open, session, this.dialer.isOpening(link.peer) && this.id < link.peer);
    if (verdict === 'tie' || verdict === 'unknown' || verdict === 'ignored') {
      link.write(controlFrame(KIND.BYE, Uint8Array.of(BYE[verdict])));
      link.end();
      return failed('it was not needed');
    }
    if (verdict === 'anew' && session) this.#end(session, ANEW);
    session = this.sessionFor(link.peer);
    this.#sendOpen(link, session, open.token);
    this.#attach(link, session, open, false, opened, failed);
  }

  #attach(
    link: Link,
    session: Session,
    open: Open,
    dialled: boolean,
    opened: (session: Session) => void,
    failed: (why: string) => void,
  ): void {
    const old = session.state.kind === 'open' ? session.state.link : undefined;
    const first = !this.#known.has(session.peer);
    session.dialled = dialled;
    session.near = link.conn.local && !link.conn.remote.startsWith('relay:');
    session.theirBefore = open.before;
    session.theirs = open.token;
    session.lastHeard = this.options.environment.clock.now();
    this.dialer.reach(session.peer, open.addresses);
    if (first) {
      for (const place of this.#holders.move(session.peer, link.conn, open.addresses)) {
        const before = this.#sessions.get(place);
        if (before) this.#end(before, { kind: 'gone', message: 'another runtime listens where it did: it has been restarted' }); // HU4
      }
      this.#known.add(session.peer);
      this.options.events.opened({ id: session.peer, name: open.name, role: link.role, addresses: open.addresses }); // HU2
    }
    opened(session);
    if (!session.resume(link, open.received)) {
      this.#end(session, { kind: 'gone', message: 'the two sides disagree on what was received', lives: true });
      return failed('the two sides disagree on what was received');
    }
    session.changed();
    if (old && old !== link) old.destroy();
    this.#back(session);
  }

  #back({ peer }: Session): void {
    if (this.#offline.delete(peer)) this.options.events.online(peer);
  }

  #frame(session: Session, link: Link, kind: number, target: number, buffer: Buffer, start: number, end: number): void {
    if (!session.serves(link)) return;
    if (kind >= KIND.FIRST_ORDERED) return session.take(kind, target, buffer, start, end);
    switch (kind) {
      case KIND.PULSE:
        if (buffer[start] === ACK_NOW) session.pulse();
        else if (start < end) this.parking.heard(session, buffer[start]);
        return;
      case KIND.ACK:
        if (!session.acknowledged(readVarint(buffer, start, end).value))
          throw new FlotillaError('ERR_WIRE_MALFORMED', 'More was acknowledged than was sent.');
        this.#drained?.();
        return;
      case KIND.BYE:
        return this.#end(session, endOf(buffer[start]));
      default:
        throw new FlotillaError('ERR_WIRE_MALFORMED', `A frame of unknown kind ${kind} arrived.`);
    }
  }

  #linkClosed(session: Session, link: Link, error: Error | undefined): void {
    if (!session.serves(link) || this.parking.agreed(session)) return;
    if (this.#final.has(session.peer)) return this.#end(session, { kind: 'gone', message: 'its process ended', lost: 'worker' });
    this.#log.debug(`The link to ${link.conn.remote} closed${error ? `: ${error.message}` : ''}.`);
    const now = this.options.environment.clock.now();
    session.cut(now);
    if (this.#offline.has(session.peer)) session.closedInSilence(now, error);
    this.dialer.establish(session);
  }

  /** Loses a peer that has been silent for the limit, or holds it as offline. HU3 */
  silent(session: Session): 'kept' | 'ended' {
    if (session.ended) return 'ended';
    const quiet = session.state.kind === 'open' || (this.#offline.has(session.peer) && !session.left);
    if (this.#known.has(session.peer) && this.keepers.keep(session.peer, quiet)) {
      if (!this.#offline.has(session.peer)) {
        this.#offline.add(session.peer);
        this.options.events.offline(session.peer);
      }
      return 'kept';
    }
    this.#end(session, { kind: 'silent', message: `nothing was heard of it for ${Math.round(this.silenceMs / 100) / 10} s` });
    return 'ended';
  }

  #end(session: Session, end: SessionEnd): void {
    if (!session.end(end)) return;
    const { peer } = session;
    if (this.#sessions.get(peer) === session) this.#sessions.delete(peer);
    this.#offline.delete(peer);
    this.#holders.forget(peer);
    this.parking.forget(peer);
    this.#final.delete(peer);
    if (this.#known.delete(peer)) this.#endings.add(peer);
    this.#relay.lost(peer);
    this.options.events.ended(peer, end);
    this.#drained?.();
  }

  #onPulse(now: number, heldUp: boolean): void {
    for (const session of [...this.#sessions.values()]) {
      if (heldUp && !this.#offline.has(session.peer)) session.lastHeard = now; // HU5
      if (session.state.kind !== 'open') continue;
      this.parking.pulse(session);
      if (now - session.lastHeard <= this.silenceMs) this.#back(session);
      else if (!this.#final.has(session.peer) && this.silent(session) === 'kept') this.dialer.anew(session); // HU6
    }
  }
}
