// The kernel is the value side of a runtime: it knows what frames mean, and which tasks, references and requests there are.
//
// Owns tasks, doors and requests. Does not own sessions (hub.ts), which are behind the carrier and may be a thread away.
//
//   KE1. A frame for a door that does not exist is answered, if it asks for an answer; it never breaks the session.
//   KE2. A reference to a task of this runtime becomes that task again when it comes home.
//   KE3. When a peer is gone, every wait on it ends.
//   KE4. An item that cannot be read, or throws where it arrives, harms no other item that came with it.
import { type Clock, type Log, type RuntimeId, SILENT, toError } from '../../base/index.ts';
import { Decoder, type Encoder, type Extensions, encodeValue, KIND } from '../../wire/index.ts';
import type { LocalChannel } from '../channels/channel.ts';
import { serveChannels } from '../channels/port.ts';
import type { LocateOptions, Name } from '../names/name.ts';
import { Registry } from '../names/registry.ts';
import { Gone } from '../peers/gone.ts';
import { FILES, RUNTIME } from '../protocol.ts';
import { ClassRegistry } from '../references/classes.ts';
import type { RefWire } from '../references/ref-base.ts';
import { References } from '../references/references.ts';
import { serveRuntime } from '../runtime-door.ts';
import { Services } from '../services/port.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import type { SessionEnd } from '../sessions/session.ts';
import { fileUnknown, ownPlace, type Place } from '../tasks/place.ts';
import type { WaitOptions } from '../tasks/reference.ts';
import { TaskTable } from '../tasks/table.ts';
import { Watches } from '../tasks/watch.ts';
import type { Carried, Carrier } from '../threads/carrier.ts';
import type { SendWindow } from './credit.ts';
import type { Answers, Args, Asks, Door, Notice } from './door.ts';
import { type Behind, Doors, type Port } from './doors.ts';
import { takeItem } from './inbound.ts';
import { type PeerListener, PeerListeners } from './listeners.ts';
import { Outgoing } from './outgoing.ts';
import type { Mail } from './post.ts';
import { type Range, Segments } from './range.ts';
import { offlineError, type Pending, Requests, sessionError } from './requests.ts';
import { Windows } from './windows.ts';

export interface KernelOptions {
  readonly clock: Clock;
  readonly carrier: Carrier;
  /** The half of the request numbers that this kernel uses, because two kernels may share one byte side. */
  readonly half?: 0 | 1;
  readonly log?: Log;
}

/** The value side of one runtime. */
export class Kernel implements Carried, Mail {
  readonly clock: Clock;
  readonly carrier: Carrier;
  readonly requests: Requests;
  readonly doors: Doors;
  readonly references: References;
  readonly log: Log;
  readonly windows = new Windows();
  readonly watches = new Watches();
  readonly tasks: TaskTable;
  readonly names: Registry;
  readonly channels = new Map<number, LocalChannel>();
  readonly services: Services;
  readonly classes = new ClassRegistry();
  readonly peers = new Map<RuntimeId, PeerInfo>();
  readonly gone = new Gone();
  /** The place where tasks run, as they see it. */
  place: Place;
  readonly #listeners: PeerListeners;
  readonly #outgoing = new Map<RuntimeId, Outgoing>();
  readonly #refused = new Map<RuntimeId, SessionEnd>();
  readonly #segments = new Segments();
  readonly #decoder: Decoder;
  readonly #extensions: Extensions;
  #from: RuntimeId | undefined;

