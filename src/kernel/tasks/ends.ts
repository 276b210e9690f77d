// How tasks end that nobody can ask any more.
import { FlotillaError, toError } from '../../base/index.ts';
import type { TaskEnd } from './self.ts';

/** The end of a task whose runtime is gone. */
export function lostEnd(error: unknown): TaskEnd<never> {
  const lost = (error as { lost?: unknown }).lost;
  const kind = lost === 'worker' ? 'worker-lost' : 'host-lost';
  return { kind, error: toError(error) };
}

/** The error for a message to a task that has ended. */
export function taskEnded(): FlotillaError {
  return new FlotillaError('ERR_TASK_ENDED', 'The task has ended; the message was not delivered.');
}
