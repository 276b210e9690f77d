/* One machine: its worker processes, its folders, its cores. Never decides what runs. Start reading at host.ts. */

export type { ChildHandler, Limits, WorkerConfig } from './child.ts';
export { killGroup } from './child.ts';
export { isAlive, userFolder } from './folder.ts';
export type { Ground, GroundOptions, Home, Launched } from './ground.ts';
export { systemGround } from './ground.ts';
export type { HostEvents, HostOptions } from './host.ts';
export { Host } from './host.ts';
export type { Service, ServiceHours } from './hours.ts';
export { parseHours, serviceAt } from './hours.ts';
export type { Machine } from './machine.ts';
export { factsOf, thisMachine, thisPlatform, usableCores } from './machine.ts';
export { killMarked, MARK } from './marked.ts';
export type {
  Assignment,
  Availability,
  HostFacts,
  HostNotice,
  HostReport,
  Offer,
  SlotReport,
  WorkerDies,
  WorkerInfo,
  WorkerLoad,
  WorkerOrder,
} from './protocol.ts';
export { SET_UP_SLOT } from './tenant.ts';
export type { Account } from './users.ts';
export { accountsOf, checkCanRun, dropLentIds } from './users.ts';
