// The networks of this machine, by the scheme of an address.
import { FlotillaError } from '../base/index.ts';
import { type Address, formatAddress } from './address.ts';
import type { Network } from './contract.ts';
import { tcpNetwork } from './tcp/index.ts';
import { unixNetwork } from './unix/index.ts';

function networkOf(address: Address): Network {
  if (address.scheme === 'tcp') return tcpNetwork;
  if (address.scheme === 'unix') return unixNetwork;
  throw new FlotillaError('ERR_LINK_ADDRESS', `${formatAddress(address)} is an address in a simulation, not on this machine.`);
}

/** Dials and listens on tcp and unix sockets. */
export const systemNetwork: Network = Object.freeze({
  dial: async (address, options) => networkOf(address).dial(address, options),
  listen: async (address, accept, options) => networkOf(address).listen(address, accept, options),
} satisfies Network);
