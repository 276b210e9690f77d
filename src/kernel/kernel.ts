// The value side of a runtime: what frames mean, tasks, references, requests.
//
// Owns tasks, doors and requests. Does not own sessions (hub.ts): those are behind the carrier, which may be a thread away.
//
//   K1. A frame for a door that does not exist is answered, if it asks for an answer; it never breaks the session.
//   K2. A reference to a task of this runtime becomes that task again when it comes home.
//   K3. When a peer is gone, every wait on it ends.
import { type Clock, FlotillaError, type Log, type RuntimeId, SILENT, toError } from '../base/index.ts';
import { Decoder, type Encoder, type Extensions, KIND } from '../wire/index.ts';
import { FIRST_TASK, methodPort, PORT, type Port } from './ports.ts';
import { Requests, sessionError } from './requests.ts';
import { runtimePort } from './runtime-port.ts';
import type { Carried, Carrier } from './sessions/carrier.ts';
import { type SendWindow, TakeCount } from './sessions/credit.ts';
import type { PeerInfo } from './sessions/hub-options.ts';
import { Outgoing } from './sessions/outgoing.ts';
import { Segments } from './sessions/range.ts';
import type { SessionEnd } from './sessions/session.ts';
import { Windows } from './sessions/windows.ts';
import { taskEnded } from './tasks/ends.ts';
import type { TaskRef, WaitOptions } from './tasks/reference.ts';
import { References, type RefWire } from './tasks/references.ts';
import { LocalTask, type TaskEnd, type TaskFunction } from './tasks/task.ts';

const ENDS_KEPT = 1_000;

export interface KernelOptions {
  readonly clock: Clock;
  readonly carrier: Carrier;
  /** Which half of the request numbers this kernel uses: two kernels may share one byte side. */
  readonly half?: 0 | 1;
  readonly log?: Log;
  /** Values that upper rooms send in their own way. */
  readonly extensions?: Extensions;
}

/** The value side of one runtime. */
export class Kernel implements Carried {
  readonly clock: Clock;
  readonly carrier: Carrier;
  readonly requests: Requests;
  readonly references: References;
  readonly log: Log;
  readonly windows = new Windows();
  readonly peers = new Map<RuntimeId, PeerInfo>();
  readonly #ports = new Map<number, Port>();
  readonly #tasks = new Map<number, LocalTask<unknown>>();
  readonly #ends = new Map<number, TaskEnd>();
  readonly #outgoing = new Map<RuntimeId, Outgoing>();
  readonly #segments = new Segments();
  readonly #decoder: Decoder;
  readonly #extensions: Extensions;
  #from: RuntimeId | undefined;
  #nextTask = FIRST_TASK;

