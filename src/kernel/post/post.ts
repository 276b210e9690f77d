// The post: a part of a runtime asks and tells by it at the doors of others, opens doors, hears of peers, and sends to mailboxes.
import type { Clock, Log, RuntimeId } from '../../base/index.ts';
import type { Extensions } from '../../wire/index.ts';
import type { PeerInfo } from '../sessions/hub-options.ts';
import type { WaitOptions } from '../tasks/reference.ts';
import type { Carrier } from '../threads/carrier.ts';
import type { SendWindow } from './credit.ts';
import type { Answers, Args, Asks, Door, Notice } from './door.ts';
import type { Behind, Port } from './doors.ts';
import type { PeerListener } from './listeners.ts';
import type { Pending, Requests } from './requests.ts';
import type { Windows } from './windows.ts';

/** The value side of a runtime, as its parts and the rooms above have it. */
export interface Post {
  readonly id: RuntimeId;
  readonly clock: Clock;
  readonly log: Log;
  readonly carrier: Carrier;
  readonly requests: Requests;
  readonly windows: Windows;
  /** The extensions by which references and objects of registered classes travel. */
  readonly extensions: Extensions;
  /** The peers that there is a session with, and this runtime. */
  readonly peers: ReadonlyMap<RuntimeId, PeerInfo>;
  /** Has a listener hear of peers from now on; returns a function that ends that. */
  on(listener: PeerListener): () => void;
  /** Opens a door of this runtime: `answers` has its methods, `behind` hears its notices. */
  serve<M, N extends Notice>(door: Door<M, N>, answers: Answers<M>, behind?: Behind<N>): void;
  /** Opens a door whose owner answers each request itself, with `answer`. */
  open<M, N extends Notice>(door: Door<M, N>, port: Port<N>): void;
  /** The methods of a peer's door. Asking rejects with the other side's error, ERR_TIMEOUT, ERR_SESSION_LOST or the signal's reason. */
  at<M, N extends Notice>(peer: RuntimeId, door: Door<M, N>, options?: WaitOptions): Asks<M>;
  /** Asks a method at a door of a peer; `pending` hears the outcome. Throws if the arguments cannot travel. */
  request<M, N extends Notice, K extends keyof M & string>(pending: Pending, door: Door<M, N>, method: K, args: Args<M[K]>): number;
  /** Tells a notice at a door of a peer. */
  message<M, N extends Notice>(peer: RuntimeId, door: Door<M, N>, notice: N): void;
  /** Settles a request of a peer. A value that cannot travel becomes an error. */
  answer(peer: RuntimeId, id: number, ok: boolean, value: unknown): void;
  /** Settles a request of a peer; throws if the value cannot travel. */
  answerOrThrow(peer: RuntimeId, id: number, value: unknown, ok?: boolean): void;
  /** Posts all frames that are gathered. */
  flush(): void;
}

/** The post, and sending to mailboxes of peers, against their windows. */
export interface Mail extends Post {
  /** Sends a message to a task of a peer, against its window. */
  sendTo(peer: RuntimeId, number: number, window: SendWindow, value: unknown): boolean;
  /** Sends a reply the one message that it waits for; no credit is kept for it. */
  sendOnce(peer: RuntimeId, number: number, value: unknown): void;
  /** Puts a message into the mailbox of a task of a peer; resolves when it is there. */
  deliverTo(peer: RuntimeId, number: number, window: SendWindow, value: unknown, options: WaitOptions): Promise<void>;
  /** Closes the mailbox of a task of a peer, behind the messages that were sent to it before. */
  closeTask(peer: RuntimeId, number: number): void;
  /** Encodes a message once, for any number of peers. Throws ERR_WIRE_CANNOT_TRAVEL. */
  encode(value: unknown): Buffer;
  /** Sends one message to many tasks and channels of a peer: it crosses once, and counts against the window of each. */
  fanOut(peer: RuntimeId, to: readonly { readonly number: number; readonly window: SendWindow }[], bytes: Buffer, hops: number): void;
  /** Gives a sender credit for the messages that a task has taken. */
  credit(peer: RuntimeId, number: number, credit: { readonly messages: number; readonly bytes: number }): void;
}
