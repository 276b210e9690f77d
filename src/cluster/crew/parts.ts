// What a crew is made of, and how its client wants it.
import type { Log } from '../../base/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { OutputLine, Telling } from '../events.ts';
import type { Limits } from './limits.ts';
import type { Provision } from './provision.ts';
import type { CrewState } from './state.ts';
import type { Station } from './station.ts';

/** How a client wants its hosts and workers. */
export interface CrewOptions {
  readonly disableHosts: boolean;
  readonly disableWorkers: boolean;
  readonly restartWorkers: boolean;
  readonly abandonZombieHosts: boolean | number;
}

/** What a crew is made of. */
export interface CrewParts {
  readonly runtime: Runtime;
  readonly dispatcher: Dispatcher;
  readonly provision: Provision;
  /** How much is wanted of each host. */
  readonly limits: Limits;
  /** No hosts and workers, as yet. */
  readonly state: CrewState;
  readonly events: Telling;
  readonly log: Log;
  readonly options: CrewOptions;
  /** Takes the lines that workers print. */
  readonly output: (line: OutputLine) => void;
  /** The text of a worker, with its stacks in the user's own files. */
  readonly mapStack: (text: string) => string;
}

/** Something about a host that others act upon, and why. */
export interface StationEnd {
  readonly station: Station;
  readonly reason: string;
}
