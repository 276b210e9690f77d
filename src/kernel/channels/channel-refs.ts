// References to channels: to a channel of this runtime, of another, and to one that is closed.
import { FlotillaError } from '../../base/index.ts';
import type { SendWindow } from '../post/credit.ts';
import type { Mail } from '../post/post.ts';
import { CHANNELS } from '../protocol.ts';
import { Reference, type RefHome, type RefWire } from '../references/ref-base.ts';
import type { WaitOptions } from '../tasks/reference.ts';
import { roomFor } from '../tasks/task-refs.ts';
import type { LocalChannel, Transform } from './channel.ts';
import type { ChannelRef, DeliverOptions, SubscribeOptions, Subscriber } from './channel-ref.ts';

/** The extension by which references to channels travel. */
export const CHANNEL_CODE = 2;

/** The parts of a runtime that a reference to a channel needs. */
export interface ChannelRefHome extends Mail, RefHome {}

/** A channel of another runtime. */
export class RemoteChannelRef extends Reference implements ChannelRef<unknown, unknown> {
  readonly code = CHANNEL_CODE;
  declare readonly home: ChannelRefHome;
  declare readonly wire: RefWire;
  #window: SendWindow | undefined;

  constructor(home: ChannelRefHome, wire: RefWire) {
    super(home, wire, wire);
  }

  readonly send = (message: unknown): boolean => this.home.sendTo(this.runtime, this.number, this.open(), message);

  room(options: WaitOptions = {}): Promise<void> {
    return roomFor(this.home, this, options);
  }

  readonly deliver = async (message: unknown, { atLeast = 0, ...wait }: DeliverOptions = {}): Promise<number> => {
    checkAtLeast(atLeast);
    return this.home.at(this.runtime, CHANNELS, wait).deliver(this.number, message, atLeast);
  };

  readonly subscribe = async (subscriber: Subscriber<never>, { whenFull = 'wait', ...wait }: SubscribeOptions = {}): Promise<void> => {
    await this.home.at(this.runtime, CHANNELS, wait).subscribe(this.number, subscriber, whenFull);
  };

  unsubscribe(subscriber: { readonly id: string }, wait?: WaitOptions): Promise<boolean> {
    return this.home.at(this.runtime, CHANNELS, wait).unsubscribe(this.number, subscriber.id);
  }

  open(): SendWindow {
    if (!this.#window || (this.#window.ended && !this.home.peers.has(this.runtime)))
      this.#window = this.home.windows.get(this.runtime, this.number);
    return this.#window;
  }
}

/** A channel of this runtime, as a reference; its owner has methods besides. */
export class LocalChannelRef extends Reference implements ChannelRef<unknown, unknown> {
  readonly code = CHANNEL_CODE;
  readonly channel: LocalChannel;

  get subscribers(): number {
    return this.channel.subscribers;
  }

  register(name: string = this.name): void {
    this.channel.names.register('channel', name, this);
  }

  unregister(name: string = this.name): boolean {
    return this.channel.names.unregister('channel', name, this);
  }

  setTransform(transform: Transform<unknown, unknown> | undefined): void {
    this.channel.transform = transform;
  }

  close(): void {
    this.channel.close();
  }

  [Symbol.dispose](): void {
    this.channel.close();
  }

  constructor(home: ChannelRefHome, number: number, channel: LocalChannel) {
    super(home, { name: channel.name, runtime: home.id, number });
    this.channel = channel;
  }

  readonly send = (message: unknown): boolean => this.channel.publish(message);
  readonly deliver = (message: unknown, options: DeliverOptions = {}): Promise<number> => {
    checkAtLeast(options.atLeast ?? 0);
    return this.channel.deliver(message, options);
  };
  readonly subscribe = async (subscriber: Subscriber<never>, { whenFull = 'wait' }: SubscribeOptions = {}): Promise<void> =>
    this.channel.subscribe(subscriber, whenFull);
  async unsubscribe(subscriber: { readonly id: string }): Promise<boolean> {
    return this.channel.unsubscribe(subscriber.id);
  }
  room(options: WaitOptions = {}): Promise<void> {
    return this.channel.room(options);
  }
}

/** A reference that came home to a channel that is closed. */
export class ClosedChannelRef extends Reference implements ChannelRef<unknown, unknown> {
  readonly code = CHANNEL_CODE;
  readonly send = (): boolean => true;
  readonly deliver = (): Promise<number> => Promise.reject(channelClosed(this.name));
  readonly subscribe = (): Promise<void> => Promise.reject(channelClosed(this.name));
  unsubscribe(): Promise<boolean> {
    return Promise.resolve(false);
  }
  room(): Promise<void> {
    return Promise.resolve();
  }
}

/** The error for a channel that is closed. */
export function channelClosed(name: string): FlotillaError {
  return new FlotillaError('ERR_CHANNEL_CLOSED', `The channel '${name}' is closed.`);
}

function checkAtLeast(atLeast: number): void {
  if (Number.isInteger(atLeast) && atLeast >= 0) return;
  throw new FlotillaError('ERR_OPTION_INVALID', `deliver: 'atLeast' must be a whole number, at least 0; it is ${String(atLeast)}.`);
}
