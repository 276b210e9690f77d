// Tasks that a client starts on workers: each has its worker to itself, unless `io`.
import { FlotillaError, onAbort } from '../../base/index.ts';
import type { TaskRef } from '../../kernel/index.ts';
import type { CallOptions } from '../client/options.ts';
import type { AnyFunction } from '../dispatch/job.ts';
import { isBeside, termsOf } from '../dispatch/order.ts';
import { newWork, type Promised } from '../dispatch/work.ts';
import { aborted, type Caller } from './caller.ts';

/** Starts a function as a task on a worker; resolves with a reference to it. */
export function spawnTask(caller: Caller, fn: AnyFunction, args: readonly unknown[], options: CallOptions): Promise<TaskRef<unknown>> {
  const { signal, timeout } = options;
  if (signal?.aborted) return Promise.reject(aborted(signal.reason));
  const job = caller.jobs.of(fn);
  return new Promise((resolve, reject) => {
    const timer =
      timeout === undefined
        ? undefined
        : caller.post.clock.after(timeout, () =>
            caller.dispatcher.cancel(
              work,
              new FlotillaError(
                'ERR_TIMEOUT',
                `The task '${job.label}' was not started within ${timeout} ms: no worker was free. A task has a worker to itself; with({ io: n }) lets several share one.`,
              ),
            ),
          );
    const promised: Promised = {
      settle(ok, value, member) {
        timer?.cancel();
        off();
        if (!ok) return reject(value);
        const ref = value as TaskRef<unknown>;
        const { info, ended } = caller.report.task(work, member, ref);
        if (member && !isBeside(work)) member.alone = true;
        member?.tasks.set(ref, info);
        caller.tasks.add(ref);
        void ref.ended.then((end) => {
          if ('error' in end) caller.jobs.mapError(end.error, member);
          caller.tasks.delete(ref);
          member?.tasks.delete(ref);
          if (member && !isBeside(work)) member.alone = false;
          ended(end);
          if (member) caller.dispatcher.drained(member);
          caller.dispatcher.pump();
        });
        resolve(ref);
      },
    };
    const work = newWork({ kind: 'task', job, args, weight: 1, ...termsOf(options, { io: 0, retries: 0 }) }, promised);
    const off = onAbort(signal, () => caller.dispatcher.cancel(work, aborted(signal?.reason)));
    caller.submit(work);
  });
}
