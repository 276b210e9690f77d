// Places that are asked back in one reaction, and places that may stay after all, gathered by client and host.
import type { RuntimeId } from '../../base/index.ts';
import { admits, alternatives, appetite, donor, isShut, isWaiting } from './choose.ts';
import type { ScheduleEffect } from './react.ts';
import { ask, askedOf, type ClientState, type HostState, type ScheduleState } from './state.ts';

interface Gathered {
  readonly host: HostState;
  readonly client: RuntimeId;
  readonly slots: number[];
}

/** Asks places back, or lets them stay. */
export class AskedBack {
  readonly #state: ScheduleState;
  readonly #gathered = new Map<string, { readonly kind: 'revoke' | 'keep'; readonly for: readonly ClientState[]; readonly of: Gathered }>();

  constructor(state: ScheduleState) {
    this.#state = state;
  }

  get effects(): ScheduleEffect[] {
    return [...this.#gathered.values()].map(({ kind, for: needy, of }) => {
      if (kind === 'keep') return { kind, ...of };
      const from = this.#state.clients.get(of.client);
      return { kind, ...of, among: from && alternatives(this.#state, from, needy) };
    });
  }

  /** Asks once more for what was asked of a client before. */
  again(from: ClientState): void {
    const needy = [...this.#state.clients.values()].filter((one) => one !== from && isWaiting(one, one.holds));
    for (const { host, slot, held } of askedOf(this.#state, from)) {
      ask(this.#state, held);
      this.#add('revoke', host, from, slot, needy);
    }
  }

  /** One of the places that a client was asked for, the latest, may stay. */
  keep(client: ClientState): void {
    const [latest] = askedOf(this.#state, client).sort((a, b) => a.held.asked - b.held.asked);
    if (!latest) return;
    ask(this.#state, latest.held, false);
    this.#add('keep', latest.host, client, latest.slot, []);
  }

  /** Asks the client that can best spare it for a place that `needy`, which holds so many, would take; false if none can. */
  revokeFor(needy: ClientState, holds: number): boolean {
    const excluded = new Set<ClientState>();
    for (let from = donor(this.#state, needy, holds, excluded); from; from = donor(this.#state, needy, holds, excluded)) {
      if (this.#revoke(from, needy)) return true;
      excluded.add(from);
    }
    return false;
  }

  #revoke(from: ClientState, needy: ClientState): boolean {
    for (const [id, slots] of from.on) {
      const host = this.#state.hosts.get(id);
      if (!host?.open || appetite(needy, id) <= 0 || !admits(host, needy)) continue;
      for (const slot of slots) {
        const held = host.held.get(slot);
        if (!held || held.asked > 0 || isShut(needy, id, slot)) continue;
        ask(this.#state, held);
        this.#add('revoke', host, from, slot, [needy]);
        return true;
      }
    }
    return false;
  }

  #add(kind: 'revoke' | 'keep', host: HostState, { id }: ClientState, slot: number, needy: readonly ClientState[]): void {
    const key = `${kind} ${host.id} ${id} ${needy.map((one) => one.id).join()}`;
    const known = this.#gathered.get(key);
    if (known) known.of.slots.push(slot);
    else this.#gathered.set(key, { kind, for: needy, of: { host, client: id, slots: [slot] } });
  }
}
