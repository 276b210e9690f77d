// Lets tasks on the workers of a client find each other by name. They ask through the client, because a worker knows nobody else.
import type { Runtime } from '../../kernel/index.ts';
import type { Crew } from '../crew/crew.ts';

/** Joins the names of a client's workers, as they come. */
export function joinNames({ post }: Runtime, { members, events }: Crew): void {
  const { family } = post.names;
  family.among(members);
  events.on((event) => {
    if (event.kind === 'worker-initialized') family.more();
  });
}
