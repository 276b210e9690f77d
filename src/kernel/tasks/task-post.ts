// The post of a runtime together with its tasks and names, for the rooms above.
import type { Registry } from '../names/registry.ts';
import type { Post } from '../post/post.ts';
import type { Place } from './place.ts';
import type { TaskTable } from './table.ts';

/** The post of a runtime, with its tasks and names. */
export interface TaskPost extends Post {
  /** The place where tasks run, as they see it. */
  place: Place;
  readonly tasks: TaskTable;
  readonly names: Registry;
}
