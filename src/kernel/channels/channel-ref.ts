// The types that users write for channels, here or in any other runtime.
import type { RuntimeId } from '../../base/index.ts';
import type { TaskRef, WaitOptions } from '../tasks/reference.ts';

/** A subscriber of a channel: a task, or another channel. */
export type Subscriber<M> = TaskRef<M> | ChannelRef<M, unknown>;

/** Options of {@link ChannelRef.deliver}. */
export interface DeliverOptions extends WaitOptions {
  /** Waits for so many subscribers, and resolves when so many have the message; 0, the default: all there are. One timeout counts for both. */
  readonly atLeast?: number;
}

/** Options of {@link ChannelRef.subscribe}. */
export interface SubscribeOptions extends WaitOptions {
  /**
   * The rule for a subscriber that has used up its credit: the channel waits for it (`wait`, the default), drops what it cannot
   * take (`drop`), or ends its subscription (`unsubscribe`).
   */
  readonly whenFull?: 'wait' | 'drop' | 'unsubscribe';
}

/**
 * A reference to a channel, here or in any other runtime: each subscriber gets every message that is sent to it.
 *
 * `M` is the type of the messages it takes, `O` the type of those its subscribers get. Each subscriber gets the messages of one sender in
 * the order they were sent. Called `Channel` (rchan) in pycos.
 */
export interface ChannelRef<in M = never, out O = M> {
  readonly name: string;
  readonly id: string;
  readonly runtime: RuntimeId;
  /** Sends without waiting. False: wait for room() before you send more. */
  readonly send: (message: M) => boolean;
  /** Resolves when there is room again. */
  room(options?: WaitOptions): Promise<void>;
  /** Resolves with the number of tasks whose mailboxes have the message; rejects with ERR_TIMEOUT, ERR_CHANNEL_CLOSED or ERR_SESSION_LOST. */
  readonly deliver: (message: M, options?: DeliverOptions) => Promise<number>;
  /** Has a task or another channel get all messages from now on. It is unsubscribed when it ends. A second time, changes its options. */
  readonly subscribe: (subscriber: Subscriber<O>, options?: SubscribeOptions) => Promise<void>;
  /** Ends a subscription; resolves with whether there was one. */
  unsubscribe(subscriber: { readonly id: string; readonly runtime: RuntimeId }, options?: WaitOptions): Promise<boolean>;
}
