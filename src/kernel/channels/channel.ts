// A channel: every subscriber gets each message that is sent to it.
//
// Owns its subscriptions and the messages that wait to be passed on. Does not own the subscribers' mailboxes.
//
//   CN1. The messages of one sender reach each subscriber in the order in which they were sent.
//   CN2. A subscriber whose credit is used up stops the channel, and with it its senders, unless it was subscribed otherwise;
//       until then it slows nobody.
//   CN3. A subscriber that has ended is unsubscribed.
//   CN4. One message to many subscribers of one peer crosses the link once.
import { Fifo, FlotillaError, type Log, type RuntimeId, toError } from '../../base/index.ts';
import type { Registry } from '../names/registry.ts';
import { type SendWindow, WINDOW } from '../post/credit.ts';
import type { References } from '../references/references.ts';
import type { TaskRef, WaitOptions } from '../tasks/reference.ts';
import type { Receiver, TaskTable } from '../tasks/table.ts';
import type { LocalTask } from '../tasks/task.ts';
import { LocalRef, RemoteRef } from '../tasks/task-refs.ts';
import type { ChannelRef, DeliverOptions, SubscribeOptions, Subscriber } from './channel-ref.ts';
import { type ChannelRefHome, channelClosed, LocalChannelRef, RemoteChannelRef } from './channel-refs.ts';

/** The most channels that one message may go through, one after another: more are taken for a circle. */
export const MOST_HOPS = 16;
/** The most subscribers of one channel. */
export const MOST_SUBSCRIBERS = 1_000_000;
const LOCAL_OVERRUN = 8;
const DROPPED = Symbol('dropped');

type WhenFull = NonNullable<SubscribeOptions['whenFull']>;

type Target =
  | { readonly kind: 'task'; readonly task: LocalTask }
  | { readonly kind: 'channel'; readonly channel: LocalChannel }
  | { readonly kind: 'remote'; readonly peer: RuntimeId; readonly number: number; readonly window: () => SendWindow };

interface Subscription {
  readonly ref: Subscriber<never>;
  readonly target: Target;
  whenFull: WhenFull;
  dropped: number;
}

interface Waiting {
  readonly message: unknown;
  readonly from: RuntimeId | undefined;
  readonly bytes: number;
  readonly hops: number;
  /** Passes the message on with confirmation, if it is a delivery. */
  readonly confirm: ((message: unknown) => void) | undefined;
}

/** Changes a message, or drops it by giving undefined. */
export type Transform<M, O> = (message: M) => O | undefined;

/** The parts of a runtime that a channel needs. */
export interface ChannelHome extends ChannelRefHome {
  readonly references: References;
  readonly names: Registry;
  readonly tasks: TaskTable;
  /** All channels of the runtime, by number. */
  readonly channels: Map<number, LocalChannel>;
}

/** A channel of this runtime. */
export class LocalChannel implements Receiver {
  readonly name: string;
  readonly ref: LocalChannelRef;
  transform: Transform<unknown, unknown> | undefined;
  readonly #home: ChannelHome;
  readonly #log: Log;
  readonly #number: number;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #byPeer = new Map<RuntimeId, Subscription[]>();
  readonly #waiting = new Fifo<Waiting>();
  readonly #forSubscribers: (() => void)[] = [];
  readonly #forRoom: (() => void)[] = [];
  #stopped = false;
  #closed = false;

  constructor(home: ChannelHome, name: string, transform: Transform<unknown, unknown> | undefined) {
    this.#home = home;
    this.#log = home.log;
    this.name = name;
    this.transform = transform;
    this.#number = home.tasks.add(this);
    this.ref = new LocalChannelRef(home, this.#number, this);
  }

  get names(): Registry {
    return this.#home.names;
  }

  get subscribers(): number {
    return this.#subscriptions.size;
  }

  /** Takes a message of this runtime; false if there is no room for more. */
  publish(message: unknown): boolean {
    if (this.#waiting.size >= WINDOW.messages * LOCAL_OVERRUN) {
      throw new FlotillaError(
        'ERR_SESSION_OVERRUN',
        `${this.#waiting.size} messages wait in the channel '${this.name}'. When send() returns false, wait for room().`,
      );
    }
    this.#enter({ message, from: undefined, bytes: 0, hops: 0, confirm: undefined });
    return this.#waiting.size < WINDOW.messages;
  }

  /** Takes a message of a peer. */
  take(message: unknown, from: RuntimeId, bytes: number, hops: number): void {
    if (hops > MOST_HOPS) {
      this.#home.tasks.taken(from, this.#number, bytes);
      this.#log.warn(
        `A message to the channel '${this.name}' came through ${hops} channels; it is dropped. Do channels subscribe to each other in a circle?`,
      );
      return;
    }
    this.#enter({ message, from, bytes, hops, confirm: undefined });
  }

