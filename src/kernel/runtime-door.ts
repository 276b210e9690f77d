// The doors every runtime has: tasks are watched and ended through them, requests cancelled.
import { FlotillaError, toError } from '../base/index.ts';
import type { Kernel } from './post/kernel.ts';
import { RUNTIME, TERMINATE } from './protocol.ts';
import type { TaskEnd } from './tasks/self.ts';

/** Opens them. */
export function serveRuntime(kernel: Kernel): void {
  kernel.serve(
    RUNTIME,
    {
      watch: (_asked, number): TaskEnd | Promise<TaskEnd> => {
        const { task, end } = kernel.tasks.find(number);
        if (end) return end;
        return (
          task?.ended ?? Promise.reject(new FlotillaError('ERR_TASK_UNKNOWN', `There is no task ${number} in '${kernel.carrier.name}'.`))
        );
      },
      resume: (_asked, number, value) => kernel.tasks.get(number)?.resume(value) ?? false,
      monitor: (_asked, watched, watcher) => kernel.watches.add(watched, watcher),
    },
    {
      message(peer, notice) {
        if (notice.kind === 'cancel') kernel.doors.cancelled(peer, notice.port, notice.id, notice.reason);
        else if (notice.kind === 'ended') kernel.windows.ended(peer, notice.task);
        else throwInto(kernel, notice.task, toError(notice.error));
      },
    },
  );
  kernel.serve(TERMINATE, {}, { message: (_peer, { task, reason }) => kernel.tasks.get(task)?.terminate(reason) });
}

function throwInto(kernel: Kernel, number: number, error: Error): void {
  const reply = kernel.tasks.reply(number);
  if (reply) reply.throw(error);
  else kernel.tasks.get(number)?.throw(error);
}
