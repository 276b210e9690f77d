// The user's thread of a worker process: its tasks and calls, over the kernel that runs on the other thread.
import type { MessagePort } from 'node:worker_threads';
import { load } from '../../code/index.ts';
import type { WorkerConfig } from '../../host/index.ts';
import { Kernel, realClock, ThreadCarrier, type ThreadStart } from '../../kernel/index.ts';
import { Executor } from './executor.ts';

/** What the kernel's thread says when it is ready. */
export interface Ready {
  readonly start: ThreadStart;
  readonly config: WorkerConfig;
}

/** What the two threads say to each other beside frames. */
export type Control =
  | { readonly kind: 'settled'; readonly call: number }
  | { readonly kind: 'terminate'; readonly task: number; readonly reason: string | undefined };

/** Begins to run what the client sends. */
export function serve(frames: MessagePort, control: MessagePort, { start, config }: Ready): void {
  process.title = `flotilla worker ${config.name}`;
  const carrier = new ThreadCarrier(frames, start);
  const kernel = new Kernel({ clock: realClock, carrier });
  new Executor({
    kernel,
    clock: realClock,
    worker: config.name,
    host: config.host,
    load: (shipped) => load(config.folder, shipped),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    onSettled: (call) => control.postMessage({ kind: 'settled', call } satisfies Control),
  });
  control.on('message', (message: Control) => {
    if (message.kind === 'terminate') kernel.tasks.get(message.task)?.terminate(message.reason);
  });
  carrier.start(kernel);
}
