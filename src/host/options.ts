// What a host is told when it starts.
import type { Log } from '../base/index.ts';
import type { Ground } from './ground.ts';
import type { HostFacts } from './protocol.ts';
import type { HostSettings } from './settings.ts';

/** Options of {@link Host}. */
export interface HostOptions {
  readonly name: string;
  readonly workers: number;
  readonly ground: Ground;
  /** The secret, which workers need to be reached. */
  readonly secret: Uint8Array;
  /** Where workers listen: addresses without port. None: they are reached through this host. */
  readonly listen?: readonly string[];
  /** The ports of workers, by slot; any that is free for those that have none here. */
  readonly ports?: readonly number[];
  readonly advertise?: string;
  /** Bounds of the time between signs of life, in ms; a client's wish is moved into them, and the most holds without any. */
  readonly pulse?: readonly [least: number, most: number];
  /** So many clients at a time; any number by default. */
  readonly clients?: number;
  /** What its operator says of it, as it is. */
  readonly settings?: HostSettings;
  readonly log?: Log;
  readonly facts?: HostFacts;
}
