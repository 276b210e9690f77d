// The verbs of a client, and the types that make a wrong argument not compile.
import type { Task, TaskGenerator, TaskRef, TaskResult } from '../../kernel/index.ts';
import type { MapOptions } from '../client/options.ts';
import type { Results } from './results.ts';

type Steps<Y> = Iterator<Y, unknown, never> & Iterable<Y>;

/** The result of `run`: the values of a generator of either kind as they come, else a promise for the result. */
export type RunResult<R> = [R] extends [never]
  ? Promise<never>
  : R extends AsyncIterable<infer Y>
    ? AsyncIterable<Y> & AsyncDisposable
    : R extends Steps<infer Y>
      ? AsyncIterable<Y> & AsyncDisposable
      : Promise<Awaited<R>>;

/** The values of a plain loop over a `map`: each result, or each value of each generator. */
export type MapValue<R> = R extends AsyncIterable<infer Y> ? Y : R extends Steps<infer Y> ? Y : Awaited<R>;

/** The outcome of one item of a `map`: its result, or all values of its generator. */
export type MapResult<R> = R extends AsyncIterable<infer Y> ? Y[] : R extends Steps<infer Y> ? Y[] : Awaited<R>;

/** The results of `map`. */
export type Mapped<T, R> = Results<T, MapValue<R>, MapResult<R>>;

/** The verbs of a client, with options given by `client.with`. Overloaded functions are typed by their last overload. */
export interface Verbs {
  /**
   * Runs a function once, on some worker; a generator's values are read by `for await`, and leaving the loop stops it. Rejects with the
   * error that it threw, or ERR_CODE_*, ERR_CALL_KILLS_WORKERS, ERR_TIMEOUT. Called `rtask` in dispycos.
   */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): RunResult<R>;
  /** Runs a function over many items, also of endless or async input. A generator's values come one by one, those of one item together. */
  map<T, A extends unknown[], R>(
    fn: (item: T, ...args: A) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { readonly args: A },
  ): Mapped<T, R>;
  map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): Mapped<T, R>;
  /** Starts a task on a worker of its own: `fn(self, ...args)`. */
  spawn<M, A extends unknown[], V>(fn: TaskGenerator<M, A, V>, ...args: A): Promise<TaskRef<M, V>>;
  spawn<M, A extends unknown[], R>(fn: (self: Task<M>, ...args: A) => R, ...args: A): Promise<TaskRef<M, TaskResult<R>>>;
}

/** The functions of a module, each run on a worker. */
export type RemoteModule<M> = {
  readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] extends (...args: infer A) => infer R
    ? (...args: A) => RunResult<R>
    : never;
};
