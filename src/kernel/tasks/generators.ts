// The driver runs a generator function as a task: each yield is a wait, at which others run and the task can end.
//
//   GE1. A promise that is yielded is awaited, and the yield gives its value back; a rejection is thrown at the yield.
//   GE2. stop() ends the generator at its present or next yield: its `finally` blocks run, their yields included.
//   GE3. A yield of nothing lets everything else that is due run before the generator goes on.
import { type Clock, Deferred } from '../../base/index.ts';

/** A generator of either kind. */
export type AnyGenerator = Generator<unknown, unknown, unknown> | AsyncGenerator<unknown, unknown, unknown>;

/** Whether the outcome of a function is a generator, which is driven rather than awaited. */
export function isGenerator(value: unknown): value is AnyGenerator {
  const type = Object.prototype.toString.call(value);
  return type === '[object Generator]' || type === '[object AsyncGenerator]';
}

type Step = { readonly method: 'next' | 'throw' | 'return'; readonly value: unknown };

/** Runs a generator to its end. */
export class Driver {
  readonly #generator: AnyGenerator;
  readonly #clock: Clock;
  readonly #done = new Deferred<unknown>();
  /** The number of the wait that counts. An older wait may still settle after a stop or a throw, and must not move the generator then. */
  #wait = 0;
  #stopping: unknown;
  /** The generator was ended at a yield; it did not return by itself. */
  #stopped = false;
  #running = false;
  #next: Step | undefined;

  constructor(generator: AnyGenerator, clock: Clock) {
    this.#generator = generator;
    this.#clock = clock;
  }

  /** Begins; resolves with the value that the generator returns, or rejects with the error that it throws. */
  run(): Promise<unknown> {
    this.#step({ method: 'next', value: undefined });
    return this.#done.promise;
  }

  /** Ends the generator: the outcome is a rejection with `reason`, unless it returns by itself before its next yield. GE2 */
  stop(reason: unknown): void {
    if (this.#stopping !== undefined) return;
    this.#stopping = reason;
    this.#insist({ method: 'return', value: undefined });
  }

  /** Throws an error at the present or next yield. */
  throw(error: unknown): void {
    this.#insist({ method: 'throw', value: error });
  }

  #insist(step: Step): void {
    if (this.#running) this.#next = step;
    else this.#step(step);
  }

  #step(step: Step): void {
    const wait = ++this.#wait;
    this.#running = true;
    this.#stopped ||= step.method === 'return';
    let outcome: IteratorResult<unknown, unknown> | Promise<IteratorResult<unknown, unknown>>;
    try {
      outcome = this.#generator[step.method](step.value as never);
    } catch (error) {
      return this.#done.reject(error);
    }
    if (!(outcome instanceof Promise)) return this.#yielded(outcome, wait);
    outcome.then(
      (result) => this.#yielded(result, wait),
      (error: unknown) => this.#done.reject(error),
    );
  }

  #yielded(result: IteratorResult<unknown, unknown>, wait: number): void {
    this.#running = false;
    if (result.done) {
      if (this.#stopped) this.#done.reject(this.#stopping);
      else this.#done.resolve(result.value);
      return;
    }
    const next = this.#next;
    this.#next = undefined;
    if (next) return this.#step(next);
    const go = (method: 'next' | 'throw', value: unknown): void => {
      if (wait === this.#wait && !this.#running) this.#step({ method, value });
    };
    const { value } = result;
    if (value instanceof Object && 'then' in value)
      Promise.resolve(value).then(
        (given) => go('next', given), // GE1
        (error: unknown) => go('throw', error),
      );
    else this.#clock.turn(() => go('next', value)); // GE3
  }
}
