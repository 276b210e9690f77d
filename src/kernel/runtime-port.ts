// The door every runtime has: tasks are watched through it, requests cancelled.
import { FlotillaError, toError } from '../base/index.ts';
import type { Kernel } from './post/kernel.ts';
import type { Port } from './post/ports.ts';
import type { TaskRef } from './tasks/reference.ts';
import type { TaskEnded } from './tasks/self.ts';

/** What runtimes tell each other at the runtime door. */
export type RuntimeNotice =
  | { readonly kind: 'cancel'; readonly port: number; readonly id: number; readonly reason: unknown }
  | { readonly kind: 'ended'; readonly task: number }
  | { readonly kind: 'throw'; readonly task: number; readonly error: Error };

/** The runtime door of a kernel. */
export function runtimePort(kernel: Kernel): Port {
  const methods = kernel.methods({
    watch: (_asked, number: number): unknown => {
      const { task, end } = kernel.tasks.find(number);
      if (end) return end;
      return (
        task?.ended ?? Promise.reject(new FlotillaError('ERR_TASK_UNKNOWN', `There is no task ${number} in '${kernel.carrier.name}'.`))
      );
    },
    resume: (_asked, number: number, value: unknown): boolean => kernel.tasks.get(number)?.resume(value) ?? false,
    monitor: (_asked, watched: TaskRef<never>, watcher: TaskRef<TaskEnded>): void => kernel.watches.add(watched, watcher),
  });
  return {
    ...methods,
    message(peer, value) {
      const notice = value as RuntimeNotice;
      if (notice.kind === 'cancel') kernel.cancelled(notice.port, peer, notice.id, notice.reason);
      else if (notice.kind === 'ended') kernel.windows.ended(peer, notice.task);
      else if (notice.kind === 'throw') throwInto(kernel, notice.task, toError(notice.error));
    },
  };
}

function throwInto(kernel: Kernel, number: number, error: Error): void {
  const reply = kernel.tasks.reply(number);
  if (reply) reply.throw(error);
  else kernel.tasks.get(number)?.throw(error);
}
