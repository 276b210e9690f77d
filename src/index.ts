/* Flotilla: TypeScript functions on every core of every machine you have. */

export type { ErrorCode, Retry, RuntimeId } from './base/index.ts';
export { ERRORS, FlotillaError, hasCode } from './base/index.ts';
export type {
  CallOptions,
  ClientOptions,
  ClusterEvent,
  Current,
  MapOptions,
  Outcome,
  OutputLine,
  Progress,
  RemoteModule,
  Results,
  RunResult,
  Verbs,
  WorkerReport,
} from './cluster/index.ts';
export { Client, current } from './cluster/index.ts';
export type { Environment, ReceiveOptions, RuntimeOptions, Task, TaskEnd, TaskFunction, TaskRef, WaitOptions } from './kernel/index.ts';
export { Runtime } from './kernel/index.ts';