  constructor(options: KernelOptions) {
    this.clock = options.clock;
    this.carrier = options.carrier;
    this.log = options.log ?? SILENT;
    this.references = new References(this);
    const outer = options.extensions;
    this.#extensions = {
      replace: (value) => this.references.replace(value) ?? outer?.replace(value),
      revive: (code, payload) =>
        code === References.CODE
          ? this.references.revive(payload as RefWire, this.#from)
          : outer
            ? outer.revive(code, payload)
            : References.unknown(code),
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
        if (this.peers.has(peer)) this.message(peer, PORT.RUNTIME, { kind: 'cancel', port, id, reason: toError(reason) });
      },
    });
    this.#ports.set(PORT.RUNTIME, runtimePort(this));
    this.serve(PORT.TERMINATE, {
      message: (_peer, value) => {
        const { task, reason } = value as { task: number; reason?: string };
        this.#tasks.get(task)?.terminate(reason);
      },
    });
  }

  get id(): RuntimeId {
    return this.carrier.id;
  }

  get extensions(): Extensions {
    return this.#extensions;
  }

  get taskCount(): number {
    return this.#tasks.size;
  }

  get tasks(): readonly LocalTask<unknown>[] {
    return [...this.#tasks.values()];
  }

  /** Opens a door. */
  serve(port: number, handler: Port): void {
    this.#ports.set(port, handler);
  }

  /** Opens a door at which named methods are asked. */
  serveMethods(port: number, methods: Parameters<typeof methodPort>[1]): void {
    this.serve(
      port,
      methodPort((peer, id, ok, value) => this.answer(peer, id, ok, value), methods),
    );
  }

  /** Starts a function as a task of this runtime; `begin` may put off when it first runs. */
  spawn<M, A extends unknown[], R>(
    fn: TaskFunction<M, A, R>,
    args: A,
    begin: (run: () => void) => void = (run) => run(),
  ): TaskRef<M, Awaited<R>> {
    const number = this.#nextTask++;
    const name = fn.name || 'task';
    const counts = new Map<RuntimeId, TakeCount>();
    const task = new LocalTask<M>({
      name,
      number,
      clock: this.clock,
      onTake: (from, bytes) => {
        if (from !== undefined) this.#taken(counts, from, number, bytes);
      },
      onEnd: (end) => this.#taskEnded(number, end),
    });
    const ref = this.references.local(task as unknown as LocalTask<unknown>);
    task.ref = ref as TaskRef<M>;
    this.#tasks.set(number, task as unknown as LocalTask<unknown>);
    this.#ports.set(number, {
      message: (peer, value, bytes) => {
        task.mailbox.put(value as M, peer, bytes);
      },
    });
    this.carrier.mailbox(number, true);
    begin(() => task.run(fn, args));
    return ref as TaskRef<M, Awaited<R>>;
  }

  /** A task of this runtime, or how it ended. */
  find(number: number): { task?: LocalTask<unknown>; end?: TaskEnd } {
    const task = this.#tasks.get(number);
    if (task) return { task };
    const end = this.#ends.get(number);
    return end ? { end } : {};
  }

  /** Sends a value to a door of a peer. */
  message(peer: RuntimeId, port: number, value: unknown): void {
    this.#send(peer, KIND.MESSAGE, port, (encoder) => encoder.value(value, 'message'));
  }

  /** Closes the mailbox of a task of a peer, after what was sent to it before. */
  closeTask(peer: RuntimeId, number: number): void {
    this.#send(peer, KIND.CLOSE, number, (encoder) => encoder.value(null));
  }

  /** Sends a message to a task of a peer, against its window. */
  sendTo(peer: RuntimeId, number: number, window: SendWindow, value: unknown): boolean {
    window.check();
    if (window.ended) return true;
    const out = this.#out(peer);
    const encoder = out.begin(KIND.MESSAGE, number);
    const before = encoder.position - encoder.start;
    try {
      encoder.value(value, 'message');
    } catch (error) {
      out.abandon();
      throw error;
    }
    window.sent(encoder.position - encoder.start - before);
    out.commit();
    return window.hasRoom && this.carrier.hasRoom(peer);
  }

  /** Puts a message into the mailbox of a task of a peer; resolves when it is there. */
  async deliverTo(peer: RuntimeId, number: number, window: SendWindow, value: unknown, options: WaitOptions): Promise<void> {
    await this.requests.within(options, 'A delivery', (settle) => {
      const id = this.requests.open({ peer, settle });
      try {
        this.#send(peer, KIND.DELIVER, number, (encoder) => {
          const before = encoder.position - encoder.start;
          encoder.varint(id);
          encoder.value(value, 'message');
          window.sent(encoder.position - encoder.start - before);
        });
      } catch (error) {
        this.requests.drop(id);
        throw error;
      }
      return () => this.requests.drop(id);
    });
  }

  /** Settles a request of a peer. What cannot travel is told as an error. */
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

  /** Asks a method at a door of a peer. */
  ask(peer: RuntimeId, port: number, method: string, args: readonly unknown[], options?: WaitOptions): Promise<unknown> {
    return this.requests.ask(peer, port, method, args, options);
  }

  /** The asker of a request has given it up. */
  cancelled(port: number, peer: RuntimeId, id: number, reason: unknown): void {
    this.#ports.get(port)?.cancel?.(peer, id, reason);
  }

  /** Posts all that is gathered. */
  flush(): void {
    for (const out of this.#outgoing.values()) out.flush();
  }

  frame(peer: RuntimeId, kind: number, target: number, buffer: Buffer, start: number, end: number, owned: boolean): void {
    const decoder = this.#decoder;
    this.#from = peer;
    decoder.begin(buffer, start, end, owned);
    try {
      while (decoder.more) this.#item(peer, kind, target, decoder);
    } catch (error) {
      this.log.error(`A frame from ${this.peers.get(peer)?.name ?? peer} could not be read: ${toError(error).message}`);
    }
  }

  opened(peer: PeerInfo): void {
    this.peers.set(peer.id, peer);
    this.onOpened(peer);
  }

  offline(peer: RuntimeId): void {
    this.onOffline(peer, true);
  }

  online(peer: RuntimeId): void {
    this.onOffline(peer, false);
  }

  /** K3 */
  ended(peer: RuntimeId, how: SessionEnd): void {
    const info = this.peers.get(peer);
    const end: SessionEnd = { ...how, lost: how.lost ?? (info?.role === 'worker' ? 'worker' : 'host') };
    this.peers.delete(peer);
    this.#outgoing.delete(peer);
    this.requests.ended(peer, end);
    this.windows.lost(peer, sessionError(end, 'A message was not sent'));
    for (const port of [...this.#ports.values()]) port.ended?.(peer, end);
    this.onEnded(peer, end, info);
  }

  room(peer: RuntimeId): void {
    this.windows.room(peer);
  }

  /** Hears of sessions that opened, went silent or came back, and ended. */
  onOpened: (peer: PeerInfo) => void = () => {};
  onOffline: (peer: RuntimeId, offline: boolean) => void = () => {};
  onEnded: (peer: RuntimeId, end: SessionEnd, info: PeerInfo | undefined) => void = () => {};

  #item(peer: RuntimeId, kind: number, target: number, decoder: Decoder): void {
    switch (kind) {
      case KIND.MESSAGE: {
        const before = decoder.position;
        const value = decoder.value();
        const port = this.#ports.get(target);
        if (port?.message) port.message(peer, value, decoder.position - before);
        else if (target >= FIRST_TASK) this.message(peer, PORT.RUNTIME, { kind: 'ended', task: target });
        return;
      }
      case KIND.DELIVER: {
        const before = decoder.position;
        const id = decoder.varint();
        const value = decoder.value();
        const port = this.#ports.get(target);
        if (port?.message) {
          port.message(peer, value, decoder.position - before);
          this.answer(peer, id, true, undefined);
        } else this.answer(peer, id, false, taskEnded()); // K1
        return;
      }
      case KIND.REQUEST: {
        const id = decoder.value() as number;
        const method = decoder.value();
        let args: unknown;
        try {
          args = decoder.value();
        } catch (error) {
          this.answer(peer, id, false, error);
          throw error;
        }
        const port = this.#ports.get(target);
        if (port?.request) port.request(peer, id, method, args);
        else this.answer(peer, id, false, new FlotillaError('ERR_REQUEST_UNKNOWN', `This runtime has no door ${target}.`)); // K1
        return;
      }
      case KIND.ANSWER: {
        const id = decoder.value() as number;
        const ok = decoder.value() === true;
        this.requests.answered(id, ok, decoder.value());
        return;
      }
      case KIND.CLOSE:
        decoder.value();
        this.#tasks.get(target)?.close();
        return;
      case KIND.CREDIT: {
        const number = decoder.value() as number;
        const messages = decoder.value() as number;
        this.windows.returned(peer, number, messages, decoder.value() as number);
        return;
      }
      default:
        throw new FlotillaError('ERR_WIRE_MALFORMED', `Frames of kind ${kind} mean nothing here.`);
    }
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
        post: (range, large) => this.carrier.post(peer, range, large),
      });
      this.#outgoing.set(peer, out);
    }
    return out;
  }

  #taken(counts: Map<RuntimeId, TakeCount>, from: RuntimeId, number: number, bytes: number): void {
    let count = counts.get(from);
    if (!count) {
      count = new TakeCount();
      counts.set(from, count);
    }
    const credit = count.taken(bytes);
    if (!credit || !this.peers.has(from)) return;
    this.#send(from, KIND.CREDIT, PORT.RUNTIME, (encoder) => {
      encoder.value(number);
      encoder.value(credit.messages);
      encoder.value(credit.bytes);
    });
    this.#out(from).flush(); // the sender goes on while the rest is worked on
  }

  #taskEnded(number: number, end: TaskEnd): void {
    this.#tasks.delete(number);
    this.#ports.delete(number);
    this.carrier.mailbox(number, false);
    this.#ends.set(number, end);
    if (this.#ends.size > ENDS_KEPT) this.#ends.delete(this.#ends.keys().next().value as number);
  }
}
