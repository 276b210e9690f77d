/* The runtime: tasks, mailboxes, references, requests, and the sessions under them. Knows no job, machine or bundle. Start reading at runtime.ts, then task.ts. */

export type { Carried, Carrier } from './carrier.ts';
export { lostEnd } from './ends.ts';
export type { Environment } from './environment.ts';
export { nodeEnvironment, realClock, realRandom } from './environment.ts';
export { Hub } from './hub.ts';
export type { PeerInfo } from './hub-options.ts';
export { Kernel } from './kernel.ts';
export type { ReceiveOptions } from './mailbox.ts';
export type { Asked, Port } from './ports.ts';
export { PORT } from './ports.ts';
export { PulseThread } from './pulse.ts';
export type { TaskRef, WaitOptions } from './reference.ts';
export type { Pending } from './requests.ts';
export { isSessionLoss, sessionError } from './requests.ts';
export type { RuntimeOptions } from './runtime.ts';
export { Runtime } from './runtime.ts';
export type { SessionEnd } from './session.ts';
export type { Task, TaskEnd, TaskFunction } from './task.ts';
export { endValue, GRACE_MS } from './task.ts';
export type { ThreadStart } from './thread-carrier.ts';
export { ThreadCarrier } from './thread-carrier.ts';
export { serveThread } from './thread-hub.ts';
