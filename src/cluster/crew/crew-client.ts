// What a crew is told, needs of its client, and remembers.
import type { Log, RuntimeId } from '../../base/index.ts';
import type { Library } from '../../code/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Tally } from '../dispatch/tally.ts';
import type { WorkerSlot } from '../schedule/index.ts';
import type { Limits } from './limits.ts';
import type { Provision } from './provision.ts';

/** A line that a worker printed, or logged. */
export interface OutputLine {
  readonly worker: string;
  readonly stream: 'stdout' | 'stderr' | 'log';
  readonly text: string;
}

/** How a client wants its hosts and workers. */
export interface CrewOptions {
  readonly disableHosts: boolean;
  readonly disableWorkers: boolean;
  readonly restartWorkers: boolean;
  readonly abandonZombieHosts: boolean | number;
}

/** What a crew needs of its client. */
export interface CrewClient {
  readonly runtime: Runtime;
  readonly dispatcher: Dispatcher;
  readonly library: Library;
  readonly provision: () => Provision;
  readonly log: Log;
  readonly options: CrewOptions;
  /** How much is wanted of each host. */
  readonly limits: Limits;
}

/** What a crew tells its scheduler, which hears it once it is there. */
export interface CrewScheduler {
  /** Whether that is who it is. */
  is(peer: RuntimeId): boolean;
  /** It is silent, or heard again. */
  offline(offline: boolean): void;
  /** One place is given instead of another that was asked for. */
  swaps(asked: WorkerSlot, given: WorkerSlot): void;
  /** Nothing is known here of places that are said to be held. */
  lacks(host: RuntimeId, slots: readonly number[], epoch: number): void;
}

/** What is known of a worker there was. */
export interface Past {
  readonly host: string;
  readonly tally: Tally;
}

/** Takes over the pulse of a host that cannot give signs of life as often as this client would. */
export function agreePulse(runtime: Runtime, host: string, ms: number, log: Log): void {
  const { pulseMs } = runtime.hub.options;
  if (ms <= pulseMs) return;
  log.warn(`Host '${host}' gives a sign of life every ${ms / 1000} s at most, not every ${pulseMs / 1000} s.`);
  runtime.hub.pace(ms);
}
