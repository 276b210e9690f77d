// Takes work back that a slow worker has not begun, when another worker has nothing to do.
import type { Timer } from '../../base/index.ts';
import { WORKER } from '../../host/index.ts';
import type { Post } from '../../kernel/index.ts';
import { isSlow, SLOW_MS } from './estimate.ts';
import { isBeside } from './order.ts';
import type { Flight, Member } from './work.ts';

// Whether a worker could work, and has nothing to do.
function idle({ state, pause, alone, stopping, inFlight }: Member): boolean {
  return state === 'ready' && pause === 0 && !alone && stopping.size === 0 && inFlight.size === 0;
}

// Whether work waits behind other work on a worker.
function behind({ inFlight, io }: Member): boolean {
  return inFlight.size - io > 1;
}

/** Looks for slow workers while others are idle. */
export class Recaller {
  readonly #post: Post;
  readonly #members: readonly Member[];
  readonly #noneWaits: () => boolean;
  readonly #recalled: (flights: readonly Flight[]) => void;
  readonly #asked = new Set<Member>();
  #timer: Timer | undefined;

  /** `recalled` gets the flights that their worker will not begin, last first, as each goes to the front of the queue. */
  constructor(post: Post, members: readonly Member[], noneWaits: () => boolean, recalled: (flights: readonly Flight[]) => void) {
    this.#post = post;
    this.#members = members;
    this.#noneWaits = noneWaits;
    this.#recalled = recalled;
  }

  /** Looks again after a while, if a worker is idle while work waits behind other work. */
  watch(): void {
    if (this.#timer || !this.#members.some(behind) || !this.#members.some(idle)) return;
    const { clock } = this.#post;
    const look = (): void => {
      this.#timer = undefined;
      if (!this.#noneWaits() || !this.#members.some(idle)) return;
      const now = clock.now();
      for (const member of this.#members) {
        if (this.#asked.has(member) || !behind(member) || member.pause !== 0 || !isSlow(member.time, now)) continue;
        this.#asked.add(member);
        void recallFrom(this.#post, member).then((flights) => {
          this.#asked.delete(member);
          this.#recalled(flights.reverse());
        });
      }
      this.watch();
    };
    this.#timer = clock.after(SLOW_MS, look, { background: true });
  }
}

// Asks a worker for the work that it has not begun; returns, in order, the flights that it lets go. None if it does not answer.
async function recallFrom(post: Post, member: Member): Promise<Flight[]> {
  const waiting = [...member.inFlight].filter(({ work }) => !isBeside(work) && work.kind !== 'task').slice(1);
  if (waiting.length === 0) return [];
  try {
    const calls = waiting.map((flight) => flight.call);
    // No time limit: the worker may have let go already, and that work is nobody's until the answer comes, or the worker is lost.
    const recalled = new Set(await post.at(member.info.id, WORKER).recall(calls));
    return waiting.filter((flight) => recalled.has(flight.call));
  } catch {
    return []; // the worker is lost, which its session tells
  }
}
