// The kernel's side of a worker: its sessions and its doors, on a thread that user code cannot stop.
//
// Owns the hub, this thread's kernel and the way across to the user's thread. Does not own the process, which `die` ends, nor
// decide when something has had its time (ending/warden.ts).
//
//   KS1. The end of the session with the host is the end of the process: nobody else would end it.
//   KS2. The worker's load is told to its host only when it has changed.
import type { MessagePort } from 'node:worker_threads';
import type { RuntimeId } from '../base/index.ts';
import { HOST, WORKER, type WorkerConfig, type WorkerLoad } from '../host/index.ts';
import {
  ANSWER_MS,
  type Carrier,
  type Environment,
  FILES,
  FileReceiver,
  Hub,
  Kernel,
  loopBack,
  TERMINATE,
  ThreadHub,
  type ThreadStart,
} from '../kernel/index.ts';
import { type Conn, Identity, Keyring, parseAddress } from '../transport/index.ts';
import { Warden } from './ending/warden.ts';
import { PROBE } from './executor.ts';
import type { Gauges } from './gauges.ts';
import { BATCH, CALLS } from './protocol.ts';
import type { Control } from './serve.ts';

const LOAD_MS = 500;
const LEAVE_MS = 500;
/** The doors whose calls run one at a time. */
const IN_TURN: ReadonlySet<number> = new Set([CALLS.number, BATCH.number]);

/** Options of {@link KernelSide}. */
export interface KernelSideOptions {
  readonly config: WorkerConfig;
  readonly environment: Environment;
  /** The ways to the user's thread: one for frames, one for what is said beside them. */
  readonly frames: MessagePort;
  readonly control: MessagePort;
  readonly gauges: Gauges;
  /** Ends the process and all that it started, at once. */
  readonly die: () => void;
}

/** The kernel's thread of one worker. */
export class KernelSide {
  readonly #options: KernelSideOptions;
  readonly #id: RuntimeId;
  readonly #across: ThreadHub;
  readonly #hub: Hub;
  readonly #kernel: Kernel;
  readonly #warden: Warden;
  #host: RuntimeId | undefined;
  #told: WorkerLoad | undefined;

  constructor(options: KernelSideOptions) {
    const { config, environment, frames, control, gauges, die } = options;
    const { clock } = environment;
    const identity = Identity.fresh(environment.random);
    this.#options = options;
    this.#id = identity.id;
    this.#across = new ThreadHub({
      port: frames,
      hub: () => this.#hub,
      own: () => this.#kernel,
      mine: new Set([WORKER.number, TERMINATE.number, FILES.number]),
      clock,
      onMailbox: (task, open) => this.#warden.mailbox(task, open),
      onEnded: (peer) => {
        if (peer === this.#host) die(); // KS1
      },
    });
    this.#hub = new Hub({
      identity,
      name: config.name,
      role: 'worker',
      keys: new Keyring(Buffer.from(config.secret, 'hex')),
      environment,
      pulseMs: config.pulse,
      answerMs: ANSWER_MS,
      encrypt: config.encrypt ?? 'auto',
      log: environment.log,
      events: this.#across,
    });
    this.#hub.keepers.add((peer) => this.#kernel.peers.get(peer)?.role === 'client'); // the host decides how long
    this.#kernel = new Kernel({ clock, carrier: this.#carrier(), half: 1 });
    this.#warden = new Warden({
      clock,
      gauges,
      graceMs: config.graceMs,
      say: (message) => control.postMessage(message),
      tellHost: (dies) => {
        if (this.#host !== undefined) this.#kernel.message(this.#host, HOST, dies);
        return this.#host !== undefined;
      },
      die,
      leave: () => void this.#hub.close(LEAVE_MS, 'terminated').finally(die),
    });
    new FileReceiver(this.#kernel, environment, { dir: config.cwd, maxSize: undefined });
    this.#serve();
    control.on('message', (message: Control) => {
      if (message.kind === 'settled') this.#warden.settled(message.call);
    });
  }

  /** Listens where the worker may be reached; resolves with what the user's thread needs to start. */
  async listen(): Promise<ThreadStart> {
    const { name, location, listen, advertise } = this.#options.config;
    const { networks } = this.#options.environment;
    for (const text of listen) {
      const address = parseAddress(networks, text, 0);
      await this.#hub.listen({ address, orAny: false, advertise }).catch(() => {});
    }
    return { id: this.#id, name, location, addresses: this.#hub.addresses };
  }

  /** Greets the host. From then on it is told the worker's load, and its end is the end of the worker. */
  async join(conn: Conn): Promise<void> {
    this.#host = await this.#hub.adopt(conn, 'dialer');
    this.#tellLoad(this.#host);
    this.#warden.watch((answered) => void this.#kernel.requests.request({ peer: this.#id, settle: answered }, CALLS.number, PROBE, []));
  }

  #serve(): void {
    const kernel = this.#kernel;
    const warden = this.#warden;
    kernel.serve(
      WORKER,
      { recall: (_asked, calls) => warden.recall(calls) },
      {
        message: (_peer, order) => {
          if (order.kind === 'interrupt') warden.interrupt(order.reason);
          else warden.cancel(order.call, IN_TURN.has(order.port));
        },
      },
    );
    kernel.serve(TERMINATE, {}, { message: (_peer, { task, reason }) => warden.terminate(task, reason) });
  }

  #carrier(): Carrier {
    const [id, across, hub] = [this.#id, this.#across, this.#hub];
    const { config, environment } = this.#options;
    const { clock } = environment;
    return {
      id,
      name: config.name,
      addresses: [],
      acknowledges: false,
      post: (peer, range, large) =>
        peer === id ? loopBack(id, range, large, clock, (...frame) => across.frame(...frame)) : hub.post(peer, range, large),
      hasRoom: () => true,
      reach: (peer, addresses, via) => hub.reach(peer, addresses, via),
      dial: (peer) => hub.dial(peer),
      end: (peer, end) => hub.end(peer, end),
      mailbox() {},
    };
  }

  // KS2
  #tellLoad(host: RuntimeId): void {
    const { gauges, environment } = this.#options;
    const { load } = gauges;
    const told = this.#told;
    if (!told || told.running !== load.running || told.tasks !== load.tasks || told.done !== load.done)
      this.#kernel.message(host, HOST, load);
    this.#told = load;
    environment.clock.after(LOAD_MS, () => this.#tellLoad(host), { background: true });
  }
}
