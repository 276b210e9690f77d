// The parts of a client, made in the order in which they need each other.
import type { Log } from '../../base/index.ts';
import type { Library } from '../../code/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import { Calls } from '../calls/calls.ts';
import { Jobs } from '../calls/jobs.ts';
import { WorkReport } from '../calls/work-report.ts';
import { partsOf } from '../crew/components.ts';
import { Crew, type CrewParts } from '../crew/crew.ts';
import { Limits } from '../crew/limits.ts';
import { Orders } from '../crew/orders.ts';
import { Places } from '../crew/places.ts';
import { Provision } from '../crew/provision.ts';
import { asSetUp } from '../crew/set-up.ts';
import { emptyCrew } from '../crew/state.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { WorkQueue } from '../dispatch/queue.ts';
import { Telling } from '../events.ts';
import { joinNames } from './join-names.ts';
import type { ClientOptions } from './options.ts';
import { printLine } from './output.ts';
import { OwnCode } from './private.ts';
import { Rules } from './rules.ts';

/** The things that a client is made from. */
export interface Ingredients {
  readonly runtime: Runtime;
  readonly options: ClientOptions;
  readonly library: Library;
  readonly log: Log;
  readonly warn: (text: string) => void;
}

/** The parts of one client. */
export interface Assembly {
  readonly jobs: Jobs;
  readonly dispatcher: Dispatcher;
  readonly provision: Provision;
  /** The functions of this process, for an inline client. */
  readonly own: OwnCode;
  readonly limits: Limits;
  readonly rules: Rules;
  readonly crew: Crew;
  readonly orders: Orders;
  readonly places: Places;
  readonly calls: Calls;
}

/** Makes the parts of a client. Throws ERR_OPTION_*. */
export function assemble(from: Ingredients): Assembly {
  const { runtime, options, library, log, warn } = from;
  const { post, environment } = runtime;
  const { clock } = environment;
  const inline = options.inline === true;
  const jobs = new Jobs({ runtime, library, inline });
  const dispatcher = new Dispatcher({ post, queue: new WorkQueue(), mapError: jobs.mapError });
  const events = new Telling(clock, log);
  const report = new WorkReport(clock, events, dispatcher);
  const limits = new Limits();
  const own = new OwnCode();
  const { provision, crew, orders } = crewOf(from, { jobs, dispatcher, events, limits });
  const places = new Places({ clock, crew, dispatcher, warn });
  const rules = new Rules({ given: options.hosts ?? [], environment, events, warn });
  const calls = new Calls({ post, dispatcher, jobs, code: inline ? own : provision, places, report });
  joinNames(runtime, crew);
  report.tell(options, warn);
  return { jobs, dispatcher, provision, own, limits, rules, crew, orders, places, calls };
}

// Makes the crew, and the parts that provide for it.
function crewOf(
  { runtime, options, log }: Ingredients,
  made: Pick<CrewParts, 'dispatcher' | 'events' | 'limits'> & { readonly jobs: Jobs },
): Pick<Assembly, 'provision' | 'crew' | 'orders'> {
  const { jobs, ...others } = made;
  const { disableHosts = false, disableWorkers = false, restartWorkers = false, abandonZombieHosts = false, output } = options;
  const state = emptyCrew();
  const provision = new Provision({
    runtime,
    jobs,
    parts: partsOf(options.components ?? []),
    hostSetUp: asSetUp('hostSetUp', options.hostSetUp),
    workerSetUp: asSetUp('workerSetUp', options.workerSetUp),
    crew: state,
  });
  const parts: CrewParts = {
    ...others,
    runtime,
    provision,
    state,
    log,
    options: { disableHosts, disableWorkers, restartWorkers, abandonZombieHosts },
    output: output === 'ignore' ? () => {} : typeof output === 'function' ? output : printLine,
    mapStack: (text) => jobs.library.mapStack(text),
  };
  const crew = new Crew(parts);
  return { provision, crew, orders: new Orders(crew, parts) };
}
