// The keys that are made of the shared secret, which proves membership and never crosses a link.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { FlotillaError } from '../base/index.ts';
import type { PreSharedKey } from './contract.ts';

/** The roles in which a runtime may come to others. Each proves itself with a key of its own. */
export const ROLES = ['runtime', 'client', 'host', 'worker', 'scheduler'] as const;
/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** The keys derived from one secret. */
export class Keys {
  /** Names the secret without telling it, so that two sides can say that theirs differ. */
  readonly id: string;
  readonly psk: PreSharedKey;
  readonly #secret: Uint8Array;
  readonly #roles = new Map<Role, Buffer>();
  #announce: Buffer | undefined;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.id = this.#derive('key id', 8).toString('hex');
    this.psk = { identity: `flotilla-${this.id}`, key: this.#derive('tls psk', 32) };
  }

  /** Proves that this side knows the secret in its role, and the bytes that only the two runtimes know (`agreed`). The proof holds for this connection only. */
  prove(role: Role, direction: 'dialer' | 'listener', agreed: Uint8Array, transcript: Uint8Array): Buffer {
    let key = this.#roles.get(role);
    if (!key) {
      key = this.#derive(`role ${role}`, 32);
      this.#roles.set(role, key);
    }
    const both = createHmac('sha256', key).update(agreed).digest();
    return createHmac('sha256', both).update(`flotilla 2 ${direction} `).update(transcript).digest();
  }

  verify(role: Role, direction: 'dialer' | 'listener', agreed: Uint8Array, transcript: Uint8Array, proof: Uint8Array): boolean {
    const expected = this.prove(role, direction, agreed, transcript);
    return proof.length === expected.length && timingSafeEqual(proof, expected);
  }

  /** Signs an announcement to all nearby. */
  sign(bytes: Uint8Array): Buffer {
    this.#announce ??= this.#derive('announce', 32);
    return createHmac('sha256', this.#announce).update(bytes).digest();
  }

  verifySignature(bytes: Uint8Array, signature: Uint8Array): boolean {
    const expected = this.sign(bytes);
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  }

  #derive(purpose: string, bytes: number): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, 'flotilla', purpose, bytes));
  }
}

/** The most secrets that are valid at one time. */
export const MOST_SECRETS = 2;

/** The secrets that are valid: the current one, and while it is being changed the one before. */
export class Keyring {
  readonly all: readonly Keys[];

  constructor(secrets: Uint8Array | readonly Uint8Array[]) {
    const list = secrets instanceof Uint8Array ? [secrets] : secrets;
    if (list.length === 0 || list.some((secret) => secret.length === 0))
      throw new FlotillaError('ERR_OPTION_INVALID', "The 'secret' is empty.");
    if (list.length > MOST_SECRETS) {
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `At most ${MOST_SECRETS} secrets are valid at one time, the current one first; ${list.length} were given.`,
      );
    }
    this.all = list.map((secret) => new Keys(secret));
  }

  /** The keys of the current secret, with which this side tries to prove itself first. */
  get current(): Keys {
    return this.all[0] as Keys;
  }

  find(id: string): Keys | undefined {
    return this.all.find((keys) => keys.id === id);
  }

  /** The key of an encrypted connection, by the identity that the dialer gave. */
  psk(identity: string): Uint8Array | undefined {
    return this.all.find((keys) => keys.psk.identity === identity)?.psk.key;
  }
}
