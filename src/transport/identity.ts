// The identity of a runtime: a pair of keys made at its start. Its id is a digest of the public one, so that nobody else can prove to be it.
import { createECDH, createHash, type ECDH } from 'node:crypto';
import { dropFirst, FlotillaError, type RandomBytes, type RuntimeId, runtimeIdOf } from '../base/index.ts';

const CURVE = 'prime256v1';
const KEY_BYTES = 32;
const ID_BYTES = 16;
const TRIES = 4;
/** How many agreements with others are remembered, because to compute one is slow and links are made again. */
const AGREED_KEPT = 2_000;
// A public key travels as the x of its point: both points with that x give the same agreement, so either will do.
const EVEN = Buffer.from([2]);

/** One start of a runtime, as it proves itself. */
export class Identity {
  readonly id: RuntimeId;
  /** The public key. */
  readonly publicKey: Buffer;
  /** The private key, for another thread of the same runtime and nobody else. */
  readonly privateKey: Uint8Array;
  readonly #pair: ECDH;
  readonly #agreed = new Map<RuntimeId, Buffer>();

  /** Throws if the bytes are no private key; of random ones, one in four thousand million is none. */
  constructor(privateKey: Uint8Array) {
    this.privateKey = privateKey;
    this.#pair = createECDH(CURVE);
    this.#pair.setPrivateKey(privateKey);
    this.publicKey = this.#pair.getPublicKey(null, 'compressed').subarray(1);
    this.id = idOf(this.publicKey);
  }

  /** Makes a new identity. */
  static fresh(random: RandomBytes): Identity {
    for (let left = TRIES; ; left--) {
      try {
        return new Identity(random(KEY_BYTES));
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }

  /** Computes the bytes that only this runtime and the owner of a public key can know. Throws ERR_LINK_REFUSED if it is no key. */
  agree(publicKey: Uint8Array): Buffer {
    const id = idOf(publicKey);
    const known = this.#agreed.get(id);
    if (known) return known;
    let agreed: Buffer;
    try {
      agreed = this.#pair.computeSecret(Buffer.concat([EVEN, publicKey]));
    } catch (error) {
      throw new FlotillaError('ERR_LINK_REFUSED', 'The other side sent a public key that is none.', { cause: error });
    }
    this.#agreed.set(id, agreed);
    if (this.#agreed.size > AGREED_KEPT) dropFirst(this.#agreed);
    return agreed;
  }
}

/** The id of the runtime with a public key. */
export function idOf(publicKey: Uint8Array): RuntimeId {
  return runtimeIdOf(createHash('sha256').update(publicKey).digest().subarray(0, ID_BYTES));
}
