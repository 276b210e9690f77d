// Names for tasks, channels and services. A name carries a type, so that the program that registers it and the program that looks for
// it share one definition.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import type { ChannelRef } from '../channels/channel-ref.ts';
import type { TaskRef, WaitOptions } from '../tasks/reference.ts';

/** The most bytes a name may have. */
export const NAME_BYTES = 256;

/** The name of a task that takes messages of type `M` and returns `R`. */
export interface TaskName<in M, out R = unknown> {
  readonly kind: 'task';
  readonly name: string;
  /** Carries the type; there is no value. */
  readonly locates?: TaskRef<M, R>;
}

/** The name of a channel that takes messages of type `M` and gives its subscribers `O`. */
export interface ChannelName<in M, out O = M> {
  readonly kind: 'channel';
  readonly name: string;
  /** Carries the type; there is no value. */
  readonly locates?: ChannelRef<M, O>;
}

/** The kinds of things that a name can stand for. */
export type NameKind = 'task' | 'channel' | 'service';

/** A thing that can have a name in this runtime: a reference to a task, a channel or a service. */
export interface Nameable {
  readonly id: string;
  readonly number: number;
  readonly runtime: RuntimeId;
}

/** A name of any kind. */
export interface Name {
  readonly kind: NameKind;
  readonly name: string;
  /** Carries the type of what it stands for; there is no value. */
  readonly locates?: unknown;
}

/** The type that a name stands for; a plain string stands for a task of unknown messages. */
export type Located<N> = N extends string ? TaskRef<unknown> : N extends { readonly locates?: infer T } ? NonNullable<T> : never;

/** Options of `locate`. */
export interface LocateOptions extends WaitOptions {
  /**
   * Rejects with ERR_NAME_UNKNOWN after so many milliseconds, and names the peers that were asked. 0 asks each known peer once. Without it
   * the wait goes on until the name is registered somewhere, and the log says every 30 s which peers do not know it.
   */
  readonly timeout?: number;
  /** An address or the id of a peer to look at; everywhere by default. Where no runtime listens yet, the search waits for one. */
  readonly at?: string | RuntimeId;
}

/**
 * A name for a task, with its type.
 *
 * Throws ERR_OPTION_INVALID for an empty or too long name. `Task.locate(name)` in pycos took a bare string.
 *
 * @example
 * ```ts
 * const adder = taskName<number, number>('adder');
 * await using runtime = await Runtime.start();
 * runtime.spawn(async (self: Task<number>) => {
 *   await self.register(adder.name);
 *   return (await self.receive()) + 1;
 * });
 * const ref = await runtime.locate(adder);
 * ref.send(41);
 * console.log(await ref.result); // => 42
 * ```
 */
export function taskName<M, R = unknown>(name: string): TaskName<M, R> {
  return { kind: 'task', name: checkName(name) };
}

/**
 * A name for a channel, with the type of its messages, and of what its subscribers get if a transform changes them.
 *
 * Throws ERR_OPTION_INVALID for an empty or too long name. `Channel.locate(name)` in pycos took a bare string.
 *
 * @example
 * ```ts
 * const room = channelName<string>('room');
 * await using runtime = await Runtime.start();
 * const chat = runtime.channel(room);
 * console.log((await runtime.locate(room)).name === chat.name); // => true
 * ```
 */
export function channelName<M, O = M>(name: string): ChannelName<M, O> {
  return { kind: 'channel', name: checkName(name) };
}

/** Gives the name back if a name can be so. Throws ERR_OPTION_INVALID. */
export function checkName(name: string): string {
  if (typeof name === 'string' && name.length > 0 && Buffer.byteLength(name) <= NAME_BYTES) return name;
  throw new FlotillaError(
    'ERR_OPTION_INVALID',
    `A name is a text of 1 to ${NAME_BYTES} bytes; this one is ${name === '' ? 'empty' : typeof name === 'string' ? `${Buffer.byteLength(name)} bytes long` : `a ${typeof name}`}. A function without a name needs one given.`,
  );
}