  constructor(options: KernelOptions) {
    this.clock = options.clock;
    this.carrier = options.carrier;
    this.log = options.log ?? SILENT;
    this.#listeners = new PeerListeners(this.log);
    this.tasks = new TaskTable(this);
    this.doors = new Doors({
      clock: this.clock,
      log: this.log,
      answer: (peer, id, ok, value) => this.answer(peer, id, ok, value),
      end: (peer, message) => this.carrier.end(peer, { kind: 'gone', message, lives: true }),
    });
    this.place = ownPlace(
      () => this.carrier.name,
      (name) => {
        throw fileUnknown(name, ['no folder']);
      },
    );
    this.references = new References(this);
    this.#extensions = {
      replace: (value) => this.references.replace(value) ?? this.classes.replace(value),
      revive: (code, payload) =>
        this.references.knows(code) ? this.references.revive(code, payload as RefWire, this.#from) : this.classes.revive(code, payload),
    };
    this.#decoder = new Decoder(this.#extensions);
    this.requests = new Requests({
      clock: options.clock,
      half: options.half ?? 0,
      send: (peer, port, id, method, args) => {
        this.#send(peer, KIND.REQUEST, port, (encoder) => {
          encoder.value(id);
          encoder.value(method);
          encoder.value(args, 'args');
        });
      },
      cancel: (peer, port, id, reason) => {
        if (this.peers.has(peer))
          this.message(peer, RUNTIME, { kind: 'cancel', port, id, reason: reason === undefined ? undefined : toError(reason) });
      },
      refusal: (peer) => {
        const end = this.gone.offline(peer);
        if (end) this.carrier.dial(peer); // GO3
        return end && offlineError(end);
      },
    });
    serveRuntime(this);
    this.names = new Registry(this);
    this.services = new Services(this);
    serveChannels(this);
  }

  get id(): RuntimeId {
    return this.carrier.id;
  }

  get extensions(): Extensions {
    return this.#extensions;
  }

  /** Opens a door of this runtime: `answers` has its methods, `behind` hears its notices. */
  serve<M, N extends Notice>(door: Door<M, N>, answers: Answers<M>, behind?: Behind<N>): void {
    this.doors.serve(door, answers, behind);
  }

  /** Opens a door whose owner answers each request itself. */
  open<M, N extends Notice>(door: Door<M, N>, port: Port<N>): void {
    this.doors.open(door, port);
  }

  /** The methods of a peer's door. Asking rejects with the other side's error, ERR_TIMEOUT, ERR_SESSION_LOST or the signal's reason. */
  at<M, N extends Notice>(peer: RuntimeId, door: Door<M, N>, options?: WaitOptions): Asks<M> {
    return door.asks((method, args) =>
      options ? this.requests.ask(peer, door.number, method, args, options) : this.requests.plain(peer, door.number, method, args),
    );
  }

  /** Asks a method at a door of a peer; `pending` hears the outcome. Throws if the arguments cannot travel. */
  request<M, N extends Notice, K extends keyof M & string>(pending: Pending, door: Door<M, N>, method: K, args: Args<M[K]>): number {
    return this.requests.request(pending, door.number, method, args);
  }

  /** Finds a task, channel or service by name, here or at peers. */
  locate(name: Name | string, options?: LocateOptions): Promise<unknown> {
    return typeof name === 'string' ? this.names.locate('task', name, options) : this.names.locate(name.kind, name.name, options);
  }

  /** Tells a notice at a door of a peer. */
  message<M, N extends Notice>(peer: RuntimeId, door: Door<M, N>, notice: N): void {
    this.#send(peer, KIND.MESSAGE, door.number, (encoder) => encoder.value(notice, 'message'));
  }

  /** Sends a reply the one message that it waits for; no credit is kept for it. */
  sendOnce(peer: RuntimeId, number: number, value: unknown): void {
    this.#send(peer, KIND.MESSAGE, number, (encoder) => encoder.value(value, 'message'));
  }

  /** Closes the mailbox of a task of a peer, behind the messages that were sent to it before. */
  closeTask(peer: RuntimeId, number: number): void {
    this.#send(peer, KIND.CLOSE, number, (encoder) => encoder.value(null));
  }

  /** Sends a message to a task of a peer, against its window. */
  sendTo(peer: RuntimeId, number: number, window: SendWindow, value: unknown): boolean {
    window.check();
    if (window.ended) return true;
    const out = this.#out(peer);
    const encoder = out.begin(KIND.MESSAGE, number);
    const before = encoder.length;
    try {
      encoder.value(value, 'message');
    } catch (error) {
      out.abandon();
      throw error;
    }
    window.sent(encoder.length - before);
    out.commit();
    return window.hasRoom && this.carrier.hasRoom(peer);
  }

  /** Encodes a message once, for any number of peers. Throws ERR_WIRE_CANNOT_TRAVEL. */
  encode(value: unknown): Buffer {
    return encodeValue(value, 'message', this.#extensions);
  }

  /** Sends one message to many tasks and channels of a peer: it crosses once, and counts against the window of each. */
  fanOut(peer: RuntimeId, to: readonly { readonly number: number; readonly window: SendWindow }[], bytes: Buffer, hops: number): void {
    this.#send(peer, KIND.FAN_OUT, 0, (encoder) => {
      encoder.varint(hops);
      encoder.varint(to.length);
      for (const { number } of to) encoder.varint(number);
      encoder.varint(bytes.length);
      encoder.raw(bytes);
    });
    for (const { window } of to) window.sent(bytes.length);
  }

  /** Gives a sender credit for the messages that a task has taken. */
  credit(peer: RuntimeId, number: number, credit: { readonly messages: number; readonly bytes: number }): void {
    if (!this.peers.has(peer)) return;
    this.#send(peer, KIND.CREDIT, RUNTIME.number, (encoder) => {
      encoder.value(number);
      encoder.value(credit.messages);
      encoder.value(credit.bytes);
    });
    this.#out(peer).flush(); // the credit leaves at once, so that the sender goes on while the task works on the rest
  }

  /** Puts a message into the mailbox of a task of a peer; resolves when it is there. */
  async deliverTo(peer: RuntimeId, number: number, window: SendWindow, value: unknown, options: WaitOptions): Promise<void> {
    await this.requests.within(options, 'A delivery', (settle) => {
      const id = this.requests.open({ peer, settle });
      if (this.requests.refused(id, peer)) return () => this.requests.drop(id);
      try {
        this.#send(peer, KIND.DELIVER, number, (encoder) => {
          const before = encoder.length;
          encoder.varint(id);
          encoder.value(value, 'message');
          window.sent(encoder.length - before);
        });
      } catch (error) {
        this.requests.drop(id);
        throw error;
      }
      return () => this.requests.drop(id);
    });
  }

  /** Settles a request of a peer. A value that cannot travel becomes an error. */
  answer(peer: RuntimeId, id: number, ok: boolean, value: unknown): void {
    try {
      this.answerOrThrow(peer, id, value, ok);
    } catch (error) {
      this.answerOrThrow(peer, id, toError(error), false);
    }
  }

  /** Settles a request of a peer; throws if the value cannot travel. */
  answerOrThrow(peer: RuntimeId, id: number, value: unknown, ok = true): void {
    const out = this.#out(peer);
    const encoder = out.begin(KIND.ANSWER, id & 1);
    try {
      encoder.value(id);
      encoder.value(ok);
      encoder.value(value, ok ? 'result' : 'error');
    } catch (error) {
      out.abandon();
      throw error;
    }
    out.commit();
  }

  /** Posts all frames that are gathered. */
  flush(): void {
    for (const out of this.#outgoing.values()) out.flush();
  }

  frame(peer: RuntimeId, kind: number, target: number, buffer: Buffer, start: number, end: number, owned: boolean): void {
    if (kind === KIND.FILE) return this.doors.data(FILES)?.arrived(peer, target, buffer.subarray(start, end));
    const decoder = this.#decoder;
    this.#from = peer;
    decoder.begin(buffer, start, end, owned);
    for (let at = -1; decoder.more && decoder.position > at; ) {
      at = decoder.position;
      try {
        takeItem(this, peer, kind, target, decoder);
      } catch (error) {
        this.log.error(`Something from ${this.peers.get(peer)?.name ?? peer} could not be taken: ${toError(error).message}`); // KE4
      }
    }
  }

  land(peer: RuntimeId, kind: number, target: number, bytes: number): Buffer | undefined {
    return kind === KIND.FILE ? this.doors.data(FILES)?.land(peer, target, bytes) : undefined;
  }

  landed(peer: RuntimeId, _kind: number, target: number): void {
    this.doors.data(FILES)?.landed(peer, target);
  }

  opened(peer: PeerInfo): void {
    this.#refuse(peer.id);
    this.peers.set(peer.id, peer);
    this.gone.back(peer.id);
    this.#listeners.opened(peer);
  }

  offline(peer: RuntimeId): void {
    this.#listeners.offline(peer);
  }

  online(peer: RuntimeId): void {
    this.#listeners.online(peer);
  }

  /** Ends every wait on a peer that is gone. KE3 */
  ended(peer: RuntimeId, how: SessionEnd): void {
    const info = this.peers.get(peer);
    const end: SessionEnd = { ...how, lost: how.lost ?? (info?.role === 'worker' ? 'worker' : 'host') };
    if (info || end.code === 'ERR_REFERENCE_STALE') this.gone.seen(peer, end);
    this.peers.delete(peer);
    this.#outgoing.delete(peer);
    this.requests.ended(peer, end);
    this.windows.lost(peer, sessionError(end, 'A message was not sent'));
    this.tasks.lost(peer);
    this.doors.ended(peer);
    this.#listeners.ended(peer, end, info);
  }

  room(peer: RuntimeId): void {
    this.windows.room(peer);
    this.#listeners.room(peer);
  }

  /** Has a listener hear of peers from now on; returns a function that ends that. */
  on(listener: PeerListener): () => void {
    return this.#listeners.on(listener);
  }

  #send(peer: RuntimeId, kind: number, target: number, write: (encoder: Encoder) => void): void {
    const out = this.#out(peer);
    const encoder = out.begin(kind, target);
    try {
      write(encoder);
    } catch (error) {
      out.abandon();
      throw error;
    }
    out.commit();
  }

  #out(peer: RuntimeId): Outgoing {
    let out = this.#outgoing.get(peer);
    if (!out) {
      out = new Outgoing({
        extensions: this.#extensions,
        segments: this.#segments,
        clock: this.clock,
        post: (range, large) => this.#post(peer, range, large),
      });
      this.#outgoing.set(peer, out);
    }
    return out;
  }

  #post(peer: RuntimeId, range: Range, large: boolean): void {
    const refusal = this.gone.refusal(peer);
    if (!refusal) return this.carrier.post(peer, range, large);
    range.release?.();
    if (!this.#refused.has(peer)) this.clock.defer(() => this.#refuse(peer));
    this.#refused.set(peer, refusal);
  }

  // Ends the waits on a peer that messages were refused to: after the sender has begun to wait, and before a new session opens. KE3
  #refuse(peer: RuntimeId): void {
    const end = this.#refused.get(peer);
    if (end && this.#refused.delete(peer)) this.ended(peer, end);
  }
}
