// The opening of a link: two runtimes tell each other which session it belongs to, and how much they have received.
import { anything, type Clock, FlotillaError, isOf, labelOf, list, measure, record, string } from '../../base/index.ts';
import type { Link } from '../../transport/index.ts';
import { decodeValue, encodeValue, KIND } from '../../wire/index.ts';
import { controlFrame, type Session, type SessionEnd } from './session.ts';

/** The first frame on a link. */
export interface Open {
  /** The sender's half of the session's name, the same as long as the session lasts. (The handshake has proved who the sender is.) */
  readonly token: string;
  /** The receiver's half, if the sender has been told it: a link with it belongs to that session. */
  readonly echo: string | undefined;
  /** Ordered frames that the sender has taken. */
  readonly received: number;
  /** How many sessions with the other side the sender has seen end: tells a fresh start from a link that came second. */
  readonly before: number;
  readonly name: string;
  readonly addresses: readonly string[];
}

/** An OPEN as bytes. */
export function openFrame(open: Open): Buffer {
  return controlFrame(KIND.OPEN, encodeValue(open));
}

const SAID = record<Omit<Open, 'echo' | 'addresses'> & { readonly echo: unknown; readonly addresses: readonly unknown[] }>({
  token: string,
  received: measure,
  echo: anything,
  before: measure,
  name: string,
  addresses: list,
});

/** Reads an OPEN. Throws ERR_WIRE_MALFORMED. */
export function readOpen(buffer: Buffer, start: number, end: number): Open {
  const open = decodeValue(buffer.subarray(start, end));
  if (!isOf(SAID, open)) throw new FlotillaError('ERR_WIRE_MALFORMED', 'The other side opened the link with something else than it must.');
  return {
    token: open.token,
    received: open.received,
    echo: isOf(string, open.echo) ? open.echo : undefined,
    before: open.before,
    name: labelOf(open.name),
    addresses: open.addresses.map(String).slice(0, 16),
  };
}

/** Whether the answer to our own OPEN fits the session as it is now: another link may have brought more meanwhile. */
export function answersUs(open: Open, session: Session): boolean {
  if (session.ended || open.echo !== session.token || session.received !== session.announced || open.received < session.acked) return false;
  return session.theirs === undefined || session.theirs === open.token;
}

/**
 * Judges an OPEN from a peer that dialled us, by the session we have with it, if any.
 *
 * `attach`: the link belongs to that session, or begins one. `anew`: the peer has lost ours and begins another. `tie`: both dialled,
 * and ours counts, or the link is older than the one there is. `unknown`: the peer means a session that we do not have.
 *
 * The tie of two dials: runtimes that need each other in the same moment dial each other, and two links come up where a session may
 * have one. Each side must give up the same link, and neither sees which of them the other has. So both go by what both know, their
 * ids: the link that the smaller id dialled counts, as long as its OPEN is under way (`oursCounts`).
 *
 *       A, the smaller id                        B
 *         |--- link 1: OPEN of A --------------->|   its own OPEN is under way, too, but A's counts: attach, and it answers
 *         |<-------------- link 2: OPEN of B ----|
 *    its own OPEN is under way, and counts: tie
 *         |--- link 2: BYE (tie) --------------->|   closes link 2, and finds the session open by link 1
 *
 * No further message is needed, and no time: should link 1 break before B has answered, A's OPEN is under way no longer, and the
 * next dial of either side is attached. An OPEN of B that arrives before A has sent its own is simply attached; A then ends the
 * connection that it was making. Links also overtake one another, so an OPEN may be older than what another link has brought: it
 * acknowledges less than we know to have been taken, or names a session that its sender has seen end. Such a link is a tie as well.
 */
export function judge(open: Open, session: Session | undefined, oursCounts: boolean): 'attach' | 'anew' | 'tie' | 'unknown' {
  if (open.echo !== undefined && open.echo !== session?.token) return 'unknown';
  if (!session) return 'attach';
  if (open.received < session.acked && session.theirs === open.token) return 'tie'; // sent before what another link has brought since
  if (session.theirs !== undefined && session.theirs !== open.token) return open.before > session.theirBefore ? 'anew' : 'tie';
  return session.state.kind === 'connecting' && oursCounts ? 'tie' : 'attach';
}

