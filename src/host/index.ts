/* One machine: its worker processes, its folders, its cores. Never decides what runs. Start reading at host.ts. */

export type { WorkerConfig } from './child.ts';
export { killGroup } from './child.ts';
export type { HostOptions } from './host.ts';
export { Host } from './host.ts';
export type { Machine } from './machine.ts';
export { thisMachine, usableCores } from './machine.ts';
export type { Assignment, HostNotice, Offer, WorkerInfo } from './protocol.ts';
