// The functions of one client as jobs, and the code that is shipped for them.
//
// Owns the job of each function, and the units and classes that were built. Does not own which host has which (crew/provision.ts).
//
//   JB1. Functions that are written at one place are one job, whichever closure comes. A function of a module that is not loaded here is
//       a job, too.
//   JB2. A job keeps its number: workers know it by that.
//   JB3. Classes that are components, or exported by modules that are shipped, travel both ways.
import { pathToFileURL } from 'node:url';
import { Deferred } from '../../base/index.ts';
import { classesOf, className, type Library } from '../../code/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import { type AnyFunction, type Job, newJob } from '../dispatch/job.ts';
import type { Member } from '../dispatch/work.ts';

/** How long a module's exports are waited for: a module that is still being evaluated may itself wait for this very call. */
const EVALUATED_MS = 25;
const MOST_CAUSES = 8;

/** The parts that jobs are made of. */
export interface JobsOptions {
  readonly runtime: Runtime;
  readonly library: Library;
  /** Whether functions run in this process, so that their code need not be shipped. */
  readonly inline: boolean;
}

/** The jobs of one client. */
export class Jobs {
  readonly library: Library;
  /** All jobs whose code is built. */
  readonly shipped = new Set<Job>();
  /** Units that are shipped for themselves, as components, and not for a job. */
  readonly units = new Set<string>();
  /** Units whose classes workers must know. */
  readonly classes = new Set<string>();
  readonly #runtime: Runtime;
  readonly #inline: boolean;
  readonly #byFunction = new WeakMap<AnyFunction, Job>();
  readonly #byExport = new Map<string, Job>();
  #next = 1;

  constructor({ runtime, library, inline }: JobsOptions) {
    this.library = library;
    this.#runtime = runtime;
    this.#inline = inline;
  }

  /** Makes a job that is not found again by its function. JB2 */
  make(fn: AnyFunction, label?: string): Job {
    return newJob(this.#next++, fn, label);
  }

  /** The job of a function; the same one for every function written at that place. JB1 */
  of(fn: AnyFunction): Job {
    let job = this.#byFunction.get(fn);
    if (!job) {
      const first = this.#inline ? fn : (this.library.firstAt(fn) as AnyFunction);
      job = this.#byFunction.get(first) ?? this.make(first);
      this.#byFunction.set(first, job);
      this.#byFunction.set(fn, job);
    }
    return job;
  }

  /** A stand-in for a function that a module exports, as the module is not loaded here. JB1 */
  exported(url: string, name: string): AnyFunction {
    const key = `${url}#${name}`;
    let job = this.#byExport.get(key);
    if (!job) {
      const stand = (): void => {};
      job = this.make(stand, name);
      this.#byExport.set(key, job);
      this.#byFunction.set(stand, job);
      this.library.standFor(stand, url, name);
    }
    return job.fn;
  }

  /** Builds the code of a job. Rejects with ERR_CODE_*. */
  async ship(job: Job): Promise<void> {
    job.shipped = await this.library.ship(job.fn);
    const classes = await Promise.all(this.library.evaluated(job.fn, job.shipped.unit).map(({ unit, file }) => this.#adopt(unit, file)));
    for (const unit of classes) if (unit !== undefined) this.classes.add(unit);
    this.shipped.add(job);
  }

  /** Builds a module for itself, though no job needs it. Rejects with ERR_CODE_*. */
  async shipModule(url: string): Promise<void> {
    this.units.add(await this.library.shipModule(url));
  }

  /** Builds the module of a class. Rejects with ERR_CODE_*. JB3 */
  async shipClass(made: abstract new (...args: never[]) => object): Promise<void> {
    const shipped = await this.library.ship(made);
    this.units.add(shipped.unit);
    this.classes.add(shipped.unit);
    this.#runtime.registerClass(made, className(shipped.unit, shipped.name));
  }

  /** Makes a worker's error tell more: its stack points into the user's own files, and it names the worker. */
  readonly mapError = (thrown: unknown, member: Member | undefined): unknown => {
    if (!(thrown instanceof Error)) return thrown;
    for (let error: unknown = thrown, depth = 0; error instanceof Error && depth < MOST_CAUSES; error = error.cause, depth++) {
      if (typeof error.stack === 'string') error.stack = this.library.mapStack(error.stack);
    }
    if (member && !Object.hasOwn(thrown, 'worker'))
      Object.defineProperty(thrown, 'worker', { value: member.info.name, enumerable: false, configurable: true });
    return thrown;
  };

  // Registers the classes that a module exports; returns its unit if there are any. This process has evaluated the module before. JB3
  async #adopt(unit: string, file: string): Promise<string | undefined> {
    const runtime = this.#runtime;
    const late = new Deferred<undefined>();
    const timer = runtime.environment.clock.after(EVALUATED_MS, () => late.resolve(undefined));
    try {
      const exported = await Promise.race([import(pathToFileURL(file).href) as Promise<Record<string, unknown>>, late.promise]);
      if (!exported) return undefined;
      const classes = classesOf(exported);
      for (const [name, made] of classes) runtime.registerClass(made, className(unit, name));
      return classes.size > 0 ? unit : undefined;
    } catch {
      return undefined; // objects of its classes travel as plain data
    } finally {
      timer.cancel();
    }
  }
}
