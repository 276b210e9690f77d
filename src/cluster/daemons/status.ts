// Questions to a scheduler from outside: the state of its cluster, and why clients wait.
import { FlotillaError, hasCode, type RuntimeId, toError } from '../../base/index.ts';
import { Runtime } from '../../kernel/index.ts';
import { wholeAddress } from '../../transport/index.ts';
import { type ClusterStatus, SCHEDULER, SCHEDULER_PORT } from '../protocol.ts';

const ASK_MS = 10_000;

/** Why the work of a client waits. */
export interface Explained {
  readonly id: RuntimeId;
  readonly client: string;
  readonly says: readonly string[];
}

/** A scheduler as it is asked from outside. */
export interface SchedulerView {
  status(): Promise<ClusterStatus>;
  /** Why the work of a client waits, or that of each, in lines for people. */
  explain(client?: string): Promise<readonly string[]>;
  /** The same, client by client. */
  explainEach(client?: string): Promise<readonly Explained[]>;
  close(): Promise<void>;
}

/** Connects with a scheduler, to ask it; close the view when done. Rejects with ERR_CLUSTER_NO_SCHEDULER. */
export async function askScheduler(address: string, options: { readonly timeout?: number } = {}): Promise<SchedulerView> {
  const runtime = await Runtime.start({ name: 'status' });
  const timeout = options.timeout ?? ASK_MS;
  try {
    const text = wholeAddress(runtime.environment.networks, address, SCHEDULER_PORT);
    const scheduler = await runtime.connect(text, { timeout }).catch((error: unknown) => {
      if (!hasCode(error, 'ERR_LINK_UNREACHABLE')) throw error;
      throw new FlotillaError(
        'ERR_CLUSTER_NO_SCHEDULER',
        `No scheduler answers at ${text}: ${toError(error).message} Start one with 'flotilla scheduler', or name another.`,
        { cause: error },
      );
    });
    const asked = runtime.post.at(scheduler, SCHEDULER, { timeout });
    const status = (): Promise<ClusterStatus> => asked.status();
    const explain = (client?: string): Promise<readonly string[]> => asked.explain(client);
    return {
      status,
      explain,
      async explainEach(which) {
        const { clients } = await status();
        const asked = clients.filter(({ id, name }) => which === undefined || name === which || id.startsWith(which));
        return Promise.all(asked.map(async ({ id, name }) => ({ id, client: name, says: (await explain(id)).map((line) => line.trim()) })));
      },
      close: () => runtime.close(),
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** Asks a scheduler once for the state of its cluster. Rejects with ERR_CLUSTER_NO_SCHEDULER. */
export async function fetchStatus(address: string, options: { readonly timeout?: number } = {}): Promise<ClusterStatus> {
  const scheduler = await askScheduler(address, options);
  try {
    return await scheduler.status();
  } finally {
    await scheduler.close();
  }
}
