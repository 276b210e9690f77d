// Provision: gives hosts what a client's work needs there, which is code, components and setup.
//
// Owns the record of what was sent to whom. Does not own the code that is built (calls/jobs.ts), nor the hosts (crew.ts).
//
//   PV1. A worker is used once its host has the code of every function known so far; a function, once every host has its code.
//   PV2. A host is set up once, before its first worker, by a process of its own; a worker, before its first call.
import { Deferred, FlotillaError, hasCode, type RuntimeId, sleep, toError } from '../../base/index.ts';
import { packageName, type Shipped, type UnitHead } from '../../code/index.ts';
import { HOST, type WorkerInfo } from '../../host/index.ts';
import { isSessionLoss, type Runtime } from '../../kernel/index.ts';
import { CALLS, TASKS } from '../../worker/index.ts';
import type { Jobs } from '../calls/jobs.ts';
import type { Job } from '../dispatch/job.ts';
import type { Parts } from './components.ts';
import type { SetUp } from './set-up.ts';
import type { CrewState } from './state.ts';
import type { Station } from './station.ts';

const FILE_MS = 60_000;
/** How long a host has to tell of the end of a process. */
const REPORT_MS = 2_000;
/** After so many tries in a row, a host that loses code as soon as it arrives is taken to keep none. */
const MOST_SENT = 5;

/** The parts of a provision, and what it gives. */
export interface ProvisionOptions {
  readonly runtime: Runtime;
  readonly jobs: Jobs;
  readonly parts: Parts;
  readonly hostSetUp: SetUp | undefined;
  readonly workerSetUp: SetUp | undefined;
  /** The client's hosts and workers. */
  readonly crew: Pick<CrewState, 'stations' | 'members'>;
}

/** The provisions of one client. */
export class Provision {
  readonly #options: ProvisionOptions;
  readonly #setUps = new Map<RuntimeId, Deferred<WorkerInfo>>();
  /** Setups under way, by the process that runs them. */
  readonly #running = new Map<RuntimeId, Deferred<never>>();
  readonly #hostJob: Job | undefined;
  readonly #workerJob: Job | undefined;
  #built: Promise<void> | undefined;

  constructor(options: ProvisionOptions) {
    this.#options = options;
    const { jobs, hostSetUp, workerSetUp } = options;
    this.#hostJob = hostSetUp && jobs.make(hostSetUp.fn, hostSetUp.fn.name || 'hostSetUp');
    this.#workerJob = workerSetUp && jobs.make(workerSetUp.fn, workerSetUp.fn.name || 'workerSetUp');
  }

  /** Builds the components and setups, so that a mistake in them is known before any host is asked. Rejects with ERR_CODE_*. */
  build(): Promise<void> {
    this.#built ??= this.#build();
    return this.#built;
  }

