// The allegiance of a host: it obeys one scheduler at a time, which says which clients have its places.
//
// Owns the choice of that scheduler, and the list of others that wanted the host. Does not own the host, nor the places it has granted.
//
//   AG1. A host that belongs to one scheduler takes no orders of another; a scheduler that was turned away is told when the host is free.
//   AG2. A host that was told of one scheduler by its operator serves no other, whether that one is there or not.
import { FlotillaError, type Log, onAbort, type RuntimeId, SILENT } from '../../base/index.ts';
import type { Tenants } from '../../host/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import { SCHEDULER } from '../protocol.ts';

/** Options of {@link Allegiance}. */
export interface AllegianceOptions {
  /** The name of the host. */
  readonly host: string;
  /** The address of the only scheduler that the host may have. */
  readonly exclusively?: string;
  /** The scheduler that the host has at first. */
  readonly scheduler?: RuntimeId;
  /** The most processes outside the numbered places that a peer may have there; none by default. */
  readonly processes?: number;
  readonly log?: Log;
  /** Called when a client is gone, with all it had there. */
  readonly left?: (client: RuntimeId) => void;
  /** Called when there is room for a client that was turned away. */
  readonly vacant?: () => void;
}

/** The tie of a host to its scheduler. */
export class Allegiance implements Tenants {
  readonly #runtime: Runtime;
  readonly #options: AllegianceOptions;
  /** Schedulers that wanted the host while it was another's. */
  readonly #wanted = new Set<RuntimeId>();
  readonly #waiting: (() => void)[] = [];
  #scheduler: RuntimeId | undefined;

  constructor(runtime: Runtime, options: AllegianceOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#scheduler = options.scheduler;
    runtime.post.on({ ended: (peer) => this.#ended(peer) });
  }

  /** The runtime that may grant the host's places. */
  get scheduler(): RuntimeId | undefined {
    return this.#scheduler;
  }

  grants(peer: RuntimeId): boolean {
    return peer === this.#scheduler;
  }

  // Gives the host to a scheduler that asks for it, or throws. AG1, AG2
  enlist(peer: RuntimeId): void {
    if (peer === this.#scheduler) return;
    const { peers } = this.#runtime.post;
    const { host, exclusively, log = SILENT } = this.#options;
    if (this.#scheduler !== undefined || exclusively !== undefined) {
      this.#wanted.add(peer);
      const holder = this.#scheduler && peers.get(this.#scheduler);
      const whom = holder ? `the ${holder.role} '${holder.name}'` : `the scheduler at ${exclusively}`;
      throw new FlotillaError('ERR_HOST_TAKEN', `Host '${host}' works for ${whom}; it says when it is free.`);
    }
    const info = peers.get(peer);
    log.info(`Works for the ${info?.role ?? 'scheduler'} '${info?.name ?? peer}'.`);
    this.join(peer);
  }

  /** Obeys a scheduler from now on, or none. */
  join(scheduler: RuntimeId | undefined): void {
    this.#scheduler = scheduler;
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** Resolves when the host has another scheduler, or none. Rejects with the signal's reason. */
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

  owner(): readonly string[] {
    const peer = this.#scheduler && this.#runtime.post.peers.get(this.#scheduler);
    return peer && peer.role === 'scheduler' ? peer.addresses : [];
  }

  processes(): number {
    return this.#options.processes ?? 0;
  }

  freed(client: RuntimeId, slots: readonly number[], epoch: number, gone: boolean): void {
    if (!this.#scheduler) return;
    const { post, links } = this.#runtime;
    const asked = post.at(this.#scheduler, SCHEDULER, { timeout: links.options.answerMs });
    asked.freed(slots, epoch, gone ? client : undefined).catch(() => {}); // it is away, and is told of all places when it is back
  }

  left(client: RuntimeId): void {
    this.#options.left?.(client);
  }

  vacant(): void {
    this.#options.vacant?.();
  }

  // Frees the host when its scheduler is gone, and tells the schedulers that wanted it. AG1
  #ended(peer: RuntimeId): void {
    if (peer !== this.#scheduler) return;
    this.join(undefined);
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    const { post } = this.#runtime;
    for (const other of wanted) if (post.peers.has(other)) post.message(other, SCHEDULER, { kind: 'free' });
  }
}
