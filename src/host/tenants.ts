// The contract of a host with those it works for: who grants its places, and who may have processes beside them.
//
// It is handed in, because a host knows neither schedulers nor clients: any program that opens the door TENANT can have processes here.
import type { RuntimeId } from '../base/index.ts';

/** A host asks here whom it works for, and tells here what becomes of its tenants. */
export interface Tenants {
  /** Whether a peer may grant the places. */
  grants(peer: RuntimeId): boolean;
  /** A peer wants to grant the places from now on. Throws ERR_HOST_TAKEN. */
  enlist(peer: RuntimeId): void;
  /** The addresses of the one that grants the places; none if no other does. */
  owner(): readonly string[];
  /** The most processes beside places that a peer may have here at a time; 0: it may have none. */
  processes(peer: RuntimeId): number;
  /** Places are free again; `gone`: the tenant that had them is dead, or was given up. */
  freed(tenant: RuntimeId, slots: readonly number[], epoch: number, gone: boolean): void;
  /** A tenant is gone, and all it had here. */
  left(tenant: RuntimeId): void;
  /** There is room for a tenant that was turned away. */
  vacant(): void;
}
