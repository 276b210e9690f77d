// Greeting, version, proof: nothing unauthenticated passes this file, and nothing is decoded before it.
//
//   HS1. Before the other side has proved that it knows the secret, only fixed-size greetings are read.
//   HS2. The dialer proves itself first; a listener proves nothing to a stranger.
//   HS3. Both proofs cover both greetings, so neither can be replayed or turned around.
//   HS4. A handshake ends within its time, whatever the other side does.
//   HS5. Each side proves that it has the key that its id was made from, so that another runtime with the secret cannot pose as it.
//   HS6. Both proofs cover what only the two ends of this connection share, so nobody stands between them: the keys of TLS, or,
//       where a connection is plain, both ends' addresses. Where those differ, as behind a forwarded port, it must be TLS.
import { type Clock, FlotillaError, hasCode, type RandomBytes, type RuntimeId, toHex } from '../base/index.ts';
import { agreeVersion, LIMITS, VERSION } from '../wire/index.ts';
import type { Certificate, Conn } from './contract.ts';
import { type Identity, idOf } from './identity.ts';
import { type Keyring, type Keys, ROLES, type Role } from './keys.ts';

const MAGIC = 0x464c544c; // FLTL
const REFUSAL = 0x464c5458; // FLTX
const GREETING_BYTES = 96;
const REFUSAL_BYTES = 8;
const PROOF_BYTES = 32;
const NO_ID = '0'.repeat(32);
/** How long a handshake may take: five round trips across the world and a busy machine. */
export const HANDSHAKE_MS = 5_000;

/** The use that a connection is opened for. */
export type Purpose = 'session' | 'pulse';
const PURPOSES: readonly Purpose[] = ['session', 'pulse'];

/** The reasons for which a listener refuses. */
const REFUSALS = ['unknown', 'secret', 'version', 'stale', 'busy', 'exposed', 'certificate'] as const;
type RefusalReason = (typeof REFUSALS)[number];

/** This side of a handshake. */
export interface Self {
  readonly identity: Pick<Identity, 'id' | 'publicKey' | 'agree'>;
  readonly role: Role;
  readonly keys: Keyring;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** With it, connections that leave this process are encrypted by certificates. */
  readonly certificate?: Certificate | undefined;
}

/** The other side, as a completed handshake has proved it, and the bytes that came right after. */
export interface Greeted {
  readonly id: RuntimeId;
  readonly role: Role;
  readonly purpose: Purpose;
  readonly version: number;
  readonly rest: Buffer;
}

interface Greeting {
  readonly oldest: number;
  readonly newest: number;
  readonly role: Role;
  readonly purpose: Purpose;
  readonly keyId: string;
  readonly publicKey: Buffer;
  readonly id: RuntimeId;
  readonly expected: string;
}

/** The wishes of a dialer: the runtime that should answer, and how long it waits, HANDSHAKE_MS at most. */
export interface Wanted {
  readonly purpose: Purpose;
  readonly expected?: RuntimeId;
  readonly keys?: Keys;
  readonly timeoutMs?: number;
}

/** Greets as the one that dialled. Rejects with ERR_LINK_*, or ERR_REFERENCE_STALE when another runtime answers. */
export function greetAsDialer(conn: Conn, self: Self, options: Wanted): Promise<Greeted> {
  const keys = options.keys ?? self.keys.current;
  const mine = writeGreeting(self, keys, options.purpose, options.expected ?? NO_ID);
  conn.write(mine);
  const ms = Math.min(options.timeoutMs ?? HANDSHAKE_MS, HANDSHAKE_MS);
  return exchange(conn, self.clock, ms, async (read) => {
    const theirs = await readGreeting(read, conn);
    const { greeting, bytes } = theirs;
    const { version } = checkGreeting(greeting, self, conn, 'dialer', keys);
    const agreed = self.identity.agree(greeting.publicKey); // HS5
    const transcript = Buffer.concat([mine, bytes, Buffer.from(conn.binding('dialer'))]); // HS3, HS6
    conn.write(keys.prove(self.role, 'dialer', agreed, transcript));
    const proof = await readOrRefusal(read, PROOF_BYTES, conn);
    if (!keys.verify(greeting.role, 'listener', agreed, transcript, proof)) throw unproven(conn);
    if (options.expected && greeting.id !== options.expected) throw staleError(conn);
    return { id: greeting.id, role: greeting.role, purpose: options.purpose, version };
  });
}

