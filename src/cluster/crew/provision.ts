// Gives hosts what a client's work needs: code, components, what was set up before.
//
// Owns what has been built and sent. Does not own who the hosts are (crew.ts).
//
//   PV1. A worker is used once its host has the code of every function known so far; a function, once every host has its code.
//   PV2. A host is set up once, before its first worker, by a process of its own; a worker, before its first call.
//   PV3. Classes that are components, or exported by modules that are shipped, travel both ways.
import { pathToFileURL } from 'node:url';
import { Deferred, FlotillaError, hasCode, type Log, type RuntimeId, sleep, toError } from '../../base/index.ts';
import { classesOf, className, type Library, packageName, type Shipped, type UnitHead } from '../../code/index.ts';
import { HOST, type WorkerInfo } from '../../host/index.ts';
import { isSessionLoss, type Runtime } from '../../kernel/index.ts';
import { CALLS, TASKS } from '../../worker/index.ts';
import { type Job, newJob } from '../dispatch/job.ts';
import type { Parts } from './components.ts';
import type { SetUp } from './set-up.ts';
import type { Station } from './station.ts';

const FILE_MS = 60_000;
/** Time for a host to tell of the end of a process. */
const REPORT_MS = 2_000;
/** A module that is still being evaluated is not waited for. */
const EVALUATED_MS = 25;
/** A host that has lost code so often, each time as soon as it was sent, keeps none. */
const MOST_SENT = 5;

/** What is provided. */
export interface ProvisionOptions {
  readonly runtime: Runtime;
  readonly library: Library;
  readonly parts: Parts;
  readonly hostSetUp: SetUp | undefined;
  readonly workerSetUp: SetUp | undefined;
  readonly stations: () => Iterable<Station>;
  /** Workers that work. */
  readonly workers: () => Iterable<RuntimeId>;
  readonly log: Log;
}

/** The provisions of one client. */
export class Provision {
  readonly #options: ProvisionOptions;
  readonly #jobs = new Set<Job>();
  readonly #units = new Set<string>();
  readonly #classes = new Set<string>();
  readonly #setUps = new Map<RuntimeId, Deferred<WorkerInfo>>();
  /** Set-ups that run, by the process that runs them. */
  readonly #running = new Map<RuntimeId, Deferred<never>>();
  readonly #hostJob: Job | undefined;
  readonly #workerJob: Job | undefined;
  #built: Promise<void> | undefined;
  #nextJob = 1;

  constructor(options: ProvisionOptions) {
    this.#options = options;
    const { hostSetUp, workerSetUp } = options;
    this.#hostJob = hostSetUp && this.newJob(hostSetUp.fn, hostSetUp.fn.name || 'hostSetUp');
    this.#workerJob = workerSetUp && this.newJob(workerSetUp.fn, workerSetUp.fn.name || 'workerSetUp');
  }

