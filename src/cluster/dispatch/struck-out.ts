// Work that was lost with its workers as often as it may be.
import { FlotillaError } from '../../base/index.ts';
import type { Loss } from './work.ts';

/** The error for work that was lost as often as it may be. */
export function struckOut(work: { readonly job: { readonly label: string }; readonly strikes: number }, loss: Loss): FlotillaError {
  const printed = loss.lastLines.length > 0 ? ` Its last lines:\n${loss.lastLines.slice(-8).join('\n')}` : '';
  const details = { details: { worker: loss.worker, attempts: work.strikes } };
  if (work.strikes > 1) {
    return new FlotillaError(
      'ERR_CALL_KILLS_WORKERS',
      `'${work.job.label}' was lost with its worker ${work.strikes} times and is not tried again. Last on ${loss.worker}: ${loss.reason}.${printed}`,
      details,
    );
  }
  return new FlotillaError(
    'ERR_WORKER_LOST',
    `'${work.job.label}' was lost with worker ${loss.worker}: ${loss.reason}.${printed}`,
    details,
  );
}
