/* The pure core of the scheduler: state, react, choose. */

export { admits, appetite } from './choose.ts';
export type { ScheduleEffect, ScheduleEvent, WorkerSlot } from './react.ts';
export { react } from './react.ts';
export type { ClientLimit, ClientState, HeldSlot, HostState, ScheduleState } from './state.ts';
export { checkState, emptyState, freeOf } from './state.ts';
