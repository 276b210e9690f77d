// Workers without a shared scheduler: this machine's cores, or this very process.
import { fileURLToPath } from 'node:url';
import type { Log } from '../base/index.ts';
import type { Loaded } from '../code/index.ts';
import { Host, thisMachine, type WorkerInfo } from '../host/index.ts';
import { PORT, type Runtime } from '../kernel/index.ts';
import type { Crew } from './crew.ts';
import type { Dispatcher } from './dispatch.ts';
import type { ClientOptions } from './options.ts';
import type { Wish } from './protocol.ts';
import { Scheduler } from './scheduler.ts';
import { newMember } from './work.ts';
import { Executor } from './worker/executor.ts';

/** The program of a worker process. */
export function workerEntry(): string {
  return fileURLToPath(new URL('./worker/main.js', import.meta.url));
}

/** The private scheduler and this machine's host, in this process: they speak the same protocol as apart. */
export async function startLocal(runtime: Runtime, secret: Uint8Array, options: ClientOptions, log: Log): Promise<Host> {
  const machine = thisMachine();
  const { kernel, id } = runtime;
  new Scheduler(runtime);
  const host = new Host(runtime, {
    name: machine.name,
    workers: options.workers ?? machine.cores,
    entry: workerEntry(),
    secret,
    log,
    ...(options.heap === undefined ? {} : { heap: options.heap }),
    ...(options.encrypt === undefined ? {} : { encrypt: options.encrypt }),
    onFree: (_client, slots, epoch) => void kernel.ask(id, PORT.SCHEDULER, 'freed', [slots, epoch]).catch(() => {}),
  });
  host.scheduler = id;
  const wish: Wish = { name: runtime.name, workers: options.workers, weight: 1, held: [] };
  // Processes are started before the program goes on: what it does first, finding code to ship, keeps this thread busy.
  await kernel.ask(id, PORT.SCHEDULER, 'offer', [host.offer]);
  await kernel.ask(id, PORT.SCHEDULER, 'wish', [wish]);
  return host;
}

/** One worker that is this process: values are encoded and decoded as ever, functions are the program's own. */
export function startInline(runtime: Runtime, dispatcher: Dispatcher, crew: Crew, functions: ReadonlyMap<number, Loaded>): void {
  const { kernel, id } = runtime;
  new Executor({
    kernel,
    clock: kernel.clock,
    worker: 'inline',
    host: 'inline',
    abandons: true,
    load: async (shipped) => functions.get(Number(shipped.unit)) as Loaded,
    turn: () => new Promise((resolve) => kernel.clock.after(0, resolve)),
  });
  kernel.serve(PORT.WORKER, { message() {} });
  const info: WorkerInfo = { id, name: 'inline', host: id, hostName: 'inline', slot: 1, epoch: 0, pid: process.pid, addresses: [] };
  crew.history.set('inline', { host: 'inline', done: 0, lost: 0 });
  dispatcher.add(newMember(info));
}
