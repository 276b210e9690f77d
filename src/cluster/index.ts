/* The cluster: client, scheduler, worker. Start reading at client.ts, then dispatch.ts. */

export { Client } from './client.ts';
export type { ClusterEvent, OutputLine } from './crew.ts';
export type { Daemon, HostDaemonOptions } from './daemon.ts';
export { fetchStatus, HOST_PORT, serveHost, serveScheduler } from './daemon.ts';
export type { CallOptions, ClientOptions, MapOptions, Progress } from './options.ts';
export { workerEntry } from './private.ts';
export type { ClusterStatus, Counters } from './protocol.ts';
export type { Outcome, Results } from './results.ts';
export type { ScheduleEffect, ScheduleEvent, ScheduleState } from './schedule/index.ts';
export { checkState, emptyState, react } from './schedule/index.ts';
export { Scheduler } from './scheduler.ts';
export { SCHEDULER_PORT } from './scheduler-link.ts';
export type { RemoteModule, RunResult, Verbs, WorkerReport } from './verbs.ts';
export type { Current } from './worker/current.ts';
export { current } from './worker/current.ts';
