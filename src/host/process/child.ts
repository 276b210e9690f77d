// One worker process: started, heard, ended. It and all its descendants die when it, or this process, dies.
//
//   CD1. A worker leads a process group of its own. Its end, whoever brings it, is SIGKILL to the group and to all that inherited its mark.
//   CD2. The worker holds the other end of a socket of this process; when that closes it kills its group itself.
//   CD3. Its output is handed on line by line, and held back while nobody takes it; the last lines are kept for the report of its end.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type Clock, FlotillaError } from '../../base/index.ts';
import { type Conn, SocketConn } from '../../transport/index.ts';
import type { ChildHandler, Launched, WorkerConfig, WorkerLimits } from './contract.ts';
import { describeExit, describeStart, isAddressSpaceLimited, killsForMemory, tellingLines } from './ends.ts';
import { LimitWatch } from './limits.ts';
import { MARK, type Sweeper } from './marked.ts';
import { Printed } from './printed.ts';
import { WORKER_ARGUMENT } from './title.ts';
import { type Account, asLent, commandOf } from './users.ts';

const LAST_LINES = 20;
const MOST_OF_A_LINE = 500;
const STDIO: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe', 'pipe'];

/** A process that was started, and its mark. */
export interface Started {
  readonly process: ChildProcess;
  readonly mark: string;
  /** Resolves with the error if the process could not be started; else never. */
  readonly failed: Promise<NodeJS.ErrnoException>;
}

/** Options of {@link startProcess}. */
export interface Beginning {
  /** The program. */
  readonly entry: string;
  readonly limits: WorkerLimits;
  readonly account: Account | undefined;
  /** The mark by which the process and all that it starts are known. */
  readonly mark: string;
  /** The environment variables of this process, most of which the new one gets. */
  readonly variables: Readonly<NodeJS.ProcessEnv>;
  readonly cwd: string;
}

/** Starts a process that waits to be told which worker it is; it goes to that worker's folder then. Throws ERR_HOST_START. */
export function startProcess({ entry, limits, account, cwd, mark, variables }: Beginning): Started {
  const heap = limits.heap === undefined ? [] : [`--max-old-space-size=${limits.heap}`];
  const { command, args, ids } = commandOf(account, [...heap, entry, WORKER_ARGUMENT]);
  const env = { ...workerVariables(account, variables), [MARK]: mark };
  const child = asLent(account, () => spawn(command, args, { detached: true, cwd, env, stdio: STDIO, ...ids })); // CD1
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve));
  // Where the system has no descriptors left, a process has no streams at all.
  if (!child.stdio) throw new FlotillaError('ERR_HOST_START', describeStart({ name: 'Error', message: '', code: 'EMFILE' }));
  return { process: child, mark, failed };
}

/** The limits of a worker process, and the means to end it. */
export interface ChildOptions {
  readonly limits: WorkerLimits;
  readonly account: Account | undefined;
  readonly clock: Clock;
  readonly sweeper: Sweeper;
}

/** A worker process. */
export class Child implements Launched {
  readonly pid: number;
  /** The connection on which it greets us. */
  readonly conn: Conn;
  readonly #account: Account | undefined;
  readonly #lastLines: string[] = [];
  readonly #exited: Promise<void>;
  /** Ends the processes that it has left, once. */
  readonly #sweep: () => Promise<void>;
  #killedFor: string | undefined;

  /** Makes a started process the worker of a configuration. */
  constructor(started: Started, config: WorkerConfig, handler: ChildHandler, options: ChildOptions) {
    const { process: child, mark } = started;
    const { limits, account, clock, sweeper } = options;
    this.#account = account;
    this.pid = child.pid ?? 0;
    const socket = child.stdio[3] as Socket; // CD2
    socket.on('error', () => {});
    socket.write(`${JSON.stringify(config)}\n`);
    this.conn = new SocketConn(socket, `worker ${config.name}`);
    const watch =
      limits.memory || limits.processes ? new LimitWatch(this.pid, mark, limits, clock, (why) => void this.kill(why)) : undefined;
    let swept: Promise<void> | undefined;
    this.#sweep = () => {
      swept ??= sweeper.sweep(mark, this.pid, account);
      return swept;
    };
    const remember = (line: string): void => {
      this.#lastLines.push(line.length > MOST_OF_A_LINE ? `${line.slice(0, MOST_OF_A_LINE)} ...` : line);
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
    };
    const printed = (['stdout', 'stderr'] as const).map((name) => new Printed(child[name] as Readable, name, handler, remember)); // CD3
    this.#exited = new Promise((resolve) => {
      const killsBefore = killsForMemory();
      const ended = async (reason: () => string): Promise<void> => {
        watch?.stop();
        asLent(account, () => killGroup(this.pid));
        const read = printed.map((stream) => stream.finish(clock));
        await this.#sweep();
        await Promise.all(read);
        handler.ended(reason(), tellingLines(this.#lastLines));
        resolve();
      };
      void started.failed.then((error) => {
        if (child.pid === undefined) void ended(() => describeStart(error));
      });
      child.once('exit', (code, signal) => {
        // A process may end of something else just before it is killed: then that is its reason.
        const killedFor = signal === 'SIGKILL' || code === 0 ? this.#killedFor : undefined;
        void ended(
          () => killedFor ?? describeExit({ code, signal, lastLines: this.#lastLines, killsBefore, limited: isAddressSpaceLimited() }),
        );
      });
    });
  }

  /** Ends the process and its descendants, now. Resolves when it is gone. */
  kill(reason: string): Promise<void> {
    this.#killedFor ??= reason;
    asLent(this.#account, () => killGroup(this.pid));
    void this.#sweep(); // meanwhile the system takes the process apart
    return this.#exited;
  }
}

function workerVariables(account: Account | undefined, variables: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  const {
    FLOTILLA_SECRET: _secret,
    FLOTILLA_SECRET_FILE: _file,
    NODE_OPTIONS: _options,
    NODE_TEST_CONTEXT: _test,
    NODE_CHANNEL_FD: _channel,
    [MARK]: _mark,
    ...rest
  } = variables;
  return account ? { ...rest, HOME: '/nonexistent', USER: account.name, LOGNAME: account.name } : rest;
}

/** Kills a process group; nothing happens if it is gone. */
export function killGroup(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}
