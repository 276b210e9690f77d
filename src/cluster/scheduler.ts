// Grants workers of hosts to clients, and is never on a call's path.
//
// Owns the schedule's state. Does not own processes (hosts do) or calls (clients do).
import type { RuntimeId } from '../base/index.ts';
import type { Offer } from '../host/index.ts';
import { type Asked, PORT, type Runtime } from '../kernel/index.ts';
import type { ClusterStatus, Counters, SchedulerNotice, Wish } from './protocol.ts';
import { emptyState, heldBy, react, type ScheduleEffect, type ScheduleEvent } from './schedule/index.ts';

/** Time in which a host answers an assignment. */
const ASSIGN_MS = 10_000;

/** The scheduler of one runtime. */
export class Scheduler {
  readonly #runtime: Runtime;
  readonly #state = emptyState();
  readonly #counters = new Map<RuntimeId, Counters>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    runtime.kernel.serveMethods(PORT.SCHEDULER, {
      offer: ({ peer }, offer: Offer) => this.#offered(peer, offer),
      wish: ({ peer }, wish: Wish) => this.#wished(peer, wish),
      leave: ({ peer }) => this.peerEnded(peer),
      freed: ({ peer }, slots: number[], epoch: number) => this.#do({ kind: 'freed', host: peer, slots, epoch }),
      counters: ({ peer }: Asked, counters: Counters) => void this.#counters.set(peer, counters),
      status: () => this.status,
    });
  }

  get status(): ClusterStatus {
    const { hosts, clients } = this.#state;
    return {
      scheduler: this.#runtime.name,
      hosts: [...hosts.values()].map(({ id, name, addresses, workers, held }) => ({ id, name, addresses, workers, granted: held.size })),
      clients: [...clients.values()].map(({ id, name, wants, holds }) => ({
        id,
        name,
        workers: holds,
        wants: Number.isFinite(wants) ? wants : undefined,
        counters: this.#counters.get(id),
      })),
    };
  }

  /** A session with a host or client has ended. */
  peerEnded(peer: RuntimeId): void {
    if (this.#state.hosts.has(peer)) this.#do({ kind: 'host-left', id: peer });
    if (this.#state.clients.has(peer)) this.#do({ kind: 'client-left', id: peer });
    this.#counters.delete(peer);
  }

  #offered(id: RuntimeId, { name, workers, addresses, held }: Offer): void {
    this.#do({ kind: 'host-joined', id, name, workers, addresses, held });
  }

  #wished(id: RuntimeId, { name, workers, weight }: Wish): { hosts: number } {
    this.#do({ kind: 'client-joined', id, name, wants: workers ?? Number.POSITIVE_INFINITY, weight });
    return { hosts: this.#state.hosts.size };
  }

  #do(event: ScheduleEvent): void {
    for (const effect of react(this.#state, event)) this.#effect(effect);
  }

  #effect(effect: ScheduleEffect): void {
    const { kernel } = this.#runtime;
    const { host, client } = effect;
    switch (effect.kind) {
      case 'grant': {
        const { slots, epoch } = effect;
        // The client is told once the host knows, so that it never attaches too early.
        kernel
          .ask(host.id, PORT.HOST, 'assign', [{ client, slots, epoch }], { timeout: ASSIGN_MS })
          .then(() => this.#tell(client, { kind: 'grant', host: host.id, hostName: host.name, addresses: host.addresses, slots, epoch }))
          .catch(() => {
            if (this.#state.hosts.has(host.id)) this.#do({ kind: 'freed', host: host.id, slots, epoch });
          });
        return;
      }
      case 'revoke':
        return this.#tell(client, { kind: 'revoke', host: host.id, slots: effect.slots });
      case 'drop': {
        const slots = heldBy(host, client);
        kernel
          .ask(host.id, PORT.HOST, 'dismiss', [client], { timeout: ASSIGN_MS })
          .catch(() => {})
          .finally(() => {
            if (this.#state.hosts.get(host.id) === host) this.#do({ kind: 'freed', host: host.id, slots, epoch: this.#state.epoch });
          });
      }
    }
  }

  #tell(client: RuntimeId, notice: SchedulerNotice): void {
    if (this.#runtime.kernel.peers.has(client)) this.#runtime.kernel.message(client, PORT.CLIENT, notice);
  }
}
