// Events of a crew and their effects: the vocabulary between the part that decides (react.ts) and the part that acts (crew.ts).
import type { Deferred, RuntimeId } from '../../base/index.ts';
import type { HostNotice, WorkerInfo } from '../../host/index.ts';
import type { SessionEnd } from '../../kernel/index.ts';
import type { Loss, Member } from '../dispatch/work.ts';
import type { Change } from '../events.ts';
import type { SchedulerNotice } from '../protocol.ts';
import type { Until } from './limits.ts';
import type { NamedPlace } from './present.ts';
import type { Station } from './station.ts';

/** Places that a scheduler grants. */
export type Grant = SchedulerNotice & { readonly kind: 'grant' };

/** A notice of a host that may change the state of a crew. Printed lines and idle places change none. */
export type HostWord = Exclude<HostNotice, { readonly kind: 'output' | 'idle' }>;

/** An event: something that happens to a crew. */
export type CrewEvent =
  /** The scheduler has granted places; `barred`: the host has closed this client for good, so they are not taken. */
  | { readonly kind: 'granted'; readonly grant: Grant; readonly barred: boolean }
  /** A host that the client has already was granted more places, and has answered in which stay the client is there. */
  | { readonly kind: 'more'; readonly began: Station; readonly grant: Grant; readonly barred: boolean; readonly tenancy: number }
  /** A host that was granted goes through its steps: it is reached, given code, enabled, set up; or one of them failed. */
  | { readonly kind: 'attached'; readonly station: Station; readonly tenancy: number }
  | { readonly kind: 'equipped'; readonly station: Station; readonly waits: boolean }
  | { readonly kind: 'enabled'; readonly station: Station; readonly args: readonly unknown[] | undefined }
  | { readonly kind: 'set-up'; readonly station: Station }
  | { readonly kind: 'failed'; readonly station: Station; readonly error: Error }
  /** A worker goes through its steps: its host is ready, has its code; it is enabled, set up; or one of them failed. */
  | { readonly kind: 'worker-arrived'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'worker-equipped'; readonly station: Station; readonly info: WorkerInfo; readonly waits: boolean }
  | { readonly kind: 'worker-enabled'; readonly station: Station; readonly info: WorkerInfo; readonly args: readonly unknown[] | undefined }
  | { readonly kind: 'worker-set-up'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'worker-failed'; readonly station: Station; readonly info: WorkerInfo; readonly error: Error }
  | { readonly kind: 'heard'; readonly station: Station; readonly notice: HostWord }
  | { readonly kind: 'peer-ended'; readonly peer: RuntimeId; readonly end: SessionEnd }
  /** A worker's session has ended, and its host has not said in time why. */
  | { readonly kind: 'worker-lost'; readonly id: RuntimeId; readonly loss: Loss }
  /** A worker that takes no more work has nothing under way. */
  | { readonly kind: 'drained'; readonly member: Member }
  | { readonly kind: 'give-back'; readonly station: Station; readonly slot: number; readonly reason: string };

/** An effect: what the crew does about an event. The order of effects counts. */
export type CrewEffect = CrewDeed | HostAsk | WorkerStep;

/** A request to a host, or a step that prepares it. It takes time, and its end comes back as an event. */
export type HostAsk =
  | { readonly kind: 'attach'; readonly station: Station; readonly grant: Grant }
  | { readonly kind: 'attach-again'; readonly station: Station; readonly grant: Grant; readonly barred: boolean }
  | { readonly kind: 'equip'; readonly station: Station }
  | { readonly kind: 'await-enabled'; readonly station: Station }
  | { readonly kind: 'set-up'; readonly station: Station }
  /** Lets workers start; as the host's last step (`isStep`), its failure fails the host. */
  | { readonly kind: 'begin'; readonly station: Station; readonly slots: readonly number[]; readonly isStep: boolean }
  | { readonly kind: 'close'; readonly host: RuntimeId; readonly slot: number; readonly restart: boolean }
  | { readonly kind: 'release'; readonly station: Station; readonly slot: number }
  | { readonly kind: 'detach'; readonly host: RuntimeId; readonly isParting: boolean };

/** A step that prepares a worker; its end comes back as an event, too. */
export type WorkerStep =
  | { readonly kind: 'await-host'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'equip-worker'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'await-worker-enabled'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'set-up-worker'; readonly station: Station; readonly info: WorkerInfo; readonly args: readonly unknown[] | undefined };

/** An effect that is done at once. */
export type CrewDeed =
  | { readonly kind: 'tell'; readonly change: Change }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly text: string }
  | { readonly kind: 'employ'; readonly member: Member }
  /** Ends the work of a worker that has ended on purpose, then tells `worker-closed`. */
  | { readonly kind: 'end'; readonly member: Member; readonly loss: Loss; readonly place: NamedPlace }
  /** Ends or retries the work of a lost worker, then tells `worker-lost` with the number of retries. */
  | { readonly kind: 'lose'; readonly member: Member; readonly loss: Loss; readonly place: NamedPlace }
  | { readonly kind: 'await-report'; readonly id: RuntimeId; readonly loss: Loss }
  /** Offers the place of a worker without work to pay what the client owes. */
  | { readonly kind: 'idle'; readonly member: Member }
  /** Wants at most so many workers of a host; `then` follows once the scheduler knows, so that it does not grant the place anew. */
  | { readonly kind: 'limit'; readonly station: Station; readonly most: number; readonly until: Until; readonly then?: CrewEffect }
  | { readonly kind: 'give-back'; readonly station: Station; readonly slot: number; readonly reason: string }
  | { readonly kind: 'disown'; readonly station: Station; readonly silent: boolean }
  /** Forgets that a host was abandoned, because it is used again. */
  | { readonly kind: 'found'; readonly station: Station }
  | { readonly kind: 'wants-leave'; readonly station: Station; readonly reason: string }
  /** Fails work that waits for this host alone, because nothing can run there any more. */
  | { readonly kind: 'fail-waiting'; readonly station: Station; readonly reason: string }
  /** Tells that the client's last host has closed. */
  | { readonly kind: 'none-left'; readonly station: Station; readonly reason: string }
  | { readonly kind: 'resolve'; readonly promise: Deferred<void>; readonly error?: Error };
