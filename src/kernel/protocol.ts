// The kernel's own doors, at which every runtime answers.
import { anything, flag, list, listOf, measure, oneOf, optional, record, runtimeId, string, text, whole } from '../base/index.ts';
import { ROLES } from '../transport/index.ts';
import type { SubscribeOptions, Subscriber } from './channels/channel-ref.ts';
import type { FileOffer, OfferAnswer, ReceiverNotice } from './files/contract.ts';
import { door } from './post/door.ts';
import type { PeerInfo } from './sessions/hub-options.ts';
import type { TaskEnd, TaskEnded, TaskRef } from './tasks/reference.ts';

const number = whole(0, Number.MAX_SAFE_INTEGER);
const texts = listOf(string);

/** The door of tasks: others watch, resume and monitor them there. */
export interface RuntimeDoor {
  /** Answers with the end of a task, once it has ended. */
  watch(task: number): TaskEnd;
  resume(task: number, value: unknown): boolean;
  /** Tells one task of the end of another. */
  monitor(watched: TaskRef<never>, watcher: TaskRef<TaskEnded>): void;
}

/** The notices at the door of tasks. */
export type RuntimeNotice =
  /** A request, asked at a door, has been given up. */
  | { readonly kind: 'cancel'; readonly port: number; readonly id: number; readonly reason: unknown }
  /** A message to a task came after its end, so its sender need not send more. */
  | { readonly kind: 'ended'; readonly task: number }
  | { readonly kind: 'throw'; readonly task: number; readonly error: unknown };

export const RUNTIME = door<RuntimeDoor, RuntimeNotice>(
  'runtime',
  0,
  { watch: [number], resume: [number, anything], monitor: [anything, anything] },
  {
    cancel: { port: number, id: number, reason: anything },
    ended: { task: number },
    throw: { task: number, error: anything },
  },
);

/** Asks a task to end. It has a door of its own, because in a worker process another thread sees to it that the task does end. */
export interface Terminate {
  readonly kind: 'terminate';
  readonly task: number;
  readonly reason: string | undefined;
}

export const TERMINATE = door<object, Terminate>('terminate', 1, {}, { terminate: { task: number, reason: anything } });

/** The door of names, at which others look for them. */
export interface NamesDoor {
  /** Answers with the reference that has the name; null if none has. With `wait`, it answers when something has the name. */
  find(kind: 'task' | 'channel' | 'service', name: string, wait: boolean): unknown;
}

export const NAMES = door<NamesDoor>('names', 2, { find: [oneOf('task', 'channel', 'service'), text, flag] });

/** The door of channels, which have numbers. */
export interface ChannelsDoor {
  /** Passes a message on; answers with the number of tasks that have it. */
  deliver(channel: number, message: unknown, atLeast: number): number;
  subscribe(channel: number, subscriber: Subscriber<never>, whenFull: NonNullable<SubscribeOptions['whenFull']>): void;
  unsubscribe(channel: number, subscriber: string): boolean;
}

export const CHANNELS = door<ChannelsDoor>('channels', 3, {
  deliver: [number, anything, number],
  subscribe: [number, anything, oneOf('wait', 'drop', 'unsubscribe')],
  unsubscribe: [number, string],
});

/** The door of services, which have numbers; `reference` is the asker's own number of its reference. */
export interface ServicesDoor {
  spawn(service: number, reference: number, args: readonly unknown[]): TaskRef<unknown>;
  call(service: number, reference: number, args: readonly unknown[]): unknown;
  /** Gives a reference up; answers with the number of its tasks. */
  close(reference: number, terminate: boolean): number;
}

export const SERVICES = door<ServicesDoor>('services', 4, {
  spawn: [number, number, list],
  call: [number, number, list],
  close: [number, flag],
});

/** The door of files, at which a receiver takes them. */
export interface FilesDoor {
  offer(offer: FileOffer): OfferAnswer;
  /** Says that all bytes were sent: the receiver puts the file in place if they have this hash. */
  finish(transfer: number, hash: string): void;
  /** Gives a transfer up. */
  give(transfer: number): void;
  /** Deletes a file; answers with whether there was one. */
  delete(dir: string, name: string): boolean;
}

export const FILES = door<FilesDoor>('files', 5, {
  offer: [
    record<FileOffer>({
      name: string,
      dir: string,
      size: measure,
      mtime: measure,
      mode: measure,
      overwrite: anything,
      hash: optional(string),
    }),
  ],
  finish: [number, string],
  give: [number],
  delete: [string, string],
});

/** The door at which the receiver of a file tells its sender how far it is. */
export const FILE_NOTICES = door<object, ReceiverNotice>(
  'file-notices',
  6,
  {},
  { took: { transfer: number, bytes: number }, failed: { transfer: number, error: anything } },
);

/** The door of peers, at which others ask who is near. */
export interface PeersDoor {
  /** Answers with the peers that are known here; tells of those that come later. */
  relay(): readonly PeerInfo[];
  /** Answers with those addresses that can be reached from here; sends hosts a datagram with the nonce to a port. */
  probe(addresses: readonly string[], hosts: readonly string[], port: number, nonce: string): { readonly reached: readonly string[] };
}

/** A runtime has come that the asker of `relay` may not know. */
export interface PeerNotice {
  readonly kind: 'peer';
  readonly peer: PeerInfo;
}

export const PEERS = door<PeersDoor, PeerNotice>(
  'peers',
  7,
  { relay: [], probe: [texts, texts, number, string] },
  { peer: { peer: record<PeerInfo>({ id: runtimeId, name: string, role: oneOf(...ROLES), addresses: texts }) } },
);
