// Ids, the names that machines give: random, printable, compared as text.

/** Makes random bytes; handed in so that simulations can repeat. */
export type RandomBytes = (length: number) => Uint8Array;

/** The id of one start of a runtime (an incarnation): 16 bytes, a digest of its public key, as 32 hexadecimal digits. */
export type RuntimeId = string & { readonly __runtime: true };

/** Writes bytes as hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Makes an id of its bytes. */
export function runtimeIdOf(bytes: Uint8Array): RuntimeId {
  return toHex(bytes) as RuntimeId;
}

/** The first digits of an id, for people. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** A number in [0, 1) from random bytes. */
export function randomFraction(random: RandomBytes): number {
  const bytes = random(4);
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
}
