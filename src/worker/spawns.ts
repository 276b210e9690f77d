// The tasks that a client starts on this worker, and those that it no longer wants while they start.
//
//   SW1. A task whose start was cancelled does not begin, or is terminated; its end is told.
import { FlotillaError, type RuntimeId } from '../base/index.ts';
import type { Loaded } from '../code/index.ts';
import type { Asked, TaskPost, TaskRef } from '../kernel/index.ts';
import type { Gauges } from './gauges.ts';

interface Spawned {
  ref: TaskRef<unknown, unknown> | undefined;
  cancelled: boolean;
}

/** Options of {@link Spawns}. */
export interface SpawnsOptions {
  readonly post: TaskPost;
  readonly gauges: Gauges;
  readonly turn: () => Promise<void>;
  /** Called when a task whose start was cancelled is no more. */
  readonly onSettled: (peer: RuntimeId, call: number) => void;
}

/** The tasks of one worker, by the request that started each. */
export class Spawns {
  readonly #options: SpawnsOptions;
  readonly #spawned = new Map<string, Spawned>();

  constructor(options: SpawnsOptions) {
    this.#options = options;
  }

  /** Starts a task. Rejects if its function cannot be loaded, and if it is no longer wanted then. */
  async start({ peer, id }: Asked, loading: Loaded | Promise<Loaded>, args: readonly unknown[]): Promise<TaskRef<unknown, unknown>> {
    const { post, gauges, turn, onSettled } = this.#options;
    const key = keyOf(peer, id);
    const spawned: Spawned = { ref: undefined, cancelled: false };
    const gone = (): void => {
      this.#spawned.delete(key);
      if (spawned.cancelled) onSettled(peer, id);
    };
    this.#spawned.set(key, spawned);
    try {
      const loaded = await loading;
      if (spawned.cancelled) throw new FlotillaError('ERR_CALL_CANCELLED', 'The start of the task was cancelled.');
      // The reference is on its way before the task first computes.
      spawned.ref = post.tasks.spawn(loaded, [...args], {}, (begin) => void turn().then(begin));
    } catch (error) {
      gone();
      throw error;
    }
    gauges.tasks(1);
    void spawned.ref.ended.then(() => {
      gauges.tasks(-1);
      gauges.done();
      gone();
    });
    return spawned.ref;
  }

  /** Cancels the start of a task that is no longer wanted. SW1 */
  cancel(peer: RuntimeId, id: number): void {
    const spawned = this.#spawned.get(keyOf(peer, id));
    if (!spawned) return this.#options.onSettled(peer, id);
    spawned.cancelled = true;
    spawned.ref?.terminate('its start was cancelled');
  }
}

function keyOf(peer: RuntimeId, id: number): string {
  return `${peer} ${id}`;
}
