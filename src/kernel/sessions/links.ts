// What rooms above may do to the sessions of a runtime.
import type { RuntimeId } from '../../base/index.ts';
import type { Conn } from '../../transport/index.ts';
import type { Keeps } from './keepers.ts';
import type { SessionEnd } from './session.ts';

/** The sessions of a runtime, as the rooms above have them. */
export interface Links {
  readonly options: {
    /** Milliseconds between signs of life. */
    readonly pulseMs: number;
    /** Milliseconds that an answer of a peer is waited for, where the asker does not say. */
    readonly answerMs: number;
  };
  /** Those who say whether a silent peer is held rather than lost. */
  readonly keepers: {
    /** Asks one more from now on; returns what ends that. */
    add(keeps: Keeps): () => void;
  };
  /** Changes the time between signs of life. */
  pace(ms: number): void;
  /** Ends the session with a peer, for a reason that whoever calls knows. */
  end(peer: RuntimeId, end: SessionEnd): void;
  /** Opens a session over a connection made elsewhere, whose end is the end of the peer. */
  adopt(conn: Conn, side: 'dialer' | 'listener'): Promise<RuntimeId>;
}
