// The program of a worker process: user code on this thread, the kernel on a thread of its own.
//
// User code may compute for minutes without a turn for events. Signs of life, orders and a kill cannot wait for it, so the kernel has a
// thread that user code cannot block.
//
// The kernel's thread is started first, and this thread's code is loaded meanwhile, so that the worker is ready sooner.
import { MessageChannel, Worker } from 'node:worker_threads';
import { Gauges } from './gauges.ts';
import type { Ready } from './serve.ts';

const frames = new MessageChannel();
const control = new MessageChannel();
const gauges = new Gauges();
const thread = new Worker(new URL('./thread.js', import.meta.url), {
  workerData: { frames: frames.port2, control: control.port2, gauges: gauges.words },
  transferList: [frames.port2, control.port2],
  stdin: false,
});
const loaded = import('./serve.ts');
thread.once('message', (ready: Ready) => void loaded.then(({ serve }) => serve(frames.port1, control.port1, gauges, ready)));
thread.once('error', (error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exit(70);
});
