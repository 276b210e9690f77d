// Names of hosts and workers: a name, a location, or the address of a machine.
import { FlotillaError } from '../base/index.ts';

/** Whether a name means this place: `NAME`, `NAME/N`, `tcp://HOST:PORT`, `tcp://HOST:PORT/N`, `HOST:PORT`, or `HOST` for all there. */
export function means(where: string, name: string, addresses: readonly string[], slot?: number): boolean {
  if (where === name) return true;
  const suffix = slot === undefined ? '' : `/${slot}`;
  for (const address of addresses) {
    const bare = address.replace(/^\w+:\/\//, '');
    if (where === address + suffix || where === bare + suffix) return true;
    if (slot === undefined && where === bare.replace(/:\d+$/, '')) return true;
  }
  return false;
}

/** Whether a pattern names a host: the whole of its name or of an address. */
export function namesHost(pattern: string, name: string, addresses: readonly string[]): boolean {
  const regex = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`);
  const texts = addresses.flatMap((address) => {
    const bare = address.replace(/^\w+:\/\//, '');
    const host = bare.replace(/:\d+$/, '');
    return [address, bare, host, host.replace(/^\[|\]$/g, '')];
  });
  return [name, ...texts].some((text) => regex.test(text));
}

/** The error for a name that means no known host or worker. */
export function unknownPlace(where: string, what: 'host' | 'worker' | 'host or worker', known: readonly string[]): FlotillaError {
  const list =
    known.length > 0
      ? `There are ${known.slice(0, 12).join(', ')}${known.length > 12 ? `, and ${known.length - 12} more` : ''}`
      : 'There is none now';
  return new FlotillaError('ERR_HOST_UNKNOWN', `This client has no ${what} '${where}'. ${list}.`, { details: { where } });
}
