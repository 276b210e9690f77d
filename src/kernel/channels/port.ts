// The door to the channels of a runtime, and the face a channel's owner has of it.

import type { ChannelName } from '../names/name.ts';
import type { Kernel } from '../post/kernel.ts';
import type { Asked, Port } from '../post/ports.ts';
import { LocalChannel, type Transform } from './channel.ts';
import {
  CHANNEL_CODE,
  type ChannelRef,
  ClosedChannelRef,
  channelClosed,
  RemoteChannelRef,
  type SubscribeOptions,
  type Subscriber,
} from './channel-ref.ts';

/** Options of `runtime.channel`. */
export interface ChannelOptions<M, O> {
  /** Changes each message before subscribers get it; undefined drops it. */
  readonly transform?: Transform<M, O>;
  /** False: others cannot locate it until register() is called. */
  readonly register?: boolean;
}

/**
 * A channel of this runtime, as its owner has it: a reference that can be sent to others, and what only the owner may do.
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
  /** Gives the name back; whether it had it. */
  unregister(name?: string): boolean;
  /** Replaces the transform; undefined passes messages on as they are. */
  setTransform(transform: Transform<M, O> | undefined): void;
  /** Ends it: its name is free, and whoever waits on it hears so. */
  close(): void;
}

/** The channels of a kernel, by number. */
export function channelPort(kernel: Kernel): Port {
  const find = (number: number): LocalChannel => {
    const channel = kernel.channels.get(number);
    if (!channel) throw channelClosed(`number ${number}`);
    return channel;
  };
  const methods = kernel.methods({
    deliver: ({ signal }: Asked, number: number, message: unknown, atLeast: number) => find(number).deliver(message, { atLeast, signal }),
    subscribe: (_asked, number: number, ref: Subscriber<never>, whenFull: NonNullable<SubscribeOptions['whenFull']>) =>
      find(number).subscribe(ref, whenFull),
    unsubscribe: (_asked, number: number, id: string) => kernel.channels.get(number)?.unsubscribe(id) ?? false,
  });
  kernel.references.add({
    code: CHANNEL_CODE,
    remote: (wire) => new RemoteChannelRef(kernel, wire),
    local: (wire) => kernel.channels.get(wire.number)?.ref ?? new ClosedChannelRef(kernel, wire, wire),
  });
  return {
    ...methods,
    ended(peer, end) {
      methods.ended?.(peer, end);
      for (const channel of kernel.channels.values()) channel.lost(peer);
    },
  };
}

/** Makes a channel. Throws ERR_NAME_TAKEN. */
export function createChannel<M, O>(kernel: Kernel, name: ChannelName<M, O>, options: ChannelOptions<M, O> = {}): Channel<M, O> {
  const channel = new LocalChannel(kernel, name.name, options.transform as Transform<unknown, unknown> | undefined);
  kernel.channels.set(channel.ref.number, channel);
  try {
    if (options.register !== false) channel.ref.register();
  } catch (error) {
    channel.close();
    throw error;
  }
  return channel.ref as unknown as Channel<M, O>;
}
