/* The cluster: clients, schedulers and the daemons of hosts. Start reading at client/client.ts, then crew/crew.ts, dispatch/dispatcher.ts. */

export type { Outcome, Results } from './calls/results.ts';
export type { RemoteModule, RunResult, Verbs } from './calls/verbs.ts';
export type { HostAllocation } from './client/allocation.ts';
export { Client } from './client/client.ts';
export { Controls } from './client/controls.ts';
export type { CallOptions, ClientOptions, CloseClientOptions, MapOptions, Progress } from './client/options.ts';
export type { HostReport, WorkerReport } from './client/reports.ts';
export type { Component } from './crew/components.ts';
export type { SetUp, SetUpPlace } from './crew/set-up.ts';
export { setUp, setUpEach } from './crew/set-up.ts';
export type { Daemon, Ending } from './daemons/daemon.ts';
export type { DoctorOptions, Finding } from './daemons/doctor.ts';
export { examine } from './daemons/doctor.ts';
export type { HostDaemonOptions } from './daemons/host-daemon.ts';
export { serveHost } from './daemons/host-daemon.ts';
export { serveScheduler } from './daemons/scheduler-daemon.ts';
export { SCHEDULER_OPTIONS } from './daemons/scheduler-settings.ts';
export type { Explained, SchedulerView } from './daemons/status.ts';
export { askScheduler, fetchStatus } from './daemons/status.ts';
export type { Counts } from './dispatch/tally.ts';
export type { ClusterEvent, HostEvent, HostInfo, OutputLine, WorkEvent, WorkerEvent, WorkInfo } from './events.ts';
export type { ClientStatus, ClusterStatus, Counters, HostOffer, HostStatus } from './protocol.ts';
export { HOST_PORT, SCHEDULER_PORT } from './protocol.ts';
export type { ScheduleEffect, ScheduleEvent, ScheduleState } from './schedule/index.ts';
export { checkState, emptyState, freeOf, react } from './schedule/index.ts';
export type { SchedulerOptions } from './scheduler/scheduler.ts';
export { Scheduler } from './scheduler/scheduler.ts';
