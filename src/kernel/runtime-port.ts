// The door every runtime has: tasks are watched through it, requests cancelled.
import { FlotillaError } from '../base/index.ts';
import type { Kernel } from './kernel.ts';
import { methodPort, type Port } from './ports.ts';

/** What runtimes tell each other at the runtime door. */
export type RuntimeNotice =
  | { readonly kind: 'cancel'; readonly port: number; readonly id: number; readonly reason: unknown }
  | { readonly kind: 'ended'; readonly task: number };

/** The runtime door of a kernel. */
export function runtimePort(kernel: Kernel): Port {
  const methods = methodPort((peer, id, ok, value) => kernel.answer(peer, id, ok, value), {
    watch: (_asked, number: number): unknown => {
      const { task, end } = kernel.find(number);
      if (end) return end;
      return (
        task?.ended ?? Promise.reject(new FlotillaError('ERR_TASK_UNKNOWN', `There is no task ${number} in '${kernel.carrier.name}'.`))
      );
    },
  });
  return {
    ...methods,
    message(peer, value) {
      const notice = value as RuntimeNotice;
      if (notice.kind === 'cancel') kernel.cancelled(notice.port, peer, notice.id, notice.reason);
      else if (notice.kind === 'ended') kernel.windows.ended(peer, notice.task);
    },
  };
}
