// For whom a host works, as it knows them: who grants its places, and who may have processes beside them.
//
// Handed in, because a host knows neither schedulers nor clients: whatever opens the door TENANT can have processes on machines.
import type { RuntimeId } from '../base/index.ts';

/** What a host asks of, and tells to, whoever it works for. */
export interface Tenants {
  /** Whether a peer says who has which places. */
  grants(peer: RuntimeId): boolean;
  /** A peer wants to say from now on who has which places. Throws ERR_HOST_TAKEN. */
  enlist(peer: RuntimeId): void;
  /** Where the one is reached who says who has which places; nowhere if nobody else may. */
  owner(): readonly string[];
  /** The most processes beside places that a peer may have here at a time; 0: it may have none. */
  processes(peer: RuntimeId): number;
  /** Places are free again; `gone`: the tenant whose they were is dead, or was given up. */
  freed(tenant: RuntimeId, slots: readonly number[], epoch: number, gone: boolean): void;
  /** A tenant is gone, and all it had here. */
  left(tenant: RuntimeId): void;
  /** There is room for a tenant that was turned away. */
  vacant(): void;
}
