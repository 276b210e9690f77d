// Gives hosts what a client's work needs: code, components, what was set up before.
//
// Owns what has been sent. Does not own what is built (calls/jobs.ts), nor who the hosts are (crew.ts).
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
/** Time for a host to tell of the end of a process. */
const REPORT_MS = 2_000;
/** A host that has lost code so often, each time as soon as it was sent, keeps none. */
const MOST_SENT = 5;

/** What is provided. */
export interface ProvisionOptions {
  readonly runtime: Runtime;
  readonly jobs: Jobs;
  readonly parts: Parts;
  readonly hostSetUp: SetUp | undefined;
  readonly workerSetUp: SetUp | undefined;
  /** The hosts and workers that there are. */
  readonly crew: Pick<CrewState, 'stations' | 'members'>;
}

/** The provisions of one client. */
export class Provision {
  readonly #options: ProvisionOptions;
  readonly #setUps = new Map<RuntimeId, Deferred<WorkerInfo>>();
  /** Set-ups that run, by the process that runs them. */
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

  /** Builds the components and set-ups; what is wrong with them is known before any host is asked. Rejects with ERR_CODE_*. */
  build(): Promise<void> {
    this.#built ??= this.#build();
    return this.#built;
  }

  /** Makes sure that every host has a function's code; rejects if none can run it. PV1 */
  prepare(job: Job): Promise<void> {
    job.prepared ??= this.#prepare(job).catch((error: unknown) => {
      job.prepared = undefined; // what stood in the way may be gone the next time
      job.refusedBy.clear();
      throw error;
    });
    return job.prepared;
  }

  /** Gives a host all that is known so far. */
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

  /** The process that sets a host up is there, or has ended. */
  heard(host: RuntimeId, info: WorkerInfo | undefined, reason?: string): void {
    const waiting = this.#setUps.get(host);
    if (info) waiting?.resolve(info);
    else waiting?.reject(new FlotillaError('ERR_HOST_SET_UP', reason ?? 'its process ended'));
  }

  /** A process has ended: if in a set-up, that has failed. Returns whether it was. */
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

  // A worker must know a class before an object of it arrives.
  async #teach(worker: RuntimeId): Promise<void> {
    const { jobs, runtime } = this.#options;
    if (jobs.classes.size === 0) return;
    await runtime.post
      .at(worker, TASKS)
      .classes([...jobs.classes])
      .catch(() => {}); // it is lost: that is noticed elsewhere
  }

  async #provide(station: Station, job: Job): Promise<void> {
    if (!job.shipped || job.refusedBy.has(station.id)) return;
    try {
      if (job.shipped.package === undefined) await this.#provideUnits(station, [job.shipped.unit]);
      else await this.#install(station, job.shipped);
    } catch (error) {
      // One that has let this client go refuses nothing: its end is noticed elsewhere.
      if (!isSessionLoss(error) && !hasCode(error, 'ERR_CLUSTER_STALE_GRANT')) job.refusedBy.set(station.id, toError(error));
    }
  }

  async #install(station: Station, { package: specifier = '' }: Shipped): Promise<void> {
    const name = packageName(specifier);
    if (station.has.has(name)) return;
    await this.#options.runtime.post.at(station.id, HOST).install(name);
    station.has.add(name);
  }

  // Sends a host the units that it lacks.
  async #provideUnits(station: Station, names: readonly string[]): Promise<void> {
    const { jobs, runtime } = this.#options;
    const { post } = runtime;
    const units = [...new Set(names.flatMap((name) => jobs.library.closure(name)))].filter((unit) => !station.has.has(unit.name));
    if (units.length === 0) return;
    const heads: UnitHead[] = units.map(({ name, hash, externals }) => ({ name, hash, externals }));
    // Other clients send code, too: what was there a moment ago may have had to go.
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
        if (isSessionLoss(error)) await sleep(environment.clock, REPORT_MS, over.signal).catch(() => {}); // its host says more
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
