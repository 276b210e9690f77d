// Tells a client's listeners of each change, with its time and number.
import { type Clock, Events, type Log, toError } from '../../base/index.ts';
import type { Change, ClusterEvent } from '../events.ts';

/** The events of one client. */
export class Telling extends Events<ClusterEvent> {
  readonly #clock: Clock;
  #told = 0;

  constructor(clock: Clock, log: Log) {
    super((error) => log.error(`A listener of events threw: ${toError(error).message}`));
    this.#clock = clock;
  }

  override emit(change: Change): void {
    this.#told++;
    if (this.size > 0) super.emit(this.#stamped(change));
  }

  /** Changes of before, for who comes later: each with the number of the last one told, so that those that follow are newer. */
  again(changes: readonly Change[]): ClusterEvent[] {
    return changes.map((change) => this.#stamped(change));
  }

  #stamped(change: Change): ClusterEvent {
    return { ...change, time: Math.round(this.#clock.wall()), sequence: this.#told };
  }
}
