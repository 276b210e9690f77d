// The door to the channels of a runtime, and a channel as its owner sees it.

import type { ChannelName } from '../names/name.ts';
import { CHANNELS } from '../protocol.ts';
import { type ChannelHome, LocalChannel, type Transform } from './channel.ts';
import type { ChannelRef } from './channel-ref.ts';
import { CHANNEL_CODE, ClosedChannelRef, channelClosed, RemoteChannelRef } from './channel-refs.ts';

/** Options of `runtime.channel`. */
export interface ChannelOptions<M, O> {
  /** Changes each message before subscribers get it; undefined drops it. */
  readonly transform?: Transform<M, O>;
  /** False: others cannot locate it until register() is called. */
  readonly register?: boolean;
}

/**
 * A channel of this runtime, as its owner has it: a reference that can be sent to others, with methods that only the owner has.
 *
 * @example
 * ```ts
 * await using runtime = await Runtime.start();
 * const loud = runtime.channel(channelName<string>('loud'), { transform: (text) => text.toUpperCase() });
 * const heard = runtime.spawn(async (self: Task<string>) => self.receive());
 * await loud.subscribe(heard);
 * loud.send('hello');
 * console.log(await heard.result); // => HELLO
 * ```
 */
export interface Channel<in out M, in out O = M> extends ChannelRef<M, O>, Disposable {
  readonly subscribers: number;
  /** Takes a name, by default its own. Throws ERR_NAME_TAKEN. */
  register(name?: string): void;
  /** Gives the name back; says whether the channel had it. */
  unregister(name?: string): boolean;
  /** Replaces the transform; undefined passes messages on as they are. */
  setTransform(transform: Transform<M, O> | undefined): void;
  /** Ends the channel: its name is free, and every wait on it ends. */
  close(): void;
}

/** Opens the door to the channels of a runtime. */
export function serveChannels(home: ChannelHome): void {
  const find = (number: number): LocalChannel => {
    const channel = home.channels.get(number);
    if (!channel) throw channelClosed(`number ${number}`);
    return channel;
  };
  home.references.add({
    code: CHANNEL_CODE,
    remote: (wire) => new RemoteChannelRef(home, wire),
    local: (wire) => home.channels.get(wire.number)?.ref ?? new ClosedChannelRef(home, wire, wire),
  });
  home.serve(CHANNELS, {
    deliver: ({ signal }, number, message, atLeast) => find(number).deliver(message, { atLeast, signal }),
    subscribe: (_asked, number, subscriber, whenFull) => find(number).subscribe(subscriber, whenFull),
    unsubscribe: (_asked, number, id) => home.channels.get(number)?.unsubscribe(id) ?? false,
  });
  home.on({
    ended: (peer) => {
      for (const channel of home.channels.values()) channel.lost(peer);
    },
  });
}

/** Makes a channel. Throws ERR_NAME_TAKEN. */
export function createChannel<M, O>(home: ChannelHome, name: ChannelName<M, O>, options: ChannelOptions<M, O> = {}): Channel<M, O> {
  const channel = new LocalChannel(home, name.name, options.transform as Transform<unknown, unknown> | undefined);
  home.channels.set(channel.ref.number, channel);
  try {
    if (options.register !== false) channel.ref.register();
  } catch (error) {
    channel.close();
    throw error;
  }
  return channel.ref as unknown as Channel<M, O>;
}
