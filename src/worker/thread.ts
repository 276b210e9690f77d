// The kernel thread of a worker: sessions, pulses and acknowledgements go on whatever the user's code does, and end it when they must.
//
//   WT1. When the socket to the host closes, the process group, and what detached itself from it, is killed from here, at once.
//   WT2. A cancelled call that has not settled after CANCEL_MS costs the worker its life, unless it can be kept from beginning;
//       so does a task that outlives its grace. Both have that time while the process can run (patience.ts).
//   WT3. When all is interrupted, the process ends with the last of what ran, or with the grace period.
//   WT4. A worker that no longer answers calls, although nothing runs there, is ended: its place gets another.

import { Socket } from 'node:net';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { RuntimeId } from '../base/index.ts';
import { killGroup, killMarked, MARK, type WorkerConfig, type WorkerDies, type WorkerOrder } from '../host/index.ts';
import { ANSWER_MS, type Carrier, FileReceiver, Hub, Kernel, loopBack, nodeEnvironment, PORT, serveThread } from '../kernel/index.ts';
import { Identity, Keyring, parseAddress, SocketConn } from '../transport/index.ts';
import { watchAnswers } from './answering.ts';
import { PROBE } from './executor.ts';
import { Gauges } from './gauges.ts';
import { afterTimeHad } from './patience.ts';
import type { Control, Ready } from './serve.ts';

const HOST_SOCKET = 3;
const LOAD_MS = 500;
const QUIET_MS = 20;
const LEAVE_MS = 500;
/** Where calls are asked that run one at a time. */
const IN_TURN: ReadonlySet<number> = new Set([PORT.CALLS, PORT.BATCH]);
/** Cancelling must stop running code within a second. */
const CANCEL_MS = 500;
const AFTER_GRACE_MS = 250;
const SILENT_WORKER =
  'it did not answer calls any more, though nothing ran there: something that was left behind computes, or what the language or Node.js gives was replaced (as nextTick of the process, or a method of Map.prototype)';

const { frames, control, gauges: words } = workerData as { frames: MessagePort; control: MessagePort; gauges: Int32Array };
const gauges = new Gauges(words);

function die(): never {
  const mark = process.env[MARK];
  if (mark) killMarked(new Set([mark]), new Set([process.pid])); // WT1
  killGroup(process.pid);
  process.exit(0);
}

/** The first line on the host's socket: what this worker is. */
function readConfig(socket: Socket): Promise<WorkerConfig> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      if (!text.endsWith('\n')) return;
      socket.off('data', onData);
      socket.off('close', die);
      socket.pause();
      resolve(JSON.parse(text) as WorkerConfig);
    };
    socket.on('data', onData);
    socket.once('close', die);
  });
}