/** Greets as the one that was dialled. Rejects with ERR_LINK_* after telling the other side why. */
export function greetAsListener(conn: Conn, self: Self): Promise<Greeted> {
  return exchange(conn, self.clock, HANDSHAKE_MS, async (read) => {
    const { greeting, bytes } = await readGreeting(read, conn);
    let version: number;
    let keys: Keys;
    try {
      ({ version, keys } = checkGreeting(greeting, self, conn, 'listener', undefined));
    } catch (error) {
      refuse(conn, hasCode(error, 'ERR_LINK_VERSION') ? 'version' : 'secret');
      throw error;
    }
    const mine = writeGreeting(self, keys, greeting.purpose, greeting.id);
    conn.write(mine);
    const agreed = self.identity.agree(greeting.publicKey); // HS5
    const transcript = Buffer.concat([bytes, mine, Buffer.from(conn.binding('listener'))]); // HS3, HS6
    const proof = await read(PROOF_BYTES);
    if (!keys.verify(greeting.role, 'dialer', agreed, transcript, proof)) {
      refuse(conn, conn.exposed ? 'exposed' : 'secret');
      throw unproven(conn);
    }
    if (greeting.expected !== NO_ID && greeting.expected !== self.identity.id) {
      refuse(conn, 'stale');
      throw staleError(conn);
    }
    conn.write(keys.prove(self.role, 'listener', agreed, transcript)); // HS2
    return { id: greeting.id, role: greeting.role, purpose: greeting.purpose, version };
  });
}

/** Tells a stranger that it is refused, and hangs up. */
export function refuse(conn: Conn, reason: RefusalReason): void {
  const bytes = Buffer.alloc(REFUSAL_BYTES);
  bytes.writeUInt32BE(REFUSAL, 0);
  bytes[4] = REFUSALS.indexOf(reason);
  conn.write(bytes);
  conn.end();
}

type Read = (bytes: number) => Promise<Buffer>;

// Runs a handshake over a connection that nobody reads yet; HS4.
function exchange(conn: Conn, clock: Clock, ms: number, run: (read: Read) => Promise<Omit<Greeted, 'rest'>>): Promise<Greeted> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0);
    let wanted: { bytes: number; resolve: (bytes: Buffer) => void; reject: (error: Error) => void } | undefined;
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      wanted?.reject(failure);
    };
    const timer = clock.after(ms, () => {
      fail(
        new FlotillaError(
          'ERR_LINK_UNREACHABLE',
          `${conn.remote} did not complete the handshake within ${Math.round(ms) / 1000} s. Is it a Flotilla runtime?`,
          { details: { passing: true } },
        ),
      );
    });
    conn.start({
      data(chunk) {
        if (failure) return; // a dialer that was refused may go on sending for a while
        held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
        if (wanted && held.length >= wanted.bytes) {
          const want = wanted;
          wanted = undefined;
          const bytes = held.subarray(0, want.bytes);
          held = held.subarray(want.bytes);
          want.resolve(bytes);
        }
        if (held.length > LIMITS.greeting)
          fail(new FlotillaError('ERR_LINK_REFUSED', `${conn.remote} sent too much before it proved itself.`));
      },
      drain() {},
      closed(error) {
        fail(
          new FlotillaError(
            'ERR_LINK_LOST',
            `The connection to ${conn.remote} closed during the handshake.`,
            error ? { cause: error } : undefined,
          ),
        );
      },
    });
    const read: Read = (bytes) =>
      new Promise((resolveRead, rejectRead) => {
        if (held.length >= bytes) {
          const taken = held.subarray(0, bytes);
          held = held.subarray(bytes);
          resolveRead(taken);
        } else if (failure) rejectRead(failure);
        else wanted = { bytes, resolve: resolveRead, reject: rejectRead };
      });
    run(read)
      .then((greeted) => {
        if (failure) throw failure;
        resolve({ ...greeted, rest: held });
      })
      .catch((error: unknown) => {
        conn.end();
        reject(error);
      })
      .finally(() => timer.cancel());
  });
}

