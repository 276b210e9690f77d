/* The pure core of the scheduler: state, react, choose. */

export type { ScheduleEffect, ScheduleEvent } from './react.ts';
export { heldBy, react } from './react.ts';
export type { ClientState, HostState, ScheduleState } from './state.ts';
export { checkState, emptyState } from './state.ts';