async function run(): Promise<void> {
  const socket = new Socket({ fd: HOST_SOCKET, readable: true, writable: true });
  socket.on('error', () => {});
  const config = await readConfig(socket);
  const environment = nodeEnvironment();
  const { clock } = environment;
  const identity = Identity.fresh(environment.random);
  const { id } = identity;
  const timers = new Map<string, { cancel(): void }>();
  const openTasks = new Set<number>();
  let hostId: RuntimeId | undefined;
  const carried = serveThread({
    port: frames,
    hub: () => hub,
    own: () => kernel,
    mine: new Set([PORT.WORKER, PORT.TERMINATE, PORT.FILES]),
    clock,
    onMailbox: (task, open) => void (open ? openTasks.add(task) : openTasks.delete(task)),
  });
  const hub: Hub = new Hub({
    identity,
    name: config.name,
    role: 'worker',
    keys: new Keyring(Buffer.from(config.secret, 'hex')),
    environment,
    pulseMs: config.pulse,
    answerMs: ANSWER_MS,
    encrypt: config.encrypt,
    keeps: (peer) => kernel.peers.get(peer)?.role === 'client', // whether it is waited for, the host decides
    log: environment.log,
    events: {
      ...carried,
      ended: (peer, end) => {
        if (peer === hostId) die();
        carried.ended(peer, end);
      },
    },
  });
  const carrier: Carrier = {
    id,
    name: config.name,
    addresses: [],
    acknowledges: false,
    post: (peer, range, large) =>
      peer === id ? loopBack(id, range, large, clock, (...frame) => carried.frame(...frame)) : hub.post(peer, range, large),
    hasRoom: () => true,
    reach: (peer, addresses, via) => hub.reach(peer, addresses, via),
    dial: (peer) => hub.dial(peer),
    mailbox() {},
  };
  const kernel: Kernel = new Kernel({ clock, carrier, half: 1 });
  // Told first, so that the other work here is not blamed.
  const dieOf = (reason: string, task?: number): void => {
    if (hostId === undefined) die();
    kernel.message(hostId, PORT.HOST, { kind: 'dies', reason, task } satisfies WorkerDies);
    if (task !== undefined) endLate(task, reason);
    clock.after(QUIET_MS, die);
  };
  const endLate = (task: number, reason: string): void =>
    control.postMessage({ kind: 'over', task, reason: `The task was ended: ${reason}.` } satisfies Control);
  const killUnless = (key: string, ms: number, stays: () => boolean, task?: number): void => {
    if (timers.has(key)) return;
    timers.set(
      key,
      afterTimeHad(clock, ms, () => {
        timers.delete(key);
        if (stays()) dieOf(`it was ended: ${key} did not end in time`, task); // WT2
      }),
    );
  };
  new FileReceiver(kernel, environment, { dir: config.cwd, maxSize: undefined });
  // WT3
  const interrupt = (reason: string): void => {
    control.postMessage({ kind: 'interrupt', reason } satisfies Control);
    const end = clock.now() + config.graceMs + AFTER_GRACE_MS;
    const look = (): void => {
      const { running, tasks } = gauges.load;
      if (running + tasks > 0 && clock.now() < end) return void clock.after(QUIET_MS, look);
      for (const task of openTasks) endLate(task, reason);
      clock.after(QUIET_MS * 2, () => void hub.close(LEAVE_MS, 'terminated').finally(die)); // what was answered last is still on its way
    };
    look();
  };
  const recall = (calls: readonly number[]): readonly number[] =>
    gauges.recall(calls, (recalled) => control.postMessage({ kind: 'recalled', calls: recalled } satisfies Control));
  const orders = kernel.methods({ recall: (_asked, calls: number[]) => recall(calls) });
  kernel.serve(PORT.WORKER, {
    ...orders,
    message: (_peer, value) => {
      const order = value as WorkerOrder;
      if (order.kind === 'interrupt') interrupt(order.reason);
      else killUnless(`call ${order.call}`, CANCEL_MS, () => !(IN_TURN.has(order.port) && recall([order.call]).length > 0));
    },
  });
  kernel.serve(PORT.TERMINATE, {
    message: (_peer, value) => {
      const { task, reason } = value as { task: number; reason?: string };
      control.postMessage({ kind: 'terminate', task, reason } satisfies Control);
      killUnless(`task ${task}`, config.graceMs + AFTER_GRACE_MS, () => openTasks.has(task), task);
    },
  });
  control.on('message', (message: Control) => {
    if (message.kind !== 'settled') return;
    timers.get(`call ${message.call}`)?.cancel();
    timers.delete(`call ${message.call}`);
  });
  for (const address of config.listen) await hub.listen(parseAddress(address, 0), config.advertise).catch(() => {});
  const ready: Ready = { start: { id, name: config.name, location: config.location, addresses: hub.addresses }, config };
  parentPort?.postMessage(ready);
  const host = await hub.adopt(new SocketConn(socket, 'host'), 'dialer');
  hostId = host;
  let told = '';
  const tell = (): void => {
    const text = JSON.stringify(gauges.load);
    if (text !== told) kernel.message(host, PORT.HOST, gauges.load);
    told = text;
    clock.after(LOAD_MS, tell, { background: true });
  };
  tell();
  // WT4
  watchAnswers({
    clock,
    idle: () => gauges.idle,
    ask: (answered) => void kernel.requests.request({ peer: id, settle: answered }, PORT.CALLS, PROBE, []),
    onSilent: () => dieOf(SILENT_WORKER),
  });
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  die();
});
