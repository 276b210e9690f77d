// A host's tie to a scheduler that it was told of: the host offers itself, and again whenever the scheduler has been away.
import { Backoff, defined, hasCode, type Log, type RuntimeId, randomFraction, sleep, toError } from '../../base/index.ts';
import type { Host } from '../../host/index.ts';
import type { Runtime } from '../../kernel/index.ts';
import { SCHEDULER } from '../protocol.ts';
import type { Allegiance } from './allegiance.ts';

const WARN_MS = 10_000;

/** A host, its allegiance, and the scheduler to join. */
export interface Enlisting {
  readonly runtime: Runtime;
  readonly host: Host;
  readonly allegiance: Allegiance;
  /** The address of the scheduler. */
  readonly address: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Whether the address is only a guess, so that no answer is no news. */
  readonly quiet: boolean;
}

/** Keeps a host enlisted at an address until the signal aborts. */
export async function enlist({ runtime, host, allegiance, address, log, signal, quiet }: Enlisting): Promise<void> {
  const { clock, random } = runtime.environment;
  const backoff = new Backoff({ firstMs: 100, mostMs: 3_000, random: () => randomFraction(random) });
  let warnedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      while (quiet && allegiance.scheduler) await allegiance.other(signal);
      const scheduler: RuntimeId = await runtime.connect(address, { timeout: runtime.links.options.answerMs, signal });
      if (runtime.post.peers.get(scheduler)?.role === 'scheduler' && (!allegiance.scheduler || allegiance.grants(scheduler) || !quiet)) {
        allegiance.join(scheduler);
        await offer(runtime, host, allegiance, signal);
        log.info(`Joined the scheduler at ${address}.`);
        backoff.reset();
        warnedAt = Number.NEGATIVE_INFINITY;
        while (allegiance.grants(scheduler)) await allegiance.other(signal);
        log.warn(`The scheduler at ${address} is gone; what runs goes on. Trying again.`);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!quiet && clock.now() - warnedAt > WARN_MS) {
        warnedAt = clock.now();
        const again = hasCode(error, 'ERR_LINK_WRONG_SECRET')
          ? ''
          : ` Start one there with 'flotilla scheduler', or name another with --scheduler.`;
        log.warn(`The scheduler at ${address} cannot be joined: ${toError(error).message}${again} Trying again.`);
      }
    }
    await sleep(clock, backoff.next(), signal).catch(() => {});
  }
}

/** Tells a host's scheduler what the host offers now. */
export async function offer(runtime: Runtime, host: Host, { scheduler }: Allegiance, signal?: AbortSignal): Promise<void> {
  if (!scheduler) return;
  const options = { timeout: runtime.links.options.answerMs, ...defined({ signal }) };
  await runtime.post.at(scheduler, SCHEDULER, options).offer(host.offer);
}
