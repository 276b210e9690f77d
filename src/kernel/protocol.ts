// The kernel's own doors: what every runtime answers.
import { anything, flag, list, listOf, measure, oneOf, optional, record, runtimeId, string, text, whole } from '../base/index.ts';
import { ROLES } from '../transport/index.ts';
import type { SubscribeOptions, Subscriber } from './channels/channel-ref.ts';
import type { FileOffer, OfferAnswer, ReceiverNotice } from './files/contract.ts';
import { door } from './post/door.ts';
import type { PeerInfo } from './sessions/hub-options.ts';
import type { TaskEnd, TaskEnded, TaskRef } from './tasks/reference.ts';

const number = whole(0, Number.MAX_SAFE_INTEGER);
const texts = listOf(string);

/** Tasks, as others watch them. */
export interface RuntimeDoor {
  /** How a task ends, when it has. */
  watch(task: number): TaskEnd;
  resume(task: number, value: unknown): boolean;
  /** Tells one task of the end of another. */
  monitor(watched: TaskRef<never>, watcher: TaskRef<TaskEnded>): void;
}

/** What runtimes tell each other. */
export type RuntimeNotice =
  /** A request, asked at a door, has been given up. */
  | { readonly kind: 'cancel'; readonly port: number; readonly id: number; readonly reason: unknown }
  /** What was sent to a task came after its end. */
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

/** A task is asked to end; apart from the rest, for in a worker process another thread sees to it that it does. */
export interface Terminate {
  readonly kind: 'terminate';
  readonly task: number;
  readonly reason: string | undefined;
}

export const TERMINATE = door<object, Terminate>('terminate', 1, {}, { terminate: { task: number, reason: anything } });

/** Names, as others look for them. */
export interface NamesDoor {
  /** What has a name, when something has if `wait`; null: nothing. */
  find(kind: 'task' | 'channel' | 'service', name: string, wait: boolean): unknown;
}

export const NAMES = door<NamesDoor>('names', 2, { find: [oneOf('task', 'channel', 'service'), text, flag] });

/** Channels, by number. */
export interface ChannelsDoor {
  /** Passes a message on; how many have it. */
  deliver(channel: number, message: unknown, atLeast: number): number;
  subscribe(channel: number, subscriber: Subscriber<never>, whenFull: NonNullable<SubscribeOptions['whenFull']>): void;
  unsubscribe(channel: number, subscriber: string): boolean;
}

export const CHANNELS = door<ChannelsDoor>('channels', 3, {
  deliver: [number, anything, number],
  subscribe: [number, anything, oneOf('wait', 'drop', 'unsubscribe')],
  unsubscribe: [number, string],
});

/** Services, by number; `reference` is the asker's own number of its reference. */
export interface ServicesDoor {
  spawn(service: number, reference: number, args: readonly unknown[]): TaskRef<unknown>;
  call(service: number, reference: number, args: readonly unknown[]): unknown;
  /** Gives a reference up; how many tasks it had. */
  close(reference: number, terminate: boolean): number;
}

export const SERVICES = door<ServicesDoor>('services', 4, {
  spawn: [number, number, list],
  call: [number, number, list],
  close: [number, flag],
});

/** Files, as a receiver takes them. */
export interface FilesDoor {
  offer(offer: FileOffer): OfferAnswer;
  /** All bytes were sent: the file is put in place if they have this hash. */
  finish(transfer: number, hash: string): void;
  /** Gives a transfer up. */
  give(transfer: number): void;
  /** Whether there was such a file. */
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

/** What the receiver of a file tells its sender. */
export const FILE_NOTICES = door<object, ReceiverNotice>(
  'file-notices',
  6,
  {},
  { took: { transfer: number, bytes: number }, failed: { transfer: number, error: anything } },
);

/** Who is near. */
export interface PeersDoor {
  /** Who is known here; and those that come later are told. */
  relay(): readonly PeerInfo[];
  /** Which of these addresses can be reached from here; hosts get a datagram with the nonce at a port. */
  probe(addresses: readonly string[], hosts: readonly string[], port: number, nonce: string): { readonly reached: readonly string[] };
}

/** A runtime has come that whoever asked may not know. */
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