  async room(options: WaitOptions): Promise<void> {
    while (!this.#closed && this.#waiting.size >= WINDOW.messages) {
      await this.#home.requests.within(options, 'Room', (settle) => {
        this.#forRoom.push(() => settle(true, undefined));
        return () => {};
      });
    }
  }

  /** Passes a message on; resolves with the number of tasks that have it. */
  async deliver(message: unknown, { atLeast = 0, ...options }: DeliverOptions): Promise<number> {
    const { clock, requests } = this.#home;
    const until = options.timeout === undefined ? undefined : clock.now() + options.timeout;
    const left = (): WaitOptions => (until === undefined ? options : { ...options, timeout: Math.max(0, until - clock.now()) });
    while (this.#subscriptions.size < atLeast && !this.#closed) {
      await requests.within(
        left(),
        `A delivery to ${atLeast} subscribers of the channel '${this.name}' (it has ${this.#subscriptions.size})`,
        (settle) => {
          this.#forSubscribers.push(() => settle(true, undefined));
          return () => {};
        },
      );
    }
    if (this.#closed) throw channelClosed(this.name);
    const counted = requests.within(left(), `A delivery to the channel '${this.name}'`, (settle) => {
      const wait = left();
      this.#enter({
        message,
        from: undefined,
        bytes: 0,
        hops: 0,
        confirm: (changed) => void this.#confirm(changed, atLeast, wait).then((count) => settle(true, count)),
      });
      return () => {};
    });
    return (await counted) as number;
  }

  /** Adds a subscriber, or changes the rule of one. Throws ERR_CHANNEL_CLOSED, ERR_LIMIT or ERR_OPTION_INVALID. */
  subscribe(subscriber: Subscriber<never>, whenFull: WhenFull): void {
    const ref = this.#home.references.own(subscriber);
    if (this.#closed) throw channelClosed(this.name);
    const known = this.#subscriptions.get(ref.id);
    if (known) {
      known.whenFull = whenFull;
      return this.#pump();
    }
    if (this.#subscriptions.size >= MOST_SUBSCRIBERS)
      throw new FlotillaError('ERR_LIMIT', `The channel '${this.name}' has ${MOST_SUBSCRIBERS} subscribers.`);
    const subscription: Subscription = { ref, target: this.#target(ref), whenFull, dropped: 0 };
    this.#subscriptions.set(ref.id, subscription);
    if (subscription.target.kind === 'remote') {
      const { peer } = subscription.target;
      this.#byPeer.set(peer, [...(this.#byPeer.get(peer) ?? []), subscription]);
    }
    if ('ended' in ref) void ref.ended.then(() => this.#remove(ref.id, subscription)); // CN3
    for (const wake of this.#forSubscribers.splice(0)) wake();
  }

  unsubscribe(id: string): boolean {
    const subscription = this.#subscriptions.get(id);
    return subscription !== undefined && this.#remove(id, subscription);
  }

  /** Unsubscribes all subscribers of a peer, because the peer is gone. */
  lost(peer: RuntimeId): void {
    for (const [id, subscription] of this.#subscriptions) if (subscription.ref.runtime === peer) this.#remove(id, subscription);
  }

  /** Closes the channel: messages that wait are dropped, and their senders get the credit back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#home.names.release(this.#number);
    for (let one = this.#waiting.shift(); one; one = this.#waiting.shift()) this.#passed(one);
    this.#home.tasks.remove(this.#number);
    this.#home.channels.delete(this.#number);
    this.#subscriptions.clear();
    this.#byPeer.clear();
    for (const wake of [...this.#forSubscribers.splice(0), ...this.#forRoom.splice(0)]) wake();
  }

  // Finds the way to a subscriber. A channel or task of this runtime gets its messages without a wire between.
  #target(ref: Subscriber<never>): Target {
    if (ref instanceof LocalChannelRef) {
      if (ref.channel === this || ref.channel.#leadsTo(this)) {
        throw new FlotillaError(
          'ERR_OPTION_INVALID',
          `The channel '${ref.name}' cannot subscribe to '${this.name}': messages would go round in a circle.`,
        );
      }
      return { kind: 'channel', channel: ref.channel };
    }
    if (ref instanceof RemoteRef || ref instanceof RemoteChannelRef)
      return { kind: 'remote', peer: ref.runtime, number: ref.number, window: () => ref.open() };
    const task = ref instanceof LocalRef ? this.#home.tasks.get(ref.number) : undefined;
    if (!task)
      throw new FlotillaError('ERR_TASK_ENDED', `'${ref?.name ?? String(ref)}' cannot subscribe: it is no task or channel that lives.`);
    return { kind: 'task', task };
  }

  #leadsTo(other: LocalChannel): boolean {
    for (const { target } of this.#subscriptions.values())
      if (target.kind === 'channel' && (target.channel === other || target.channel.#leadsTo(other))) return true;
    return false;
  }

  #remove(id: string, subscription: Subscription): boolean {
    if (this.#subscriptions.get(id) !== subscription) return false;
    this.#subscriptions.delete(id);
    if (subscription.target.kind === 'remote') {
      const { peer } = subscription.target;
      const rest = (this.#byPeer.get(peer) ?? []).filter((one) => one !== subscription);
      if (rest.length > 0) this.#byPeer.set(peer, rest);
      else this.#byPeer.delete(peer);
    }
    if (subscription.dropped > 0)
      this.#log.debug(`The channel '${this.name}' dropped ${subscription.dropped} messages to '${subscription.ref.name}'.`);
    this.#pump();
    return true;
  }

  #enter(waiting: Waiting): void {
    if (this.#closed) return this.#passed(waiting);
    if (this.#waiting.size === 0 && this.#ready()) this.#pass(waiting);
    else this.#waiting.push(waiting);
  }

  #passed({ from, bytes }: Waiting): void {
    if (from !== undefined) this.#home.tasks.taken(from, this.#number, bytes);
  }

  readonly #pump = (): void => {
    this.#stopped = false;
    while (this.#waiting.size > 0 && this.#ready()) this.#pass(this.#waiting.shift() as Waiting);
    if (this.#forRoom.length > 0 && this.#waiting.size <= WINDOW.messages / 2) for (const wake of this.#forRoom.splice(0)) wake();
  };

  // Whether every subscriber that is waited for can take one more message. The first that cannot stops the channel, and starts it
  // again when it has room. CN2
  #ready(): boolean {
    if (this.#stopped) return false;
    for (const { whenFull, target } of this.#subscriptions.values()) {
      if (whenFull !== 'wait' || this.#hasRoom(target)) continue;
      this.#stopped = true;
      if (target.kind === 'task') target.task.mailbox.onRoom(this.#pump);
      else if (target.kind === 'channel') target.channel.#forRoom.push(this.#pump);
      else target.window().onRoom(this.#pump);
      return false;
    }
    return true;
  }

  #hasRoom(target: Target): boolean {
    if (target.kind === 'task') return target.task.mailbox.size < WINDOW.messages || !target.task.mailbox.open;
    if (target.kind === 'channel') return target.channel.#waiting.size < WINDOW.messages || target.channel.#closed;
    const window = target.window();
    return window.ended || (window.hasRoom && this.#home.carrier.hasRoom(target.peer));
  }

  #pass(waiting: Waiting): void {
    this.#passed(waiting);
    const message = this.#transformed(waiting.message);
    if (waiting.confirm) return waiting.confirm(message);
    if (message === DROPPED) return;
    const hops = waiting.hops + 1;
    // One message goes to all before the next goes to any, so none overtakes another. CN1
    for (const [id, subscription] of this.#subscriptions) {
      const { target } = subscription;
      if (target.kind === 'remote' || !this.#takes(id, subscription)) continue;
      if (target.kind === 'task') target.task.mailbox.put(message, undefined, 0);
      else target.channel.#enter({ message, from: undefined, bytes: 0, hops, confirm: undefined });
    }
    if (this.#byPeer.size === 0) return;
    try {
      const bytes = this.#home.encode(message);
      for (const [peer, subscriptions] of this.#byPeer) this.#cross(peer, subscriptions, bytes, hops);
    } catch (error) {
      this.#log.error(`A message of the channel '${this.name}' could not be passed on: ${toError(error).message}`);
    }
  }

  // Sends the subscribers of one peer a message that was encoded once for all peers. CN4
  #cross(peer: RuntimeId, subscriptions: readonly Subscription[], bytes: Buffer, hops: number): void {
    const to: { number: number; window: SendWindow }[] = [];
    for (const subscription of subscriptions) {
      const { target, ref } = subscription;
      if (target.kind !== 'remote' || !this.#takes(ref.id, subscription)) continue;
      const window = target.window();
      if (!window.ended) to.push({ number: target.number, window });
    }
    if (to.length > 0) this.#home.fanOut(peer, to, bytes, hops);
  }

  #takes(id: string, subscription: Subscription): boolean {
    if (subscription.whenFull === 'wait' || this.#hasRoom(subscription.target)) return true;
    if (subscription.whenFull === 'unsubscribe') {
      this.#log.warn(`'${subscription.ref.name}' does not keep up with the channel '${this.name}', and is unsubscribed as asked.`);
      this.#remove(id, subscription);
    } else subscription.dropped++;
    return false;
  }

  #transformed(message: unknown): unknown {
    if (!this.transform) return message;
    try {
      const changed = this.transform(message);
      return changed === undefined ? DROPPED : changed;
    } catch (error) {
      this.#log.warn(`The transform of the channel '${this.name}' threw; the message is dropped: ${toError(error).message}`);
      return DROPPED;
    }
  }

  // Resolves with the number of tasks that have the message: all that answer, or the first `atLeast`.
  #confirm(message: unknown, atLeast: number, wait: WaitOptions): Promise<number> {
    const subscriptions = [...this.#subscriptions.values()];
    if (message === DROPPED || subscriptions.length === 0) return Promise.resolve(0);
    return new Promise((resolve) => {
      let count = 0;
      let open = subscriptions.length;
      const done = (more: number): void => {
        count += more;
        if (--open === 0 || (atLeast > 0 && count >= atLeast)) resolve(count);
      };
      for (const { ref } of subscriptions) {
        const sent: Promise<number | void> = (ref as TaskRef<unknown> | ChannelRef<unknown>).deliver(message, wait);
        sent.then(
          (n) => done(n ?? 1),
          () => done(0),
        );
      }
    });
  }
}
