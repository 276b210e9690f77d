// The daemons of a soak: a scheduler and hosts, each behind a gate or reached directly; killed, stopped, cut off, and started again.
//
//   F1. The scheduler and the host 'steady' live as long as the soak: what they hold is compared at its start and end.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BIN } from '../support/processes.ts';
import { Gate } from './gate.ts';
import type { Ledger } from './ledger.ts';
import { type Found, MARK, portsOf, signal, withMark } from './processes.ts';
import { Running } from './running.ts';

const PULSE = ['--pulse', '1', '--daemon', '--no-discovery'];
const START_MS = 60_000;
const END_MS = 30_000;

/** The silence after which a peer counts as offline, with the pulse of these daemons. */
export const SILENCE_MS = 5_000;

/** A daemon's place, in which one process may follow another. */
export interface Post {
  readonly name: string;
  readonly gate: Gate | undefined;
  running: Running;
  readonly mortal: boolean;
}

/** The daemons of one soak. */
export class Fleet {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly mark: string;
  readonly hosts: Post[] = [];
  #scheduler: Post | undefined;
  readonly #ledger: Ledger;

  constructor(folder: string, mark: string, ledger: Ledger) {
    const {
      NODE_OPTIONS: _options,
      NODE_TEST_CONTEXT: _context,
      NODE_CHANNEL_FD: _channel,
      FLOTILLA_SECRET: _secret,
      ...rest
    } = process.env;
    this.folder = folder;
    this.mark = mark;
    this.#ledger = ledger;
    mkdirSync(join(folder, 'tmp'), { recursive: true });
    this.env = { ...rest, HOME: folder, TMPDIR: join(folder, 'tmp'), [MARK]: mark, FLOTILLA_SCHEDULER: 'local' };
  }

  get scheduler(): Post {
    return this.#scheduler as Post;
  }

  get posts(): readonly Post[] {
    return this.#scheduler ? [this.#scheduler, ...this.hosts] : this.hosts;
  }

  /** What clients are told of the cluster. */
  get clientEnv(): NodeJS.ProcessEnv {
    return { ...this.env, FLOTILLA_SCHEDULER: `tcp://${this.scheduler.gate?.address}` };
  }

  async start(): Promise<void> {
    const gate = await Gate.open();
    const args = ['scheduler', 'tcp://127.0.0.1:0', ...PULSE, '--advertise', gate.address];
    this.#scheduler = { name: 'scheduler', gate, mortal: false, running: this.#run('scheduler', args) };
    await this.#lead(this.#scheduler, /listens at/);
    // A port of its own, and clients that come to its workers through it; and without.
    await Promise.all([this.#addHost('steady', false, false), this.#addHost('north', true, true), this.#addHost('south', false, true)]);
  }

  /** Kills a host in the middle of everything, and starts another in its place. */
  async replace(post: Post): Promise<void> {
    post.running.busy = true;
    post.running.ending = true;
    this.#ledger.kills(this.workersOf(post).map(({ pid }) => pid));
    post.running.signal('SIGKILL');
    await post.gate?.lose();
    await post.running.exited;
    post.running = this.#run(post.name, this.#hostArgs(post.name, post.gate));
    post.running.busy = true;
    await this.#lead(post, /Joined the scheduler/);
    post.running.busy = false;
  }

  /** The worker processes of one host, or of all. */
  workersOf(post?: Post): Found[] {
    return withMark(this.mark).filter(({ title }) => {
      const name = /^flotilla[- ]worker[: ]([^/\s]+)\/\d+/.exec(title)?.[1];
      return name !== undefined && (post ? name === post.name : this.hosts.some((host) => host.name === name));
    });
  }

  /** Stops a daemon and all its workers for a while: a machine that is silent. */
  async silence(running: Running, workers: readonly Found[], ms: number): Promise<void> {
    running.busy = true;
    running.signal('SIGSTOP');
    for (const { pid } of workers) signal(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    for (const { pid } of workers) signal(pid, 'SIGCONT');
    running.signal('SIGCONT');
    running.busy = false;
  }

  /** Ends every daemon; tells of those that do not end. */
  async end(): Promise<void> {
    for (const { gate } of this.posts) gate?.thaw();
    for (const { name, running } of [...this.hosts, ...(this.#scheduler ? [this.#scheduler] : [])]) {
      const how = await running.end(END_MS);
      if (how !== 'code 0') this.#ledger.claim(`${name} was told to end by SIGTERM and came to ${how}; it printed last:\n${running.tail}`);
    }
    for (const { gate } of this.posts) await gate?.lose();
  }

  async #addHost(name: string, behind: boolean, mortal: boolean): Promise<void> {
    const gate = behind ? await Gate.open() : undefined;
    const post: Post = { name, gate, mortal, running: this.#run(name, this.#hostArgs(name, gate)) };
    this.hosts.push(post);
    await this.#lead(post, /Joined the scheduler/);
  }

  #hostArgs(name: string, gate: Gate | undefined): string[] {
    const told = gate ? ['--advertise', gate.address] : [];
    const scheduler = `tcp://${this.scheduler.gate?.address}`;
    return ['host', 'tcp://127.0.0.1:0', ...PULSE, '--cpus', '2', '--name', name, '--scheduler', scheduler, ...told];
  }

  #run(name: string, args: readonly string[]): Running {
    const running = new Running(name, [BIN, ...args], this.env, this.folder);
    void running.exited.then((how) => {
      if (!running.ending) this.#ledger.claim(`${name} ended by itself (${how}); it printed last:\n${running.tail}`);
    });
    return running;
  }

  async #lead(post: Post, ready: RegExp): Promise<void> {
    const { running, gate } = post;
    const port = await this.#portOf(running);
    if (port !== undefined) await gate?.lead(port);
    await running.until(ready, START_MS);
  }

  async #portOf(running: Running): Promise<number | undefined> {
    for (const end = Date.now() + START_MS; Date.now() < end && !running.ended; ) {
      const [port] = portsOf(running.pid);
      if (port !== undefined) return port;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return undefined;
  }
}
