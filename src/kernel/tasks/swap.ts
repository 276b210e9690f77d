// Replacing the function of a running task.
import { FlotillaError } from '../../base/index.ts';
import type { Post } from '../post/post.ts';
import type { TaskRef } from './reference.ts';
import type { TaskFunction } from './self.ts';
import type { TaskTable } from './table.ts';

/** Where a function is replaced. */
export interface SwapHome extends Pick<Post, 'id' | 'clock'> {
  readonly tasks: Pick<TaskTable, 'get'>;
}

/** Offers a task of this runtime another function, for as long as an answer is waited for. Rejects with ERR_TASK_UNKNOWN. */
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
