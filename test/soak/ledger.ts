// What the soak has done and seen: actions, results, kills; and the promises that were broken.
//
//   L1. A failure that one of the soak's own kills explains is no broken promise. Cuts and silences explain none.
//   L2. Nor is the loss of a worker on which a stopped call computed on: the soak leaves maps early, and that is what it costs.
import type { Excuse } from './protocol.ts';

const KILL_SLACK_MS = 1_000;
// News that a process is dead may wait on a link that is held, or for a client that is stopped.
const KILL_NEWS_MS = 10_000;
const TELLS_OF_KILL = /it was killed \(SIGKILL\)|it has been restarted|nothing listens there/;
const TELLS_OF_STOP = /it was ended: call \d+ did not end in time/;
const KEPT_LINES = 400;
const MOST_CHARACTERS = 1_000;

/** A promise that did not hold. */
export interface Broken {
  readonly atMs: number;
  readonly text: string;
}

/** The account of one soak. */
export class Ledger {
  readonly actions = new Map<string, number>();
  readonly checked = new Map<string, number>();
  readonly broken: Broken[] = [];
  /** Failures that kills explain. */
  excused = 0;
  /** What happened last, for people. */
  readonly journal: string[] = [];
  onBroken: (broken: Broken) => void = () => {};
  onLine: (line: string) => void = () => {};
  readonly #started = Date.now();
  readonly #killed = new Set<number>();
  #lastKill = 0;

  get elapsedMs(): number {
    return Date.now() - this.#started;
  }

  acted(action: string, on: string): void {
    this.actions.set(action, (this.actions.get(action) ?? 0) + 1);
    this.note(`${action} ${on}`);
  }

  right(what: string, count: number): void {
    this.checked.set(what, (this.checked.get(what) ?? 0) + count);
  }

  /** The soak is about to kill these workers. */
  kills(pids: readonly number[]): void {
    for (const pid of pids) this.#killed.add(pid);
    this.#lastKill = Date.now();
  }

  wasKilled(pid: number): boolean {
    return this.#killed.has(pid);
  }

  /** A promise was broken, unless a kill explains it. L1 */
  claim(sentence: string, excuse?: Excuse): void {
    // What was printed last is what tells.
    const half = MOST_CHARACTERS / 2;
    const text = sentence.length > MOST_CHARACTERS ? `${sentence.slice(0, half)} ... ${sentence.slice(-half)}` : sentence;
    const slack = TELLS_OF_KILL.test(sentence) ? KILL_NEWS_MS : KILL_SLACK_MS;
    const explained =
      TELLS_OF_STOP.test(sentence) || // L2
      excuse?.pids?.some((pid) => this.#killed.has(pid)) ||
      (excuse?.killsSince !== undefined && this.#lastKill >= excuse.killsSince - slack);
    this.note(`${explained ? 'explained' : 'BROKEN'}: ${text}`);
    if (explained) {
      this.excused++;
      return;
    }
    const broken = { atMs: this.elapsedMs, text };
    this.broken.push(broken);
    this.onBroken(broken);
  }

  note(text: string): void {
    const line = `${(this.elapsedMs / 1_000).toFixed(2).padStart(8)} ${text.slice(0, MOST_CHARACTERS * 4)}`;
    this.journal.push(line);
    if (this.journal.length > KEPT_LINES) this.journal.shift();
    this.onLine(line);
  }

  get results(): number {
    return [...this.checked].reduce((sum, [what, count]) => sum + (what === 'printed bytes' ? 0 : count), 0);
  }
}
