// Definitions of services: a name with the types of arguments and result, shared by the programs that serve it and those that call it.
import { FlotillaError } from '../../base/index.ts';
import { checkName } from '../names/name.ts';
import type { TaskFunction, TaskGenerator, TaskResult } from '../tasks/self.ts';
import type { ServiceRef } from './service-ref.ts';

/** The name of a service whose tasks take messages of type `M`, are started with `A`, and return `R`. */
export interface ServiceName<in M, in A extends unknown[], out R> {
  readonly kind: 'service';
  readonly name: string;
  /** Carries the type; there is no value. */
  readonly locates?: ServiceRef<M, A, R>;
}

/** Options of {@link service}. */
export interface ServiceOptions<A extends unknown[]> {
  /** Checks the arguments: throws, or returns the reason, if they will not do. The caller gets ERR_SERVICE_ARGUMENTS. */
  readonly check?: (...args: A) => string | undefined | void;
}

/** A service with its function, for `runtime.serve`. */
export interface Service<in M, in A extends unknown[], out R> extends ServiceName<M, A, R> {
  readonly fn: (...args: never[]) => unknown;
  readonly check: ((...args: never[]) => string | undefined | void) | undefined;
}

/**
 * A service: a function that peers may start as a task, by name. Called `RPS` in pycos.
 *
 * Throws ERR_OPTION_INVALID unless it is given a function.
 *
 * @example
 * ```ts
 * const area = service('area', async (_self: Task<never>, width: number, height: number) => width * height);
 * await using runtime = await Runtime.start();
 * runtime.serve(area);
 * const ref = await runtime.locate(area);
 * console.log(await ref.call(6, 7)); // => 42
 * ```
 */
export function service<M, A extends unknown[], V>(name: string, fn: TaskGenerator<M, A, V>, options?: ServiceOptions<A>): Service<M, A, V>;
export function service<M, A extends unknown[], R>(
  name: string,
  fn: TaskFunction<M, A, R>,
  options?: ServiceOptions<A>,
): Service<M, A, TaskResult<R>>;
export function service<M, A extends unknown[], R>(
  name: string,
  fn: TaskFunction<M, A, R>,
  options: ServiceOptions<A> = {},
): Service<M, A, TaskResult<R>> {
  if (typeof fn !== 'function')
    throw new FlotillaError('ERR_OPTION_INVALID', `The service '${name}' needs a function; it was given a ${typeof fn}.`);
  return { kind: 'service', name: checkName(name), fn: fn as never, check: options.check as never };
}

/**
 * The name of a service whose function is elsewhere, with that function's type.
 *
 * @example
 * ```ts
 * type Area = (self: Task<never>, width: number, height: number) => Promise<number>;
 * console.log(serviceName<Area>('area').name); // => area
 * ```
 */
export function serviceName<F extends (self: never, ...args: never[]) => unknown>(
  name: string,
): F extends (self: infer S, ...args: infer A) => infer R ? ServiceName<MessagesOf<S>, A, TaskResult<R>> : never {
  return { kind: 'service', name: checkName(name) } as never;
}

type MessagesOf<S> = S extends { receive(options?: never): Promise<infer M> } ? M : never;
