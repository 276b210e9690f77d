// The parts that a hub is made of, and the events that it hands up.
import { FlotillaError, type Log, type RuntimeId } from '../../base/index.ts';
import type { Certificate, Identity, Keyring, Role } from '../../transport/index.ts';
import type { Environment } from '../environment.ts';
import type { Carried } from '../threads/carrier.ts';

/** What a runtime tells of itself when a session opens. */
export interface PeerInfo {
  readonly id: RuntimeId;
  readonly name: string;
  readonly role: Role;
  readonly addresses: readonly string[];
}

/** How long a runtime waits for an answer of a peer, unless told otherwise. */
export const ANSWER_MS = 10_000;
/** The most links that one runtime has open. */
export const MOST_LINKS = 20_000;

export function tooManyLinks(): FlotillaError {
  return new FlotillaError('ERR_LIMIT', `This runtime has ${MOST_LINKS} links open already.`);
}

/** The events that a hub hands up, and its one question. */
export interface HubEvents extends Carried {
  /** Whether the end of a peer could go unnoticed for a while, since nothing is under way to it. */
  quiet?(peer: RuntimeId): boolean;
}

export interface HubOptions {
  readonly identity: Identity;
  /** The name that peers are told; it may still change before the first session. */
  name: string;
  readonly role: Role;
  readonly keys: Keyring;
  readonly certificate?: Certificate | undefined;
  readonly environment: Environment;
  /** May be changed by `pace`. */
  pulseMs: number;
  /** How long an answer of a peer is waited for, where the asker does not say. */
  readonly answerMs: number;
  readonly encrypt: 'auto' | 'always';
  /** Whether new peers are turned away. */
  readonly ignores?: () => boolean;
  readonly events: HubEvents;
  readonly log?: Log;
}