/** The reasons that a goodbye gives for closing a link. */
export const BYE = { closed: 0, tie: 1, unknown: 2, ignored: 3, parted: 4, terminated: 5 } as const;
/** The end of a session with a runtime that takes no new peers. */
export const IGNORED: SessionEnd = { kind: 'closed', message: 'it takes no new peers', code: 'ERR_PEERS_IGNORED', lives: true };
/** Ends of sessions between runtimes that may both live on. */
export const PARTED: { readonly [side in 'here' | 'there']: SessionEnd } = {
  here: { kind: 'closed', message: 'this runtime closed the session', lives: true },
  there: { kind: 'closed', message: 'the other side closed the session', lives: true },
};
const CLOSED: SessionEnd = { kind: 'closed', message: 'the other side closed' };
const TERMINATED: SessionEnd = { kind: 'closed', message: 'its worker was asked to end', terminated: 'all' };
/** The end of a session that a goodbye means. */
export function endOf(why: number | undefined): SessionEnd {
  return why === BYE.parted ? PARTED.there : why === BYE.terminated ? TERMINATED : CLOSED;
}
export const UNKNOWN: SessionEnd = { kind: 'gone', message: 'the other side no longer knows this session', lives: true };
export const ANEW: SessionEnd = { kind: 'gone', message: 'the other side began anew', lives: true };
/** Time for the other side to say which session a link belongs to. */
const OPEN_MS = 5_000;

/** What happens on a link, from its first frame on. */
export interface Opening {
  begin(): void;
  /** The other side's OPEN. */
  open(open: Open, opened: (session: Session) => void, failed: (why: string) => void): void;
  /** It said goodbye instead; what that is for whoever waits, if more is known than that the link is closed. */
  refused(why: number | undefined): Error | undefined;
  frame(session: Session, kind: number, target: number, buffer: Buffer, start: number, end: number): void;
  closed(session: Session | undefined, error: Error | undefined): void;
}

/** The error of whoever dialled a runtime that takes no new peers. */
export function ignoredBy(remote: string): FlotillaError {
  return new FlotillaError('ERR_PEERS_IGNORED', `${remote} takes no new peers: the 'ignorePeers' of the runtime there is true.`);
}

/** Starts a link; resolves when it is attached to a session. Rejects with ERR_LINK_LOST, or with why the other side refuses. */
export function awaitOpen(link: Link, clock: Clock, on: Opening): Promise<void> {
  return new Promise((resolve, reject) => {
    let session: Session | undefined;
    const timer = clock.after(OPEN_MS, () => link.destroy(), { background: true });
    const opened = (attached: Session): void => {
      session = attached;
      timer.cancel();
      resolve();
    };
    const failed = (why: string, error?: Error): void => {
      timer.cancel();
      reject(error ?? new FlotillaError('ERR_LINK_LOST', `${link.conn.remote}: ${why}.`));
    };
    link.start({
      frame: (kind, target, buffer, start, end) => {
        if (session) on.frame(session, kind, target, buffer, start, end);
        else if (kind === KIND.OPEN) on.open(readOpen(buffer, start, end), opened, failed);
        else if (kind === KIND.BYE) failed('it closed the link', on.refused(buffer[start]));
        else throw new FlotillaError('ERR_WIRE_MALFORMED', 'A frame came before the link was open.');
      },
      lander: {
        land: (...frame) => (session?.serves(link) ? session.land(...frame) : undefined),
        landed: (kind, target) => session?.serves(link) && session.landed(kind, target),
      },
      alive: () => {
        if (session) session.lastHeard = clock.now();
      },
      drain: () => session?.drained(),
      closed: (error) => {
        timer.cancel();
        on.closed(session, error);
        if (!session) failed(error?.message ?? 'it closed the link');
      },
    });
    on.begin();
  });
}
