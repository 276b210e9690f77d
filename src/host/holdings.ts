// The places of a host, and who holds each: the numbered ones, not the processes that tenants have beside them.
import type { RuntimeId } from '../base/index.ts';
import type { Assignment, SlotReport } from './protocol.ts';
import type { Slot } from './slot.ts';

/** The places that are held, by number. */
export class Holdings {
  readonly #slots = new Map<number, Slot>();

  get(number: number): Slot | undefined {
    return this.#slots.get(number);
  }

  add(slot: Slot): void {
    this.#slots.set(slot.number, slot);
  }

  remove({ number }: Slot): void {
    this.#slots.delete(number);
  }

  /** The places of a tenant. */
  of(tenant: RuntimeId): Slot[] {
    return [...this.#slots.values()].filter((slot) => slot.client === tenant);
  }

  /** A place, if this tenant holds it. */
  mine(tenant: RuntimeId, number: number): Slot | undefined {
    const slot = this.#slots.get(number);
    return slot?.client === tenant ? slot : undefined;
  }

  /** Sorts these places: `lacking` are those that the tenant does not hold, `held` those that it holds under an epoch that is not later. */
  known(tenant: RuntimeId, slots: readonly number[], epoch: number): { readonly lacking: number[]; readonly held: number[] } {
    const epochOf = (number: number): number | undefined => this.mine(tenant, number)?.epoch;
    return {
      lacking: slots.filter((number) => epochOf(number) === undefined),
      held: slots.filter((number) => (epochOf(number) ?? Number.POSITIVE_INFINITY) <= epoch),
    };
  }

  /** The place whose process is this worker. */
  where(worker: RuntimeId): Slot | undefined {
    for (const slot of this.#slots.values()) if (slot.worker === worker) return slot;
    return undefined;
  }

  /** All grants, one place each. */
  get granted(): Assignment[] {
    return [...this.#slots.values()].map(({ client, number, epoch }) => ({ client, slots: [number], epoch }));
  }

  report(now: number): SlotReport[] {
    return [...this.#slots.values()].map((slot) => slot.report(now));
  }
}
