// The program of a worker process: user code on this thread, the kernel on a thread of its own.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
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

function begin(frames: MessagePort, control: MessagePort, { start, config }: Ready): void {
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
    if (message.kind === 'terminate') kernel.find(message.task).task?.terminate(message.reason);
  });
  carrier.start(kernel);
}

const frames = new MessageChannel();
const control = new MessageChannel();
const thread = new Worker(new URL('./thread.js', import.meta.url), {
  workerData: { frames: frames.port2, control: control.port2 },
  transferList: [frames.port2, control.port2],
  stdin: false,
});
thread.once('message', (ready: Ready) => begin(frames.port1, control.port1, ready));
thread.once('error', (error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exit(70);
});
