// Opens a session with the runtime that answers at an address, and tries for as long as the caller waits.
//
//   CON1. If a session with the one that answers is open, the address leads to it: no second link is made for it.
//   CON2. One OPEN of ours is under way to a peer at a time; other callers wait for the session that comes of it.
//   CON3. A failure that may pass in a moment (a busy door, a connection that broke) is tried again until the time is over.
import { Backoff, hasCode, type RuntimeId, randomFraction, sleep } from '../../base/index.ts';
import { type Address, type Conn, type Dial, dialAndGreet, formatAddress, type Greeted, type Self } from '../../transport/index.ts';
import { untilOpen } from './heartbeat.ts';
import type { HubOptions } from './hub-options.ts';
import type { Session } from './session.ts';

const AGAIN = { firstMs: 30, mostMs: 1_000 } as const;

/** The parts of a hub that connecting needs. */
interface Home {
  readonly self: Self;
  readonly options: HubOptions;
  readonly dialer: {
    readonly closing: AbortSignal;
    isOpening(peer: RuntimeId): boolean;
    reach(peer: RuntimeId, addresses: readonly string[]): void;
    way(address: Address, timeoutMs: number, signal?: AbortSignal): Dial;
    attach(conn: Conn, greeted: Greeted, session: Session): Promise<void>;
  };
  isOpen(peer: RuntimeId): boolean;
  sessionFor(peer: RuntimeId): Session;
}

/** How long to try, and a signal that ends it before. */
export interface Trying {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves with the runtime that answers, once a session with it is open. Rejects with ERR_LINK_*, ERR_PEERS_IGNORED or the signal's reason. */
export async function connectTo(hub: Home, address: Address, { timeoutMs, signal }: Trying): Promise<RuntimeId> {
  const { clock, random } = hub.options.environment;
  const backoff = new Backoff({ ...AGAIN, random: () => randomFraction(random) });
  const until = clock.now() + timeoutMs;
  const [stop, release] = either(hub.dialer.closing, signal);
  try {
    for (;;) {
      try {
        return await connectOnce(hub, address, { timeoutMs: until - clock.now(), signal: stop });
      } catch (error) {
        const wait = backoff.next();
        if (stop.aborted || !passes(error) || clock.now() + wait >= until) throw error;
        await sleep(clock, wait, stop);
      }
    }
  } finally {
    release();
  }
}

async function connectOnce(hub: Home, address: Address, { timeoutMs, signal }: Trying): Promise<RuntimeId> {
  const { clock } = hub.options.environment;
  const since = clock.now();
  const { conn, greeted } = await dialAndGreet(hub.dialer.way(address, timeoutMs, signal), hub.self, {
    purpose: 'session',
    timeoutMs,
  });
  const { id } = greeted;
  hub.dialer.reach(id, [formatAddress(hub.options.environment.networks, address)]);
  if (hub.isOpen(id))
    conn.end(); // CON1
  else if (hub.dialer.isOpening(id)) {
    conn.end();
    await untilOpen(hub.sessionFor(id), clock, Math.max(1, timeoutMs - (clock.now() - since)), signal); // CON2
  } else {
    await hub.dialer.attach(conn, greeted, hub.sessionFor(id)).catch((error: unknown) => {
      if (!hub.isOpen(id)) throw error; // the session was opened by a link of the other side, which came first
    });
  }
  return id;
}

// CON3
function passes(error: unknown): boolean {
  return hasCode(error, 'ERR_LINK_LOST') || hasCode(error, 'ERR_SESSION_LOST') || (error as { passing?: boolean }).passing === true;
}

// Gives a signal that aborts with the first of two, and a function that takes its listeners off both.
function either(one: AbortSignal, other: AbortSignal | undefined): [AbortSignal, () => void] {
  if (!other) return [one, () => {}];
  const both = new AbortController();
  const abort = (): void => both.abort(one.aborted ? one.reason : other.reason);
  const signals = [one, other];
  if (signals.some((signal) => signal.aborted)) abort();
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  return [both.signal, () => signals.forEach((signal) => void signal.removeEventListener('abort', abort))];
}
