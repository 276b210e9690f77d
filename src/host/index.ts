/* One machine: its worker processes, its folders, its cores. Never decides what runs. Start reading at host.ts. */

export { userFolder } from './folder.ts';
export type { Ground, GroundOptions, Home } from './ground.ts';
export { SystemGround } from './ground.ts';
export { Host } from './host.ts';
export type { DailyHours, ServiceAt } from './hours.ts';
export { parseHours, serviceAt } from './hours.ts';
export type { Machine } from './machine.ts';
export { factsOf, thisMachine, thisPlatform, usableCores } from './machine.ts';
export type { HostOptions } from './options.ts';
export { killGroup } from './process/child.ts';
export type { ChildHandler, Launched, WorkerConfig, WorkerLimits } from './process/contract.ts';
export type { ProcessIdentity } from './process/identity.ts';
export { fateOf, isTitled, ownIdentity } from './process/identity.ts';
export { killMarked, MARK } from './process/marked.ts';
export { setTitle, titleOf } from './process/title.ts';
export type { Account } from './process/users.ts';
export { accountsOf, checkCanRun, dropLentIds } from './process/users.ts';
export type {
  Assignment,
  Availability,
  HostDoor,
  HostFacts,
  HostNotice,
  HostPulse,
  IdlePlaces,
  Offer,
  SlotReport,
  WorkerDies,
  WorkerInfo,
  WorkerLoad,
} from './protocol.ts';
export { HOST, HOST_KINDS, MOST_WORKERS, TENANT, WORKER } from './protocol.ts';
export type { HostSettings, WorkerSettings } from './settings.ts';
export { HOST_OPTIONS } from './settings.ts';
export { SET_UP_SLOT } from './tenant.ts';
export type { Tenants } from './tenants.ts';
