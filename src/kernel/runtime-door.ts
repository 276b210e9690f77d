// The doors of tasks, which every runtime has: through them others watch and end tasks, and cancel requests.
import { FlotillaError, toError } from '../base/index.ts';
import type { Doors } from './post/doors.ts';
import type { Post } from './post/post.ts';
import { RUNTIME, TERMINATE } from './protocol.ts';
import type { TaskEnd } from './tasks/reference.ts';
import type { TaskTable } from './tasks/table.ts';
import type { Watches } from './tasks/watch.ts';

/** The parts of a runtime that these doors lead to. */
export interface RuntimeParts extends Post {
  readonly doors: Doors;
  readonly tasks: TaskTable;
  readonly watches: Watches;
}

/** Opens the doors of tasks. */
export function serveRuntime(parts: RuntimeParts): void {
  parts.serve(
    RUNTIME,
    {
      watch: (_asked, number): TaskEnd | Promise<TaskEnd> => {
        const { task, end } = parts.tasks.find(number);
        if (end) return end;
        return (
          task?.ended ?? Promise.reject(new FlotillaError('ERR_TASK_UNKNOWN', `There is no task ${number} in '${parts.carrier.name}'.`))
        );
      },
      resume: (_asked, number, value) => parts.tasks.get(number)?.resume(value) ?? false,
      monitor: (_asked, watched, watcher) => parts.watches.add(watched, watcher),
    },
    {
      message(peer, notice) {
        if (notice.kind === 'cancel') parts.doors.cancelled(peer, notice.port, notice.id, notice.reason);
        else if (notice.kind === 'ended') parts.windows.ended(peer, notice.task);
        else throwInto(parts, notice.task, toError(notice.error));
      },
    },
  );
  parts.serve(TERMINATE, {}, { message: (_peer, { task, reason }) => parts.tasks.get(task)?.terminate(reason) });
}

function throwInto(parts: RuntimeParts, number: number, error: Error): void {
  const reply = parts.tasks.reply(number);
  if (reply) reply.throw(error);
  else parts.tasks.get(number)?.throw(error);
}
