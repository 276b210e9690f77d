// The program of a worker's second thread: reads from the host's socket which worker this is, and runs its kernel.
//
//   WT1. When the socket to the host closes, the process group, and all that detached itself from it, is killed from here, at once.
import { Socket } from 'node:net';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { killGroup, killMarked, MARK, type WorkerConfig } from '../host/index.ts';
import { nodeEnvironment } from '../kernel/index.ts';
import { SocketConn } from '../transport/index.ts';
import { Gauges } from './gauges.ts';
import { KernelSide } from './kernel-side.ts';
import type { Ready } from './serve.ts';

const HOST_SOCKET = 3;

const { frames, control, gauges }: { frames: MessagePort; control: MessagePort; gauges: Int32Array } = workerData;
const environment = nodeEnvironment();

// WT1
function die(): never {
  const mark = environment.variables[MARK];
  if (mark) killMarked(new Set([mark]), new Set([process.pid]));
  killGroup(process.pid);
  process.exit(0);
}

/** Reads the first line on the host's socket: the configuration of this worker. */
function readConfig(socket: Socket): Promise<WorkerConfig> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      if (!text.endsWith('\n')) return;
      socket.off('data', onData);
      socket.off('close', die);
      socket.pause();
      resolve(JSON.parse(text));
    };
    socket.on('data', onData);
    socket.once('close', die);
  });
}

async function run(): Promise<void> {
  const socket = new Socket({ fd: HOST_SOCKET, readable: true, writable: true });
  socket.on('error', () => {});
  const config = await readConfig(socket);
  const side = new KernelSide({ config, environment, frames, control, gauges: new Gauges(gauges), die });
  const start = await side.listen();
  parentPort?.postMessage({ start, config } satisfies Ready);
  await side.join(new SocketConn(socket, 'host'));
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  die();
});
