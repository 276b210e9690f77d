// Waits for a client's first worker: without limit unless a timeout is given, and with a warning now and then.
import { type Clock, Deferred, FlotillaError, hasCode, onAbort, type Timer, toError } from '../../base/index.ts';
import type { Crew } from '../crew/crew.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { ClientOptions } from './options.ts';

const WARN_MS = 5_000;
const FAILURES_ARE_FINAL = 3;

/** The parts of a client that the wait looks at. */
export interface FirstWorker {
  readonly clock: Clock;
  readonly crew: Crew;
  readonly dispatcher: Dispatcher;
  readonly options: ClientOptions;
  readonly warn: (text: string) => void;
  /** Whether the workers are this machine's own: then processes that do not start are an error. */
  readonly local: boolean;
  readonly explain: () => string | undefined;
  /** Aborts when the client closes. */
  readonly closing: AbortSignal;
}

/** Resolves when there is a worker. Rejects with ERR_CLUSTER_NO_WORKERS, ERR_HOST_START or the signal's reason. */
export async function firstWorker({ clock, crew, dispatcher, options, warn, local, explain, closing }: FirstWorker): Promise<void> {
  if (dispatcher.members.length > 0) return;
  const { timeout, signal } = options;
  const waits = !(options.disableHosts || options.disableWorkers);
  const ready = new Deferred<void>();
  const started = clock.now();
  const why = (): string =>
    (local ? undefined : explain()) ??
    `the workers of this machine do not start${crew.state.lastFailure ? `: ${crew.state.lastFailure.message}` : ''}`;
  const off = crew.events.on((event) => {
    if (event.kind === 'worker-initialized') return ready.resolve();
    if (event.kind !== 'host-failed' && event.kind !== 'worker-failed') return;
    // A setup that failed will fail again, so the wait is over; a process that does not start may start next time.
    const setUp = hasCode(crew.state.lastFailure, 'ERR_HOST_SET_UP');
    const own = local && (setUp || event.kind === 'host-failed' || crew.state.failures >= FAILURES_ARE_FINAL);
    const alone = setUp && waits && [...crew.stations.values()].every(({ name }) => name === event.host);
    if (own || alone) ready.reject(crew.state.lastFailure ?? new FlotillaError('ERR_HOST_START', event.reason));
  });
  let warning: Timer | undefined;
  const again = (): void => {
    warning = clock.after(WARN_MS, () => {
      warn(`still waiting for a worker after ${Math.round((clock.now() - started) / 1000)} s: ${why()}`);
      again();
    });
  };
  again();
  const timer =
    timeout === undefined
      ? undefined
      : clock.after(timeout, () =>
          ready.reject(new FlotillaError('ERR_CLUSTER_NO_WORKERS', `No worker was granted within ${timeout} ms: ${why()}`)),
        );
  const offSignal = onAbort(signal, () => ready.reject(toError(signal?.reason)));
  const offClosing = onAbort(closing, () => ready.resolve());
  try {
    await ready.promise;
  } finally {
    off();
    warning?.cancel();
    timer?.cancel();
    offSignal();
    offClosing();
  }
}
