// Makes references, sends and receives them. A reference to a task of this runtime comes home as that task.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import type { Gone } from '../peers/gone.ts';
import type { TaskRef } from '../tasks/reference.ts';
import type { TaskTable } from '../tasks/table.ts';
import { EndedRef, RemoteRef, TASK_CODE, type TaskRefHome } from '../tasks/task-refs.ts';
import { Reference, type RefWire } from './ref-base.ts';

/** The parts of a runtime that its references need. */
export interface ReferencesHome extends TaskRefHome {
  readonly gone: Gone;
  readonly tasks: Pick<TaskTable, 'addReply' | 'find' | 'reply'>;
}

/** Makes references of one kind from those that travelled: `local`, if they point into this runtime, else `remote`. */
export interface RefKind {
  readonly code: number;
  remote(wire: RefWire): Reference;
  local(wire: RefWire): unknown;
}

/** Turns references into their travelling form, and back. */
export class References {
  readonly #home: ReferencesHome;
  readonly #kinds = new Map<number, RefKind>();

  constructor(home: ReferencesHome) {
    this.#home = home;
    this.add({
      code: TASK_CODE,
      remote: (wire) => new RemoteRef(home, wire),
      local: (wire) => {
        const { task, end } = home.tasks.find(wire.number);
        if (task) return task.ref;
        const reply = home.tasks.reply(wire.number);
        if (reply) return reply;
        const unknown = new FlotillaError('ERR_TASK_UNKNOWN', `Task '${wire.name}' ended long ago.`);
        return new EndedRef(home, wire, end ?? { kind: 'threw', error: unknown });
      },
    });
  }

  /** Makes a reference to a task of another runtime. */
  remote(wire: RefWire): TaskRef<unknown> {
    return new RemoteRef(this.#home, wire);
  }

  add(kind: RefKind): void {
    this.#kinds.set(kind.code, kind);
  }

  knows(code: number): boolean {
    return this.#kinds.has(code);
  }

  replace(value: object): { code: number; payload: RefWire } | undefined {
    if (!(value instanceof Reference)) return undefined;
    return { code: value.code, payload: value.travel(this.#home) };
  }

  /** Gives a reference as this runtime has it: one of another runtime of this process is taken as if it had arrived. */
  own<T>(value: T): T {
    if (!(value instanceof Reference) || value.home === this.#home) return value;
    return this.revive(value.code, value.travel(this.#home), undefined) as T;
  }

  revive(code: number, wire: RefWire, from: RuntimeId | undefined): unknown {
    const kind = this.#kinds.get(code);
    if (
      !kind ||
      typeof wire?.runtime !== 'string' ||
      typeof wire.number !== 'number' ||
      typeof wire.name !== 'string' ||
      !Array.isArray(wire.addresses)
    ) {
      throw new FlotillaError('ERR_WIRE_MALFORMED', 'A reference that is none arrived.');
    }
    const runtime = wire.runtime as RuntimeId;
    if (runtime === this.#home.id) return kind.local(wire); // KE2
    if (!this.#home.peers.has(runtime)) this.#home.gone.heard(runtime, wire.lost);
    this.#home.carrier.reach(runtime, wire.addresses, from === runtime ? undefined : from);
    return kind.remote(wire);
  }
}
