// The options that a host is started with.
import type { Log } from '../base/index.ts';
import type { Ground } from './ground.ts';
import type { HostFacts } from './protocol.ts';
import type { HostSettings } from './settings.ts';

/** Options of {@link Host}. */
export interface HostOptions {
  readonly name: string;
  readonly workers: number;
  readonly ground: Ground;
  /** The secret, which workers need, too, so that others can reach them. */
  readonly secret: Uint8Array;
  /** The addresses, without ports, at which workers listen. Without any, workers are reached through this host. */
  readonly listen?: readonly string[];
  /** The ports of workers, by slot; a worker without one here takes any that is free. */
  readonly ports?: readonly number[];
  readonly advertise?: string;
  /** Bounds of the time between signs of life, in ms; a client's wish is moved into them, and without a client the most holds. */
  readonly pulse?: readonly [least: number, most: number];
  /** The most clients at a time; any number by default. */
  readonly clients?: number;
  /** The settings as the operator gave them. */
  readonly settings?: HostSettings;
  readonly log?: Log;
  readonly facts?: HostFacts;
}
