// What happens to a crew, and what is done about it: the words between what decides (react.ts) and what acts (crew.ts).
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

/** What a host says that changes its crew; what it brings of a set-up or prints is not among that. */
export type HostWord = Exclude<HostNotice, { readonly kind: 'output' | 'idle' }>;

/** What happens to a crew. */
export type CrewEvent =
  /** `barred`: the host has closed this client for good. */
  | { readonly kind: 'granted'; readonly grant: Grant; readonly barred: boolean }
  /** A host that was granted before has been reached again. */
  | { readonly kind: 'more'; readonly began: Station; readonly grant: Grant; readonly barred: boolean; readonly tenancy: number }
  /** A host that was granted goes through its steps: it is reached, given code, enabled, set up; or one of them failed. */
  | { readonly kind: 'attached'; readonly station: Station; readonly tenancy: number }
  | { readonly kind: 'equipped'; readonly station: Station; readonly waits: boolean }
  | { readonly kind: 'enabled'; readonly station: Station; readonly args: readonly unknown[] | undefined }
  | { readonly kind: 'set-up'; readonly station: Station }
  | { readonly kind: 'failed'; readonly station: Station; readonly error: Error }
  /** A worker does: its host is set up, has its code; it is enabled, set up; or one of them failed. */
  | { readonly kind: 'worker-arrived'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'worker-equipped'; readonly station: Station; readonly info: WorkerInfo; readonly waits: boolean }
  | { readonly kind: 'worker-enabled'; readonly station: Station; readonly info: WorkerInfo; readonly args: readonly unknown[] | undefined }
  | { readonly kind: 'worker-set-up'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'worker-failed'; readonly station: Station; readonly info: WorkerInfo; readonly error: Error }
  | { readonly kind: 'heard'; readonly station: Station; readonly notice: HostWord }
  | { readonly kind: 'peer-ended'; readonly peer: RuntimeId; readonly end: SessionEnd }
  /** The time has passed in which its host could say how a worker ended. */
  | { readonly kind: 'worker-lost'; readonly id: RuntimeId; readonly loss: Loss }
  /** A worker that takes no more has nothing under way. */
  | { readonly kind: 'drained'; readonly member: Member }
  | { readonly kind: 'give-back'; readonly station: Station; readonly slot: number; readonly reason: string };

/** What is done about it, in order. */
export type CrewEffect = CrewDeed | HostAsk | WorkerStep;

/** What hosts are asked for, and what prepares them: its end is told as something that happens. */
export type HostAsk =
  | { readonly kind: 'attach'; readonly station: Station; readonly grant: Grant }
  | { readonly kind: 'attach-again'; readonly station: Station; readonly grant: Grant; readonly barred: boolean }
  | { readonly kind: 'equip'; readonly station: Station }
  | { readonly kind: 'await-enabled'; readonly station: Station }
  | { readonly kind: 'set-up'; readonly station: Station }
  /** Lets workers start; where it is the last of the steps, the host fails with it. */
  | { readonly kind: 'begin'; readonly station: Station; readonly slots: readonly number[]; readonly isStep: boolean }
  | { readonly kind: 'close'; readonly host: RuntimeId; readonly slot: number; readonly restart: boolean }
  | { readonly kind: 'release'; readonly station: Station; readonly slot: number }
  | { readonly kind: 'detach'; readonly host: RuntimeId; readonly isParting: boolean };

/** What prepares a worker, likewise. */
export type WorkerStep =
  | { readonly kind: 'await-host'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'equip-worker'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'await-worker-enabled'; readonly station: Station; readonly info: WorkerInfo }
  | { readonly kind: 'set-up-worker'; readonly station: Station; readonly info: WorkerInfo; readonly args: readonly unknown[] | undefined };

/** What is done at once. */
export type CrewDeed =
  | { readonly kind: 'tell'; readonly change: Change }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly text: string }
  | { readonly kind: 'employ'; readonly member: Member }
  /** A worker has ended on purpose; `worker-closed` is told then. */
  | { readonly kind: 'end'; readonly member: Member; readonly loss: Loss; readonly place: NamedPlace }
  /** A worker is lost; `worker-lost` is told then, with how much is tried again. */
  | { readonly kind: 'lose'; readonly member: Member; readonly loss: Loss; readonly place: NamedPlace }
  | { readonly kind: 'await-report'; readonly id: RuntimeId; readonly loss: Loss }
  /** Something owed may be given: a worker has nothing to do. */
  | { readonly kind: 'idle'; readonly member: Member }
  /** So many workers of a host are wanted; when the scheduler knows, `then` is done. */
  | { readonly kind: 'limit'; readonly station: Station; readonly most: number; readonly until: Until; readonly then?: CrewEffect }
  | { readonly kind: 'give-back'; readonly station: Station; readonly slot: number; readonly reason: string }
  | { readonly kind: 'disown'; readonly station: Station; readonly silent: boolean }
  /** A host that was abandoned is used again. */
  | { readonly kind: 'found'; readonly station: Station }
  | { readonly kind: 'wants-leave'; readonly station: Station; readonly reason: string }
  /** Nothing can run there any more. */
  | { readonly kind: 'fail-waiting'; readonly station: Station; readonly reason: string }
  /** The last host has closed. */
  | { readonly kind: 'none-left'; readonly station: Station; readonly reason: string }
  | { readonly kind: 'resolve'; readonly promise: Deferred<void>; readonly error?: Error };
