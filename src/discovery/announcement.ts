// Announcements as bytes: a fixed layout, signed, never longer than LIMIT; an answer is never longer than what it answers.
//
// 0 `FLTD` | 4 version | 5 kind | 6 flags | 8 key id | 16 runtime | 32 time, ms since 1970 | 40 nonce | 48 nonce answered |
// 56 texts, each with its length before it: name, where to answer, addresses | zeros | 480 HMAC-SHA256 of all before
import { FlotillaError, type RuntimeId, runtimeIdOf, toHex } from '../base/index.ts';
import type { Signer } from './contract.ts';

/** The bytes of every announcement. */
export const LIMIT = 512;
const MAGIC = 0x464c5444;
const VERSION = 1;
const KINDS = ['hello', 'answer'] as const;
const TEXTS = 56;
const SIGNED = LIMIT - 32;
const NAME_BYTES = 100;
const FLAG = { pass: 1, multicast: 2 } as const;

/** One thing that a runtime tells others by datagram. */
export interface Announcement {
  readonly kind: (typeof KINDS)[number];
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly nonce: string;
  /** The nonce of the hello that this answers; zeros in a hello. */
  readonly answers: string;
  /** The place where a hello that was passed on is to be answered, as HOST PORT; empty if it is the one that the hello came from. */
  readonly replyTo: string;
  /** Whether the runtime that hears it on a shared port is to pass it to the others of its machine, since the system gives it to one of them only. */
  readonly pass: boolean;
  /** Whether the sender looks for others by multicast, and so not for those that broadcast. */
  readonly multicast: boolean;
}

/** The bytes of an announcement, signed with one key. */
export function encodeAnnouncement(signer: Signer, keyId: string, announcement: Announcement): Buffer {
  const bytes = Buffer.alloc(LIMIT);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes[4] = VERSION;
  bytes[5] = KINDS.indexOf(announcement.kind) + 1;
  bytes[6] = (announcement.pass ? FLAG.pass : 0) | (announcement.multicast ? FLAG.multicast : 0);
  bytes.write(keyId, 8, 8, 'hex');
  bytes.write(announcement.id, 16, 16, 'hex');
  bytes.writeBigUInt64BE(BigInt(Math.floor(announcement.time)), 32);
  bytes.write(announcement.nonce, 40, 8, 'hex');
  bytes.write(announcement.answers, 48, 8, 'hex');
  let at = TEXTS;
  const text = (value: string): boolean => {
    const length = Buffer.byteLength(value);
    if (length > 255 || at + 1 + length > SIGNED) return false;
    bytes[at++] = length;
    at += bytes.write(value, at);
    return true;
  };
  text(cut(announcement.name));
  text(announcement.replyTo);
  for (const address of announcement.addresses) if (!text(address)) break; // as many as fit
  signer.sign(keyId, bytes.subarray(0, SIGNED)).copy(bytes, SIGNED);
  return bytes;
}

/** Reads bytes that may be an announcement. Throws ERR_WIRE_MALFORMED, ERR_LINK_WRONG_SECRET or ERR_LINK_VERSION. */
export function decodeAnnouncement(signer: Signer, bytes: Buffer): Announcement {
  if (bytes.length !== LIMIT || bytes.readUInt32BE(0) !== MAGIC) throw new FlotillaError('ERR_WIRE_MALFORMED', 'It is no announcement.');
  if (bytes[4] !== VERSION)
    throw new FlotillaError('ERR_LINK_VERSION', `It announces itself in version ${bytes[4]}; this runtime understands ${VERSION}.`);
  const keyId = toHex(bytes.subarray(8, 16));
  if (!signer.verify(keyId, bytes.subarray(0, SIGNED), bytes.subarray(SIGNED))) {
    throw new FlotillaError('ERR_LINK_WRONG_SECRET', 'Its announcement is not signed with our secret.');
  }
  const kind = KINDS[bytes.readUInt8(5) - 1];
  if (!kind) throw new FlotillaError('ERR_LINK_VERSION', 'Its announcement is of a kind that this version does not know.');
  const texts: string[] = [];
  for (let at = TEXTS; at < SIGNED; ) {
    const length = bytes.readUInt8(at++);
    if (length === 0 && texts.length >= 2) break;
    if (at + length > SIGNED) throw new FlotillaError('ERR_WIRE_MALFORMED', 'Its announcement ends in the middle of a text.');
    texts.push(bytes.toString('utf8', at, at + length));
    at += length;
  }
  const flags = bytes.readUInt8(6);
  const [name = '', replyTo = '', ...addresses] = texts;
  return {
    kind,
    id: runtimeIdOf(bytes.subarray(16, 32)),
    name,
    replyTo,
    addresses,
    time: Number(bytes.readBigUInt64BE(32)),
    nonce: toHex(bytes.subarray(40, 48)),
    answers: toHex(bytes.subarray(48, 56)),
    pass: (flags & FLAG.pass) !== 0,
    multicast: (flags & FLAG.multicast) !== 0,
  };
}

function cut(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES) return name;
  return Buffer.from(name)
    .toString('utf8', 0, NAME_BYTES - 4)
    .replace(/\uFFFD+$/, '');
}
