// A promise with both its hands outside.

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

  /** The same, for a promise that nobody may be waiting for: its rejection is not reported as unhandled. */
  quiet(): this {
    this.promise.catch(() => {});
    return this;
  }
}
