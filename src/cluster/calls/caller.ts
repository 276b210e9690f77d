// What a call needs of its client, and what all calls have in common.
import { FlotillaError, toError } from '../../base/index.ts';
import type { Post, TaskRef } from '../../kernel/index.ts';
import type { CallOptions } from '../client/options.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { AnyFunction, Job } from '../dispatch/job.ts';
import type { Member, Work } from '../dispatch/work.ts';
import type { Follower, Notices } from './notices.ts';
import type { WorkReport } from './work-report.ts';

/** Something that runs calls of one client. */
export interface Caller {
  readonly post: Post;
  readonly dispatcher: Dispatcher;
  readonly jobs: {
    /** The function as a job. */
    of(fn: AnyFunction): Job;
    /** An error of a worker, with its stack in the user's own files and its place. */
    mapError(error: unknown, member: Member | undefined): unknown;
  };
  /** Tells of tasks. */
  readonly report: WorkReport;
  readonly notices: Notices;
  /** Spawned tasks that have not ended. */
  readonly tasks: Set<TaskRef<unknown>>;
  /** Why nothing will ever run at a place; undefined if it may, or if no place is named. */
  refuses(at: string | undefined): Error | undefined;
  /** Resolves when a job's code is where it must be; nothing is idle until then. */
  prepared(job: Job): Promise<void>;
  /** Submits work; it is given to workers once its function's code is where it must be. */
  submit(work: Work): void;
}

/** No options at all: the way of most calls, and the shortest. */
export const PLAIN: CallOptions = Object.freeze({});

/** What a caller's abort becomes: the reason itself, as everywhere in JavaScript. */
export function aborted(reason: unknown): Error {
  return toError(reason ?? new FlotillaError('ERR_ABORTED', 'The signal was aborted.'));
}

/** Tells of a call's progress, and who reports it. */
export function progressOf(onProgress: NonNullable<CallOptions['onProgress']>): Follower['progress'] {
  return (done, total, note, { info: { name: worker } }) => onProgress({ done, total, note, worker });
}
