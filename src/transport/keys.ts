// What the shared secret is turned into: it proves membership and never crosses a link.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { PreSharedKey } from './contract.ts';

/** What a runtime is to others. Each role proves itself with a key of its own. */
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

  constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.id = this.#derive('key id', 8).toString('hex');
    this.psk = { identity: `flotilla-${this.id}`, key: this.#derive('tls psk', 32) };
  }

  /** Proof of knowing the secret in this role, bound to both greetings. */
  prove(role: Role, direction: 'dialer' | 'listener', transcript: Uint8Array): Buffer {
    let key = this.#roles.get(role);
    if (!key) {
      key = this.#derive(`role ${role}`, 32);
      this.#roles.set(role, key);
    }
    return createHmac('sha256', key).update(`flotilla 1 ${direction} `).update(transcript).digest();
  }

  verify(role: Role, direction: 'dialer' | 'listener', transcript: Uint8Array, proof: Uint8Array): boolean {
    const expected = this.prove(role, direction, transcript);
    return proof.length === expected.length && timingSafeEqual(proof, expected);
  }

  #derive(purpose: string, bytes: number): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, 'flotilla', purpose, bytes));
  }
}