function writeGreeting(self: Self, keys: Keys, purpose: Purpose, expected: string): Buffer {
  const bytes = Buffer.alloc(GREETING_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes[4] = VERSION.oldest;
  bytes[5] = VERSION.newest;
  bytes[6] = ROLES.indexOf(self.role);
  bytes[7] = PURPOSES.indexOf(purpose);
  bytes.write(keys.id, 8, 8, 'hex');
  bytes.set(self.random(32), 16);
  bytes.set(self.identity.publicKey, 48);
  bytes.write(expected, 80, 16, 'hex');
  return bytes;
}

async function readGreeting(read: Read, conn: Conn): Promise<{ greeting: Greeting; bytes: Buffer }> {
  const head = await readOrRefusal(read, REFUSAL_BYTES, conn);
  if (head.readUInt32BE(0) !== MAGIC) {
    throw new FlotillaError('ERR_LINK_REFUSED', `${conn.remote} is not a Flotilla runtime: its first bytes are no greeting.`);
  }
  const bytes = Buffer.concat([head, await read(GREETING_BYTES - REFUSAL_BYTES)]); // HS1
  const role = ROLES[bytes.readUInt8(6)];
  const purpose = PURPOSES[bytes.readUInt8(7)];
  if (!role || !purpose)
    throw new FlotillaError('ERR_LINK_VERSION', `${conn.remote} has a role or purpose that this version does not know.`);
  return {
    bytes,
    greeting: {
      oldest: bytes.readUInt8(4),
      newest: bytes.readUInt8(5),
      role,
      purpose,
      keyId: toHex(bytes.subarray(8, 16)),
      publicKey: bytes.subarray(48, 80),
      id: idOf(bytes.subarray(48, 80)),
      expected: toHex(bytes.subarray(80, 96)),
    },
  };
}

async function readOrRefusal(read: Read, bytes: number, conn: Conn): Promise<Buffer> {
  const head = await read(Math.min(bytes, REFUSAL_BYTES));
  if (head.readUInt32BE(0) === REFUSAL) {
    const reason = REFUSALS[head.readUInt8(4)] ?? 'unknown';
    if (reason === 'secret') throw wrongSecret(conn, 'it says that they differ');
    if (reason === 'stale') throw staleError(conn);
    if (reason === 'exposed') throw exposedError(conn);
    if (reason === 'certificate')
      throw wrongCertificate(conn, 'it says that it has another than this runtime, or that one of them is not valid');
    if (reason === 'version')
      throw new FlotillaError(
        'ERR_LINK_VERSION',
        `${conn.remote} speaks another protocol version. Install the same major version of flotilla on both.`,
      );
    throw new FlotillaError('ERR_LINK_REFUSED', `${conn.remote} refused the connection (${reason}).`, {
      details: { passing: reason === 'busy' },
    });
  }
  return bytes > head.length ? Buffer.concat([head, await read(bytes - head.length)]) : head;
}

function checkGreeting(
  greeting: Greeting,
  self: Self,
  conn: Conn,
  side: 'dialer' | 'listener',
  meant: Keys | undefined,
): { version: number; keys: Keys } {
  const version = agreeVersion(VERSION, greeting);
  if (version === undefined) {
    throw new FlotillaError(
      'ERR_LINK_VERSION',
      `${conn.remote} speaks protocol versions ${greeting.oldest} to ${greeting.newest}, this runtime ${VERSION.oldest} to ${VERSION.newest}.`,
    );
  }
  const keys = meant?.id === greeting.keyId ? meant : meant ? undefined : self.keys.find(greeting.keyId);
  if (!keys) throw wrongSecret(conn, `its key is ${greeting.keyId.slice(0, 8)}, ours ${(meant ?? self.keys.current).id.slice(0, 8)}`);
  if (greeting.id === self.identity.id && side === 'dialer')
    throw new FlotillaError('ERR_LINK_REFUSED', `${conn.remote} is this runtime itself.`);
  return { version, keys };
}

// The proof of a plain connection covers both ends' addresses (HS6), so that of a forwarded one fails; encrypted, it may hold.
function unproven(conn: Conn): FlotillaError {
  return conn.exposed ? exposedError(conn) : wrongSecret(conn, 'it could not prove that it knows ours, or something stands between');
}

/** The error for a plain connection whose ends do not see the same addresses. */
export function exposedError(conn: { readonly remote: string }): FlotillaError {
  return new FlotillaError(
    'ERR_LINK_REFUSED',
    `${conn.remote} is not where it seems: something stands between, as a forwarded port does. Such a connection is made again, encrypted.`,
    { details: { exposed: true } },
  );
}

/** Whether a connection was refused only because it was plain. */
export function mustEncrypt(error: unknown): boolean {
  return hasCode(error, 'ERR_LINK_REFUSED') && (error as { exposed?: boolean }).exposed === true;
}

/** The error for two sides that do not have one certificate, or one that is not valid. */
export function wrongCertificate(conn: { readonly remote: string }, how: string): FlotillaError {
  return new FlotillaError(
    'ERR_LINK_CERTIFICATE',
    `${conn.remote} does not share our certificate: ${how}. Both sides need the same 'certfile', or none.`,
  );
}

/** The error for two sides that do not share a secret. */
export function wrongSecret(conn: { readonly remote: string }, how: string): FlotillaError {
  return new FlotillaError(
    'ERR_LINK_WRONG_SECRET',
    `${conn.remote} does not share our secret: ${how}. Both machines need the same secret file (~/.flotilla/secret, or FLOTILLA_SECRET); 'flotilla secret' shows where it is and how to copy it.`,
  );
}

function staleError(conn: Conn): FlotillaError {
  return new FlotillaError(
    'ERR_REFERENCE_STALE',
    `Another runtime answers at ${conn.remote} than the one that was meant: it has been restarted.`,
  );
}
