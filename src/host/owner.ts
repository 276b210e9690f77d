// Which scheduler a host obeys, and who wanted it meanwhile.
import { onAbort, type RuntimeId } from '../base/index.ts';

/** The owner of one host. */
export class HostOwner {
  #id: RuntimeId | undefined;
  /** Who wanted the host while it was another's. */
  readonly #wanted = new Set<RuntimeId>();
  readonly #waiting: (() => void)[] = [];

  get id(): RuntimeId | undefined {
    return this.#id;
  }

  set id(id: RuntimeId | undefined) {
    this.#id = id;
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** Remembers one who wanted the host. */
  want(peer: RuntimeId): void {
    this.#wanted.add(peer);
  }

  /** It is gone; who wanted the host. */
  leave(): RuntimeId[] {
    this.id = undefined;
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    return wanted;
  }

  /** Resolves when it is another, or none. Rejects with the signal's reason. */
  other(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const off = onAbort(signal, () => reject(signal.reason));
      this.#waiting.push(() => {
        off();
        resolve();
      });
    });
  }
}
