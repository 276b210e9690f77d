// A promise that is settled from outside, and the test whether a value is waited for like a promise.

/** A promise and the functions that settle it. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T | PromiseLike<T>) => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Gives itself back; its rejection is not reported as unhandled, because perhaps nobody waits for it. */
  quiet(): this {
    this.promise.catch(() => {});
    return this;
  }
}

/** Whether `await` waits for a value: it has a method `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const mayBe = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return mayBe && 'then' in value && typeof value.then === 'function';
}
