// Workers without a shared scheduler: this machine's cores, hosts on the network, or this very process.
import { defined, FlotillaError, type Log, type RuntimeId, toError } from '../../base/index.ts';
import type { Loaded, Shipped } from '../../code/index.ts';
import { Host, SystemGround, thisMachine, WORKER, type WorkerInfo } from '../../host/index.ts';
import type { Place, Runtime } from '../../kernel/index.ts';
import { wholeAddress } from '../../transport/index.ts';
import { Executor, workerEntry } from '../../worker/index.ts';
import type { Crew } from '../crew/crew.ts';
import { Allegiance } from '../daemons/allegiance.ts';
import type { Job } from '../dispatch/job.ts';
import { newMember } from '../dispatch/work.ts';
import { HOST_PORT, SCHEDULER } from '../protocol.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { HostAllocation } from './allocation.ts';
import type { ClientOptions } from './options.ts';

const TICK_MS = 2_000;
const ASK_MS = 10_000;

/** Starts this machine's host in the client's own process. It speaks the same protocol as a host daemon. */
export async function startLocal(runtime: Runtime, secret: Uint8Array, options: ClientOptions, log: Log): Promise<Host> {
  const machine = thisMachine();
  const { post, id, environment } = runtime;
  const host = new Host(
    runtime,
    {
      name: machine.name,
      workers: options.workers ?? machine.cores,
      ground: new SystemGround({
        entry: workerEntry(),
        random: environment.random,
        variables: environment.variables,
        clock: environment.clock,
        limits: defined({ heap: options.heap }),
      }),
      secret,
      log,
      settings: defined({ encrypt: options.encrypt }),
    },
    new Allegiance(runtime, { host: machine.name, scheduler: id, log }),
  );
  const own = runtime.filesDir;
  runtime.receiveFor((peer) => (peer === id ? (host.homeOf(peer)?.folder ?? own) : undefined));
  const tick = (): void => {
    environment.clock.after(
      Math.min(TICK_MS, runtime.links.options.pulseMs),
      () => {
        if (!host.offer.open) return;
        post.message(id, SCHEDULER, { kind: 'report', ...host.tick() });
        tick();
      },
      { background: true },
    );
  };
  tick();
  // Workers are started before the program goes on, because finding the code to ship, which it does first, keeps this thread busy.
  await post.at(id, SCHEDULER).offer(host.offer);
  return host;
}

/** Starts a scheduler in the client's own process, which takes every host that answers: those that are named, and those that are found. */
export function startScheduler(runtime: Runtime, log: Log): Scheduler {
  const scheduler = new Scheduler(runtime, { log });
  const take = (id: RuntimeId): void => void scheduler.enlist(id).catch((error: unknown) => log.info(toError(error).message));
  const here = (id: RuntimeId): void => {
    if (runtime.post.peers.get(id)?.role === 'host') take(id);
  };
  runtime.post.on({ opened: ({ id }) => here(id), online: here });
  for (const peer of runtime.peers()) if (peer.role === 'host') take(peer.id);
  return scheduler;
}

/** Connects with the hosts that allocations name. Warns of a host that does not answer; it is taken all the same when it is heard later. */
export async function seekHosts(runtime: Runtime, allocations: readonly HostAllocation[], warn: (text: string) => void): Promise<void> {
  const named = allocations.flatMap(({ host = '*', port = HOST_PORT }) => (host.includes('*') ? [] : [{ host, port }]));
  await Promise.all(
    named.map(async ({ host, port }) => {
      try {
        await runtime.connect(wholeAddress(runtime.environment.networks, host, port), { timeout: ASK_MS });
      } catch (error) {
        warn(`the host '${host}' does not answer at port ${port}: ${toError(error).message} Start one there: flotilla host`);
      }
    }),
  );
}

/** Own code: the functions of this process, for a worker that is this process. */
export class OwnCode {
  /** The functions, by the unit that stands for each. */
  readonly #functions = new Map<string, Loaded>();

  /** The function that a unit stands for. Rejects with ERR_CODE_MISSING. */
  async load({ unit }: Shipped): Promise<Loaded> {
    const found = this.#functions.get(unit);
    if (found) return found;
    throw new FlotillaError('ERR_CODE_MISSING', `Nothing was prepared as '${unit}'.`);
  }

  async prepare(job: Job): Promise<void> {
    this.#functions.set(String(job.id), job.fn as unknown as Loaded); // CT2
    job.shipped = { label: job.label, unit: String(job.id), name: '', path: [] };
    job.ready = true;
  }
}

/** Makes this process its own worker. Values are encoded and decoded as for any worker, so that inline finds the same mistakes. */
export function startInline(runtime: Runtime, crew: Crew, own: OwnCode, data: unknown): void {
  const { post, id } = runtime;
  const { worker, host } = post.place;
  const place: Place = {
    ...post.place,
    worker: { ...worker, name: 'inline' },
    host: { ...host, name: 'inline', data, dataOf: () => data as never },
  };
  post.place = place;
  new Executor({
    post,
    clock: post.clock,
    place,
    abandons: true,
    load: (shipped) => own.load(shipped),
    turn: () => new Promise((resolve) => post.clock.after(0, resolve)),
  });
  post.serve(WORKER, { recall: () => [] }); // nothing is let go: a cancelled call stops by itself, or is abandoned
  const info: WorkerInfo = { id, name: 'inline', host: id, hostName: 'inline', slot: 1, epoch: 0, pid: process.pid, addresses: [] };
  crew.employ(newMember(info));
}
