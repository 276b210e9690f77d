/* The worker process: user code on one thread, the kernel on another. Start reading at main.ts, then thread.ts, serve.ts, executor.ts. */

export type { Current } from './current.ts';
export { current, here } from './current.ts';
export { workerEntry } from './entry.ts';
export { Executor } from './executor.ts';
export { isStreaming } from './generated.ts';
export type { BatchOutcome } from './protocol.ts';
export { BATCH, CALLER, CALLS, IO, STREAM, TASKS } from './protocol.ts';
