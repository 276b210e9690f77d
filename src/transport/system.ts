// The networks of this machine: each has its line here.
import type { Clock, RandomBytes } from '../base/index.ts';
import type { Network } from './contract.ts';
import type { Networks } from './networks.ts';
import { tcpNetwork } from './tcp/index.ts';
import { unixNetwork } from './unix/index.ts';

/** The parts of the world that a network may be made of, so that it keeps to a simulated clock. */
export interface NetworkWorld {
  readonly clock: Clock;
  readonly random: RandomBytes;
}

// The first is meant where an address has no scheme.
const MADE: Readonly<Record<string, (world: NetworkWorld) => Network>> = {
  tcp: () => tcpNetwork,
  unix: () => unixNetwork,
};

/** The networks of this machine, made of a clock and chance for those that keep time or draw lots. */
export function systemNetworks(world: NetworkWorld): Networks {
  return Object.fromEntries(Object.entries(MADE).map(([scheme, make]) => [scheme, make(world)]));
}
