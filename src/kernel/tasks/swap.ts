// Replaces the function of a running task.
//
// A running function cannot be stopped from outside, so the swap is an offer: at its next wait the task gets an error. If the function
// lets it pass, it has ended by itself, and the new one takes over the mailbox, the names and the watchers.
import { FlotillaError } from '../../base/index.ts';
import type { Post } from '../post/post.ts';
import type { TaskRef } from './reference.ts';
import type { TaskFunction } from './self.ts';
import type { TaskTable } from './table.ts';

/** The parts of a runtime that a swap needs. */
export interface SwapHome extends Pick<Post, 'id' | 'clock'> {
  readonly tasks: Pick<TaskTable, 'get'>;
}

/** Offers a task of this runtime another function, and takes the offer back after `answerMs`. Rejects with ERR_TASK_UNKNOWN. */
export async function swapTask(
  home: SwapHome,
  ref: TaskRef<never>,
  fn: TaskFunction<never, never[], unknown>,
  args: readonly unknown[],
  answerMs: number,
): Promise<boolean> {
  const task = ref.runtime === home.id ? home.tasks.get(Number(ref.id.split('/')[1])) : undefined;
  if (!task)
    throw new FlotillaError(
      'ERR_TASK_UNKNOWN',
      `'${ref.name}' is no task of this runtime that runs; a function is replaced where the task is.`,
    );
  const answer = task.swap(fn, args);
  const timer = home.clock.after(answerMs, () => task.withdraw());
  return answer.finally(() => timer.cancel());
}
