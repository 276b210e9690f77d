// The user's thread of a worker process: its tasks and calls, over the kernel that runs on the other thread.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { FlotillaError, type RuntimeId } from '../base/index.ts';
import { classesOf, className, importFrom, load, loadUnit } from '../code/index.ts';
import { setTitle, type WorkerConfig } from '../host/index.ts';
import { FileSender, Kernel, nodeEnvironment, ThreadCarrier, type ThreadStart } from '../kernel/index.ts';
import { Executor } from './executor.ts';
import type { Gauges } from './gauges.ts';
import { keepData, loadData } from './place/data.ts';
import { workerPlace } from './place/place.ts';

const FOREVER_MS = 0x7fff_ffff;

/** The first message of the kernel's thread, when it is ready. */
export interface Ready {
  readonly start: ThreadStart;
  readonly config: WorkerConfig;
}

/** The messages between the two threads, beside frames. */
export type Control =
  | { readonly kind: 'settled'; readonly call: number }
  | { readonly kind: 'terminate'; readonly task: number; readonly reason: string | undefined }
  /** The time of a task that was asked to end is over: it counts as ended, so that those who wait hear of it before the process dies. */
  | { readonly kind: 'over'; readonly task: number; readonly reason: string }
  | { readonly kind: 'recalled'; readonly calls: readonly number[] }
  | { readonly kind: 'interrupt'; readonly reason: string };

// Makes printing wait until the host has read it: else lines would gather in the worker's memory, and be lost when it is killed.
function printAtOnce(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const get = Object.getOwnPropertyDescriptor(process, name)?.get;
    if (!get) continue;
    const first = (): NodeJS.WriteStream => {
      const stream: NodeJS.WriteStream & { _handle?: { setBlocking?(on: boolean): void } } = get.call(process);
      stream._handle?.setBlocking?.(true);
      Object.defineProperty(process, name, { configurable: true, enumerable: true, value: stream });
      return stream;
    };
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: first });
  }
}

/** Begins to run the work that the client sends. */
export function serve(frames: MessagePort, control: MessagePort, gauges: Gauges, { start, config }: Ready): void {
  setTitle('worker', config.name);
  printAtOnce();
  process.chdir(config.cwd); // a spare is started before its worker's folder is known
  const environment = nodeEnvironment();
  const carrier = new ThreadCarrier(frames, start);
  const kernel = new Kernel({ clock: environment.clock, carrier });
  const { folder } = config;
  const recalled: number[] = [];
  const place = workerPlace({
    post: kernel,
    config,
    sender: new FileSender(kernel, environment),
    client: () => executor.client as RuntimeId,
    data: () => loadData(folder, kernel.extensions),
  });
  kernel.place = place;
  kernel.tasks.graceMs = FOREVER_MS; // a task that does not end costs the process: the warden sees to that
  const executor: Executor = new Executor({
    post: kernel,
    clock: environment.clock,
    place,
    gauges,
    load: (shipped) => load(folder, shipped),
    classes: async (units) => {
      for (const unit of units)
        for (const [name, made] of classesOf(await loadUnit(folder, unit))) kernel.classes.register(made, className(unit, name));
    },
    keep: (data) => keepData(folder, data, kernel.extensions),
    turn: () => new Promise((resolve) => environment.clock.turn(resolve)),
    onSettled: (call) => control.postMessage({ kind: 'settled', call } satisfies Control),
    recalled: () => {
      for (let next = receiveMessageOnPort(control); next; next = receiveMessageOnPort(control)) heard(next.message);
      return recalled.splice(0);
    },
  });
  const heard = (message: Control): void => {
    if (message.kind === 'terminate') kernel.tasks.get(message.task)?.terminate(message.reason);
    else if (message.kind === 'over')
      kernel.tasks.get(message.task)?.end({ kind: 'terminated', error: new FlotillaError('ERR_TASK_INTERRUPTED', message.reason) });
    else if (message.kind === 'interrupt')
      executor.interrupt(new FlotillaError('ERR_TASK_INTERRUPTED', `Asked to end: ${message.reason}.`));
    else if (message.kind === 'recalled') recalled.push(...message.calls);
  };
  control.on('message', heard);
  // Shipped code calls this where it computes the name of a module; such a name is looked for like a file that was sent.
  Object.defineProperty(globalThis, Symbol.for('flotilla.import'), {
    value: (specifier: string) =>
      /^(node:|data:)/.test(String(specifier)) ? importFrom(folder, String(specifier)) : place.import(String(specifier)),
  });
  carrier.start(kernel);
}