  /** Makes sure that every host has a function's code; rejects if none can run it. PV1 */
  prepare(job: Job): Promise<void> {
    job.prepared ??= this.#prepare(job).catch((error: unknown) => {
      job.prepared = undefined; // the obstacle may be gone the next time
      job.refusedBy.clear();
      throw error;
    });
    return job.prepared;
  }

  /** Gives a host all code and components known so far. */
  async equip(station: Station): Promise<void> {
    await this.build();
    const { runtime, parts, jobs } = this.#options;
    await this.#provideUnits(station, [...jobs.units]);
    for (const job of jobs.shipped) await this.#provide(station, job);
    for (const { path, dir, name } of parts.files) {
      if (station.has.has(path)) continue;
      await runtime.sendFile({ id: station.id }, path, { dir, name, overwrite: true, timeout: FILE_MS });
      station.has.add(path);
    }
  }

  /** Sets a host up; `given` replaces the arguments. Rejects with ERR_HOST_SET_UP. PV2 */
  async setUpHost(station: Station, given: readonly unknown[] | undefined): Promise<void> {
    const { runtime, hostSetUp } = this.#options;
    const job = this.#hostJob;
    if (!hostSetUp || !job) return;
    const ready = new Deferred<WorkerInfo>().quiet();
    this.#setUps.set(station.id, ready);
    try {
      await runtime.post.at(station.id, HOST).prepare();
      const info = await ready.promise;
      runtime.post.carrier.reach(info.id, info.addresses, station.id);
      await this.#run(info.id, job, given ?? hostSetUp.args({ host: station.info, worker: undefined }), true, `host '${station.name}'`);
    } finally {
      this.#setUps.delete(station.id);
      await runtime.post
        .at(station.id, HOST)
        .prepared()
        .catch(() => {});
    }
  }

  /** Sets a worker up; `given` replaces the arguments. Rejects with ERR_HOST_SET_UP. PV2 */
  async setUpWorker(station: Station, info: WorkerInfo, given: readonly unknown[] | undefined): Promise<void> {
    const { workerSetUp } = this.#options;
    const job = this.#workerJob;
    await this.#teach(info.id);
    if (!workerSetUp || !job) return;
    await this.#run(info.id, job, given ?? workerSetUp.args({ host: station.info, worker: info.name }), false, `worker ${info.name}`);
  }

  /** Takes a host's word that the process which sets it up is there, or has ended. */
  heard(host: RuntimeId, info: WorkerInfo | undefined, reason?: string): void {
    const waiting = this.#setUps.get(host);
    if (info) waiting?.resolve(info);
    else waiting?.reject(new FlotillaError('ERR_HOST_SET_UP', reason ?? 'its process ended'));
  }

  /** Fails the setup that a process ran when it ended. Returns whether it ran one. */
  ended(process: RuntimeId, reason: string, lastLines: readonly string[]): boolean {
    const running = this.#running.get(process);
    const printed = lastLines.length > 0 ? ` It printed last:\n${lastLines.join('\n')}` : '';
    running?.reject(new FlotillaError('ERR_HOST_SET_UP', `its process ended: ${reason}.${printed}`));
    return running !== undefined;
  }

  async #build(): Promise<void> {
    const { jobs, parts } = this.#options;
    for (const fn of parts.functions) await jobs.ship(jobs.make(fn));
    for (const job of [this.#hostJob, this.#workerJob]) if (job) await jobs.ship(job);
    for (const url of parts.modules) await jobs.shipModule(url);
    for (const made of parts.classes) await jobs.shipClass(made);
  }

  async #prepare(job: Job): Promise<void> {
    await this.build();
    const { jobs, crew } = this.#options;
    await jobs.ship(job);
    const stations = [...crew.stations.values()];
    await Promise.all(stations.map((station) => station.ready.promise.then(() => this.#provide(station, job)).catch(() => {})));
    if (job.refusedBy.size > 0 && stations.length > 0 && stations.every((station) => job.refusedBy.has(station.id)))
      throw [...job.refusedBy.values()][0];
    await Promise.all([...crew.members.keys()].map((worker) => this.#teach(worker)));
    job.ready = true;
  }

  // Teaches a worker the client's classes, because it must know a class before an object of it arrives.
  async #teach(worker: RuntimeId): Promise<void> {
    const { jobs, runtime } = this.#options;
    if (jobs.classes.size === 0) return;
    await runtime.post
      .at(worker, TASKS)
      .classes([...jobs.classes])
      .catch(() => {}); // the worker is lost, which the end of its session tells
  }

  async #provide(station: Station, job: Job): Promise<void> {
    if (!job.shipped || job.refusedBy.has(station.id)) return;
    try {
      if (job.shipped.package === undefined) await this.#provideUnits(station, [job.shipped.unit]);
      else await this.#install(station, job.shipped);
    } catch (error) {
      // A host that is lost or has let this client go has not refused the code; others may still run it.
      if (!isSessionLoss(error) && !hasCode(error, 'ERR_CLUSTER_STALE_GRANT')) job.refusedBy.set(station.id, toError(error));
    }
  }

  async #install(station: Station, { package: specifier = '' }: Shipped): Promise<void> {
    const name = packageName(specifier);
    if (station.has.has(name)) return;
    await this.#options.runtime.post.at(station.id, HOST).install(name);
    station.has.add(name);
  }

  // Sends a host the units that it lacks, with all that they need.
  async #provideUnits(station: Station, names: readonly string[]): Promise<void> {
    const { jobs, runtime } = this.#options;
    const { post } = runtime;
    const units = [...new Set(names.flatMap((name) => jobs.library.closure(name)))].filter((unit) => !station.has.has(unit.name));
    if (units.length === 0) return;
    const heads: UnitHead[] = units.map(({ name, hash, externals }) => ({ name, hash, externals }));
    // Asks until the host lacks nothing: other clients send code, too, and a unit that was there a moment ago may have had to go.
    for (let sent = 0; ; sent++) {
      const missing = new Set(await post.at(station.id, HOST).provide(heads));
      if (missing.size === 0) break;
      if (sent === MOST_SENT) throw lostCode(station, sent);
      const lacking = units.filter((unit) => missing.has(unit.hash));
      await Promise.all(lacking.map((unit) => post.at(station.id, HOST).put(unit.hash, unit.text)));
    }
    for (const unit of units) station.has.add(unit.name);
  }

  async #run(worker: RuntimeId, job: Job, args: readonly unknown[], ofHost: boolean, where: string): Promise<void> {
    const { post, environment } = this.#options.runtime;
    const ended = new Deferred<never>().quiet();
    const over = new AbortController();
    this.#running.set(worker, ended);
    try {
      if (job.shipped) post.message(worker, CALLS, { kind: 'define', fn: job.id, shipped: job.shipped });
      const setUp = post.at(worker, TASKS).setUp(job.id, args, ofHost);
      const asked = setUp.catch(async (error: unknown) => {
        if (isSessionLoss(error)) await sleep(environment.clock, REPORT_MS, over.signal).catch(() => {}); // the host says why
        throw error;
      });
      await Promise.race([asked, ended.promise]);
    } catch (thrown) {
      const error = toError(thrown);
      if (typeof error.stack === 'string') error.stack = this.#options.jobs.library.mapStack(error.stack);
      throw new FlotillaError('ERR_HOST_SET_UP', `The set-up '${job.label}' of ${where} failed: ${error.message}`, { cause: error });
    } finally {
      this.#running.delete(worker);
      over.abort();
    }
  }
}

function lostCode({ name }: Station, times: number): FlotillaError {
  return new FlotillaError(
    'ERR_CODE_MISSING',
    `Host '${name}' has lost the code that was sent to it, ${times} times. Look at the disk of its folder (--dest, or its temporary directory): is it full, or tidied all the time?`,
  );
}