  newJob(fn: Job['fn'], label?: string): Job {
    return newJob(this.#nextJob++, fn, label);
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
    const { runtime, parts } = this.#options;
    await this.#provideUnits(station, [...this.#units]);
    for (const job of this.#jobs) await this.#provide(station, job);
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
      await runtime.kernel.at(station.id, HOST).prepare();
      const info = await ready.promise;
      runtime.kernel.carrier.reach(info.id, info.addresses, station.id);
      await this.#run(info.id, job, given ?? hostSetUp.args({ host: station.info, worker: undefined }), true, `host '${station.name}'`);
    } finally {
      this.#setUps.delete(station.id);
      await runtime.kernel
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
    const { library, parts, runtime } = this.#options;
    for (const fn of parts.functions) await this.#ship(this.newJob(fn));
    for (const job of [this.#hostJob, this.#workerJob]) if (job) await this.#ship(job);
    for (const url of parts.modules) this.#units.add(await library.shipModule(url));
    for (const made of parts.classes) {
      const shipped = await library.ship(made);
      this.#units.add(shipped.unit);
      this.#classes.add(shipped.unit);
      runtime.registerClass(made, className(shipped.unit, shipped.name));
    }
  }

  async #prepare(job: Job): Promise<void> {
    await this.build();
    await this.#ship(job);
    const stations = [...this.#options.stations()];
    await Promise.all(stations.map((station) => station.ready.promise.then(() => this.#provide(station, job)).catch(() => {})));
    if (job.refusedBy.size > 0 && stations.length > 0 && stations.every((station) => job.refusedBy.has(station.id)))
      throw [...job.refusedBy.values()][0];
    await Promise.all([...this.#options.workers()].map((worker) => this.#teach(worker)));
    job.ready = true;
  }

  // A worker must know a class before an object of it arrives. PV3
  async #teach(worker: RuntimeId): Promise<void> {
    if (this.#classes.size === 0) return;
    const { kernel } = this.#options.runtime;
    await kernel
      .at(worker, TASKS)
      .classes([...this.#classes])
      .catch(() => {}); // it is lost: that is noticed elsewhere
  }

  async #ship(job: Job): Promise<void> {
    const { library } = this.#options;
    job.shipped = await library.ship(job.fn);
    const classes = await Promise.all(library.evaluated(job.fn, job.shipped.unit).map(({ unit, file }) => this.#adopt(unit, file)));
    for (const unit of classes) if (unit !== undefined) this.#classes.add(unit);
    this.#jobs.add(job);
  }

  // Registers the classes that a module exports, which this process has evaluated before. PV3
  async #adopt(unit: string, file: string): Promise<string | undefined> {
    const { runtime } = this.#options;
    const late = new Deferred<undefined>();
    const timer = runtime.environment.clock.after(EVALUATED_MS, () => late.resolve(undefined));
    try {
      const exported = await Promise.race([import(pathToFileURL(file).href) as Promise<Record<string, unknown>>, late.promise]);
      if (!exported) return undefined;
      const classes = classesOf(exported);
      for (const [name, made] of classes) runtime.registerClass(made, className(unit, name));
      return classes.size > 0 ? unit : undefined;
    } catch {
      return undefined; // its objects travel as plain data
    } finally {
      timer.cancel();
    }
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
    await this.#options.runtime.kernel.at(station.id, HOST).install(name);
    station.has.add(name);
  }

  // Sends a host the units that it lacks.
  async #provideUnits(station: Station, names: readonly string[]): Promise<void> {
    const { library, runtime } = this.#options;
    const { kernel } = runtime;
    const units = [...new Set(names.flatMap((name) => library.closure(name)))].filter((unit) => !station.has.has(unit.name));
    if (units.length === 0) return;
    const heads: UnitHead[] = units.map(({ name, hash, externals }) => ({ name, hash, externals }));
    // Other clients send code, too: what was there a moment ago may have had to go.
    for (let sent = 0; ; sent++) {
      const missing = new Set(await kernel.at(station.id, HOST).provide(heads));
      if (missing.size === 0) break;
      if (sent === MOST_SENT) throw lostCode(station, sent);
      const lacking = units.filter((unit) => missing.has(unit.hash));
      await Promise.all(lacking.map((unit) => kernel.at(station.id, HOST).put(unit.hash, unit.text)));
    }
    for (const unit of units) station.has.add(unit.name);
  }

  async #run(worker: RuntimeId, job: Job, args: readonly unknown[], ofHost: boolean, where: string): Promise<void> {
    const { kernel, environment } = this.#options.runtime;
    const ended = new Deferred<never>().quiet();
    const over = new AbortController();
    this.#running.set(worker, ended);
    try {
      if (job.shipped) kernel.message(worker, CALLS, { kind: 'define', fn: job.id, shipped: job.shipped });
      const setUp = kernel.at(worker, TASKS).setUp(job.id, args, ofHost);
      const asked = setUp.catch(async (error: unknown) => {
        if (isSessionLoss(error)) await sleep(environment.clock, REPORT_MS, over.signal).catch(() => {}); // its host says more
        throw error;
      });
      await Promise.race([asked, ended.promise]);
    } catch (thrown) {
      const error = toError(thrown);
      if (typeof error.stack === 'string') error.stack = this.#options.library.mapStack(error.stack);
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
