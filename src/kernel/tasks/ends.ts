// The ends of tasks that cannot be asked any more, because they have ended or their runtime is gone.
import { FlotillaError, toError } from '../../base/index.ts';
import type { TaskEnd } from './reference.ts';

/** The end of a task whose runtime is gone: `terminated` if it was ended on purpose, else `worker-lost` or `host-lost`. */
export function lostEnd(error: unknown, task: number): TaskEnd<never> {
  const { lost, terminated, reason } = error as { lost?: unknown; terminated?: unknown; reason?: unknown };
  if (terminated === 'all' || terminated === task) {
    const why = new FlotillaError('ERR_TASK_INTERRUPTED', `The task was ended: ${String(reason)}.`, { cause: error });
    return { kind: 'terminated', error: why };
  }
  const kind = lost === 'worker' ? 'worker-lost' : 'host-lost';
  return { kind, error: toError(error) };
}

/** The error for a message to a task that has ended. */
export function taskEnded(): FlotillaError {
  return new FlotillaError('ERR_TASK_ENDED', 'The task has ended; the message was not delivered.');
}
