// Notices of workers about calls under way: values of a stream, and progress. Each notice names a worker and the number of its call.
import type { RuntimeId } from '../../base/index.ts';
import type { Flight, Member, WorkState } from '../dispatch/work.ts';

/** Hears the notices about some work, whichever worker has it. */
export interface Follower {
  readonly item?: (value: unknown) => void;
  readonly progress?: ((done: number, total: number | undefined, note: string | undefined, member: Member) => void) | undefined;
}

/** The followers of one client's calls. */
export class Notices {
  readonly #open = new Map<string, { readonly heard: Follower; readonly flight: Flight }>();

  /** Follows some work from worker to worker; the function it returns must be told of each change of the work's state. */
  follow(heard: Follower): (state: WorkState) => void {
    let key: string | undefined;
    return (state) => {
      if (key !== undefined) this.#open.delete(key);
      key = undefined;
      if (state.kind !== 'running') return;
      key = keyOf(state.peer, state.call);
      this.#open.set(key, { heard, flight: state });
    };
  }

  item(worker: RuntimeId, call: number, value: unknown): void {
    this.#open.get(keyOf(worker, call))?.heard.item?.(value);
  }

  progress(worker: RuntimeId, call: number, done: number, total: number | undefined, note: string | undefined): void {
    const open = this.#open.get(keyOf(worker, call));
    open?.heard.progress?.(done, total, note, open.flight.member);
  }
}

function keyOf(worker: RuntimeId, call: number): string {
  return `${worker} ${call}`;
}
