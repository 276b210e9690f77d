// One listener of an abort signal for any number of calls, because a signal searches all its listeners whenever one is added.

const hooked = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back once when the signal aborts; returns a function that takes it back. A hundred thousand calls may share a signal. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (!signal) return () => {};
  let callbacks = hooked.get(signal);
  if (!callbacks) {
    const made = new Set<() => void>();
    callbacks = made;
    hooked.set(signal, made);
    const run = (): void => {
      hooked.delete(signal);
      for (const call of made) call();
      made.clear();
    };
    signal.addEventListener('abort', run, { once: true });
  }
  callbacks.add(callback);
  return () => void callbacks.delete(callback);
}
