// Monitors: a task hears of the end of another, exactly once, whatever became of that task, its runtime or the session.
//
// The watch is where the watcher is, since only there every end can be seen: a runtime that is gone cannot say that its tasks are gone,
// but the end of the session with it says so. A watcher that is gone itself needs no notice.
//
//   WA1. The watcher's own runtime watches, so the end of no other runtime can take the watch away.
//   WA2. A pair of watcher and watched gives one notice, however often it was asked for.
import type { Post } from '../post/post.ts';
import { RUNTIME } from '../protocol.ts';
import type { TaskEnded, TaskRef } from './reference.ts';

/** The pairs that one runtime watches. */
export class Watches {
  readonly #pairs = new Set<string>();

  get size(): number {
    return this.#pairs.size;
  }

  /** Tells a task of this runtime when another ends. */
  add(watched: TaskRef<never>, watcher: TaskRef<TaskEnded>): void {
    const pair = `${watcher.id} ${watched.id}`;
    if (this.#pairs.has(pair)) return; // WA2
    this.#pairs.add(pair);
    void watched.ended.then((end) => {
      this.#pairs.delete(pair);
      try {
        watcher.send({ kind: 'task-ended', task: watched, end });
      } catch {} // send() has thrown because the watcher's mailbox is far past its window: such a task does not read its notices
    });
  }
}

/** The parts of a runtime that watches need. */
export interface WatchHome extends Pick<Post, 'id' | 'at'> {
  readonly references: { own<T>(value: T): T };
  readonly watches: Watches;
}

/** Has `watcher` told when `watched` ends; resolves once the watcher's runtime watches. */
export async function notify(home: WatchHome, watched: TaskRef<never>, watcher: TaskRef<TaskEnded>): Promise<void> {
  const who = home.references.own(watcher);
  if (who.runtime === home.id) home.watches.add(watched, who);
  else await home.at(who.runtime, RUNTIME).monitor(watched, who); // WA1
}
