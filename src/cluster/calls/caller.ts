// The caller: the part of a client that calls use, and helpers that all kinds of calls share.
import { FlotillaError, toError } from '../../base/index.ts';
import type { Post, TaskRef } from '../../kernel/index.ts';
import type { CallOptions } from '../client/options.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { AnyFunction, Job } from '../dispatch/job.ts';
import type { Member, Work } from '../dispatch/work.ts';
import type { Follower, Notices } from './notices.ts';
import type { WorkReport } from './work-report.ts';

/** A client, as its calls see it. */
export interface Caller {
  readonly post: Post;
  readonly dispatcher: Dispatcher;
  readonly jobs: {
    /** The function as a job. */
    of(fn: AnyFunction): Job;
    /** Turns a worker's error into the caller's: its stack points into the user's own files, and it names the worker. */
    mapError(error: unknown, member: Member | undefined): unknown;
  };
  /** Tells listeners of tasks. */
  readonly report: WorkReport;
  readonly notices: Notices;
  /** Spawned tasks that have not ended. */
  readonly tasks: Set<TaskRef<unknown>>;
  /** Why nothing will ever run at a place; undefined if it may, or if no place is named. */
  refuses(at: string | undefined): Error | undefined;
  /** Resolves when a job's code is on the hosts; the client is not idle until then. */
  prepared(job: Job): Promise<void>;
  /** Submits work; it is given to workers once its function's code is where it must be. */
  submit(work: Work): void;
}

/** No options at all. Most calls have none, and take a shorter way that is recognized by this object. */
export const PLAIN: CallOptions = Object.freeze({});

/** The error of an aborted call: the abort's reason itself, as everywhere in JavaScript. */
export function aborted(reason: unknown): Error {
  return toError(reason ?? new FlotillaError('ERR_ABORTED', 'The signal was aborted.'));
}

/** Makes a follower's `progress` that tells the caller how far a call is, and which worker says so. */
export function progressOf(onProgress: NonNullable<CallOptions['onProgress']>): Follower['progress'] {
  return (done, total, note, { info: { name: worker } }) => onProgress({ done, total, note, worker });
}
