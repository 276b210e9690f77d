// Who has which worker place: plain data, and a check of all of it.
import { invariant, type RuntimeId } from '../../base/index.ts';

/** A host and its places: who holds each, under which epoch. */
export interface HostState {
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly workers: number;
  /** By slot number, from 1. */
  readonly held: Map<number, { readonly client: RuntimeId; readonly epoch: number; leaving: boolean }>;
}

/** A client: how much it wants, and its weight. */
export interface ClientState {
  readonly id: RuntimeId;
  readonly name: string;
  readonly wants: number;
  readonly weight: number;
  holds: number;
}

/** The whole state of a scheduler. */
export interface ScheduleState {
  readonly hosts: Map<RuntimeId, HostState>;
  readonly clients: Map<RuntimeId, ClientState>;
  /** Places nobody holds, over all hosts. */
  free: number;
  epoch: number;
}

export function emptyState(): ScheduleState {
  return { hosts: new Map(), clients: new Map(), free: 0, epoch: 0 };
}

/** Throws if the state contradicts itself. */
export function checkState(state: ScheduleState): void {
  const holds = new Map<RuntimeId, number>();
  let free = 0;
  for (const host of state.hosts.values()) {
    free += host.workers - host.held.size;
    for (const [slot, { client, epoch }] of host.held) {
      invariant(slot >= 1 && slot <= host.workers, 'a held place exists');
      invariant(epoch <= state.epoch, 'no place is held under an epoch to come');
      holds.set(client, (holds.get(client) ?? 0) + 1);
    }
  }
  invariant(free === state.free, 'the count of free places is right');
  for (const client of state.clients.values())
    invariant((holds.get(client.id) ?? 0) === client.holds, 'the count of what a client holds is right');
}
