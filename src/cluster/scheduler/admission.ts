// Turns a client's wish into the event by which the schedule takes the client in.
import type { RuntimeId } from '../../base/index.ts';
import type { Wish } from '../protocol.ts';
import type { ScheduleEvent } from '../schedule/index.ts';

/** The event of a client's wish: its quota and turn follow the scheduler's rules, its waiting time the scheduler's clock. */
export function asClient(
  id: RuntimeId,
  { name, workers, weight, exclusive, picky, limits, waited }: Wish,
  rules: { readonly exclusive?: boolean; readonly quotas?: ReadonlyMap<string, number> },
  now: number,
): ScheduleEvent {
  const quota = rules.quotas?.get(name) ?? rules.quotas?.get('*') ?? Number.POSITIVE_INFINITY;
  const wants = Math.min(workers ?? Number.POSITIVE_INFINITY, quota);
  const alone = rules.exclusive === true || exclusive;
  return { kind: 'client-joined', id, name, wants, weight, exclusive: alone, picky, limits, now, since: now - waited };
}
