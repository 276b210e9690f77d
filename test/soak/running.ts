// One process that the soak has started: heard, asked what it holds, stopped for a while, ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { type Held, heldBy, signal } from './processes.ts';
import type { Order, Told } from './protocol.ts';

const PROBE = new URL('./probe.js', import.meta.url).href;
const TAIL_LINES = 40;
const ANSWER_MS = 3_000;

/** What a process holds, at a time of the soak. */
export interface Sample extends Held {
  readonly atMs: number;
  readonly heapKiB: number | undefined;
  /** Buffers, beside the heap. */
  readonly externalKiB: number | undefined;
  readonly timers: number | undefined;
}

/** A process with the probe. */
export class Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exited: Promise<string>;
  readonly samples: Sample[] = [];
  /** It is stopped, or about to be killed: nothing else is done to it. */
  busy = false;
  /** Its end is wanted. */
  ending = false;
  ended = false;
  onTold: (told: Told) => void = () => {};
  readonly #tail: string[] = [];
  #wake: () => void = () => {};
  #answer: (told: Told & { kind: 'holdings' }) => void = () => {};

  constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
    this.name = name;
    this.child = spawn(process.execPath, ['--expose-gc', '--import', PROBE, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.#tail.push(...text.split('\n').filter(Boolean));
        this.#tail.splice(0, this.#tail.length - TAIL_LINES);
        this.#wake();
      });
    }
    this.child.on('message', (told: Told) => {
      if (told.kind === 'holdings') this.#answer(told);
      else this.onTold(told);
    });
    this.child.on('error', () => {});
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, by) => {
        this.ended = true;
        this.#wake();
        resolve(by ?? `code ${code}`);
      }),
    );
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** What it printed last. */
  get tail(): string {
    return this.#tail.join('\n');
  }

  /** Resolves once it has printed this. Rejects when it has ended, or not printed it in time. */
  async until(pattern: RegExp, ms: number): Promise<void> {
    for (const end = Date.now() + ms; !pattern.test(this.tail); ) {
      if (this.ended || Date.now() > end) throw new Error(`${this.name} did not say ${pattern}; it printed:\n${this.tail}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 250);
      });
    }
  }

  order(order: Order): void {
    if (this.child.connected) this.child.send(order, () => {});
  }

  signal(name: NodeJS.Signals): void {
    if (!this.ended) signal(this.pid, name);
  }

  /** Notes what it holds now. */
  async sample(atMs: number): Promise<void> {
    if (this.ended || this.busy) return;
    const told = await new Promise<(Told & { kind: 'holdings' }) | undefined>((resolve) => {
      this.#answer = resolve;
      setTimeout(() => resolve(undefined), ANSWER_MS).unref();
      this.order('holdings');
    });
    const held = heldBy(this.pid);
    if (!held) return;
    const kib = (bytes: number | undefined): number | undefined => bytes && Math.round(bytes / 1024);
    this.samples.push({ ...held, atMs, heapKiB: kib(told?.heap), externalKiB: kib(told?.external), timers: told?.timers });
  }

  /** Ends it as people do, and kills it when it does not. Resolves with how it ended: `code 0` is right. */
  async end(ms: number): Promise<string> {
    this.ending = true;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms).unref());
    const how = await Promise.race([this.exited, late]);
    if (how !== undefined) return how;
    this.signal('SIGKILL');
    await this.exited;
    return `no end within ${ms / 1_000} s`;
  }
}
