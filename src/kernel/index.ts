/* The runtime: tasks, mailboxes, references, requests, and the sessions under them. Knows no job, machine or bundle. Start reading at runtime.ts, then task.ts. */

export type { Environment } from './environment.ts';
export { nodeEnvironment, realClock, realRandom } from './environment.ts';
export { Kernel } from './kernel.ts';
export type { Asked, Port } from './ports.ts';
export { PORT } from './ports.ts';
export type { Pending } from './requests.ts';
export { isSessionLoss, sessionError } from './requests.ts';
export type { RuntimeOptions } from './runtime.ts';
export { Runtime } from './runtime.ts';
export type { Carried, Carrier } from './sessions/carrier.ts';
export { Hub } from './sessions/hub.ts';
export type { PeerInfo } from './sessions/hub-options.ts';
export { PulseThread } from './sessions/pulse.ts';
export type { SessionEnd } from './sessions/session.ts';
export type { ThreadStart } from './sessions/thread-carrier.ts';
export { ThreadCarrier } from './sessions/thread-carrier.ts';
export { serveThread } from './sessions/thread-hub.ts';
export { lostEnd } from './tasks/ends.ts';
export type { ReceiveOptions } from './tasks/mailbox.ts';
export type { TaskRef, WaitOptions } from './tasks/reference.ts';
export type { Task, TaskEnd, TaskFunction } from './tasks/task.ts';
export { endValue, GRACE_MS } from './tasks/task.ts';
