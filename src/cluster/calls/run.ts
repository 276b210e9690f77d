// One application of a function: a promise for its result.
import { FlotillaError, onAbort, type Timer } from '../../base/index.ts';
import type { CallOptions } from '../client/options.ts';
import type { AnyFunction } from '../dispatch/job.ts';
import { termsOf } from '../dispatch/order.ts';
import { newCall, newWork, type Promised } from '../dispatch/work.ts';
import { aborted, type Caller, PLAIN, progressOf } from './caller.ts';

/** Runs a function on a worker. Rejects with the error that it threw, or with a FlotillaError. */
export function runCall(caller: Caller, fn: AnyFunction, args: readonly unknown[], options: CallOptions): Promise<unknown> {
  const { signal, timeout } = options;
  if (signal?.aborted) return Promise.reject(aborted(signal.reason));
  const job = caller.jobs.of(fn);
  if (options === PLAIN) return new Promise((resolve) => caller.submit(newCall(job, args, resolve)));
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const { onProgress } = options;
    const promised: Promised = {
      settle(ok, value) {
        timer?.cancel();
        off();
        if (ok) resolve(value);
        else reject(value);
      },
      ...(onProgress && { moved: caller.notices.follow({ progress: progressOf(onProgress) }) }),
    };
    const work = newWork({ kind: 'call', job, args, weight: 1, ...termsOf(options) }, promised);
    const off = onAbort(signal, () => caller.dispatcher.cancel(work, aborted(signal?.reason)));
    if (timeout !== undefined) {
      timer = caller.post.clock.after(timeout, () => {
        const end =
          work.state.kind === 'waiting'
            ? `begun within ${timeout} ms: no worker that it may have was free. client.explain() says what each of them does`
            : `done within ${timeout} ms; it was stopped`;
        caller.dispatcher.cancel(work, new FlotillaError('ERR_TIMEOUT', `'${job.label}' was not ${end}.`));
      });
    }
    caller.submit(work);
  });
}
