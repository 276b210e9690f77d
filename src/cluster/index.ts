/* The cluster: client, scheduler, worker. Start reading at client.ts, then dispatch.ts. */

export type { HostAllocation, HostOffer } from './allocation.ts';
export { Client } from './client.ts';
export type { Component } from './components.ts';
export { Controls } from './controls.ts';
export type { OutputLine } from './crew-client.ts';
export type { DoctorOptions, Finding } from './doctor.ts';
export { examine } from './doctor.ts';
export type { ClusterEvent, HostEvent, HostInfo, WorkEvent, WorkerEvent, WorkInfo } from './events.ts';
export type { Daemon, Ending, HostDaemonOptions } from './host-daemon.ts';
export { serveHost } from './host-daemon.ts';
export type { CallOptions, ClientOptions, CloseClientOptions, MapOptions, Progress } from './options.ts';
export { HOST_PORT, workerEntry } from './private.ts';
export type { ClientStatus, ClusterStatus, Counters, HostStatus } from './protocol.ts';
export type { Outcome, Results } from './results.ts';
export type { ScheduleEffect, ScheduleEvent, ScheduleState } from './schedule/index.ts';
export { checkState, emptyState, freeOf, react } from './schedule/index.ts';
export type { SchedulerOptions } from './scheduler.ts';
export { Scheduler } from './scheduler.ts';
export type { SchedulerDaemonOptions } from './scheduler-daemon.ts';
export { serveScheduler } from './scheduler-daemon.ts';
export { SCHEDULER_PORT } from './scheduler-link.ts';
export type { SetUp, SetUpPlace } from './set-up.ts';
export { setUp, setUpEach } from './set-up.ts';
export { askScheduler, fetchStatus } from './status.ts';
export type { HostReport, RemoteModule, RunResult, Verbs, WorkerReport } from './verbs.ts';
export type { Current } from './worker/current.ts';
export { current, here } from './worker/current.ts';
