// Notices when the user's thread of a worker no longer answers calls, although nothing of the user's runs there.
//
//   AW1. A look counts only while nothing runs: a thread that computes answers later, and that is in order.
//   AW2. Looks are counted, not time: a machine that was stopped, or is busy, has not had the time that has passed.
import type { Clock } from '../../base/index.ts';

const LOOK_MS = 2_000;
const MOST_LOOKS = 5;

/** Options of {@link watchAnswers}. */
export interface Answering {
  readonly clock: Clock;
  readonly idle: () => boolean;
  /** Sends a probe the way a call goes; calls back when it is answered. */
  readonly ask: (answered: () => void) => void;
  /** Called once, when no answer has come in all looks. */
  readonly onSilent: () => void;
}

/** Asks for an answer every while, as long as the process lives. */
export function watchAnswers({ clock, idle, ask, onSilent }: Answering): void {
  let asked = false;
  let unanswered = 0;
  const look = (): void => {
    if (!idle())
      unanswered = 0; // AW1
    else if (!asked) {
      asked = true;
      ask(() => {
        asked = false;
        unanswered = 0;
      });
    } else if (++unanswered >= MOST_LOOKS) return onSilent(); // AW2
    clock.after(LOOK_MS, look, { background: true });
  };
  clock.after(LOOK_MS, look, { background: true });
}
