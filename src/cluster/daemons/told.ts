// Reads the words of an operator: where a daemon listens, and the quotas of clients.
import { FlotillaError } from '../../base/index.ts';
import { type Address, type Networks, parseAddress } from '../../transport/index.ts';

/** The addresses to listen at: the given ones, else one of each network that others can find. Throws ERR_LINK_ADDRESS. */
export function listensAt(
  { listen = [], port, ports }: { readonly listen?: readonly string[]; readonly port?: number; readonly ports?: readonly number[] },
  networks: Networks,
  defaultPort: number,
): readonly Address[] {
  const its = port ?? (ports && Math.min(...ports)) ?? defaultPort;
  const texts = listen.length > 0 ? listen : Object.values(networks).flatMap((network) => network.everywhere?.(undefined) ?? []);
  return texts.map((text) => parseAddress(networks, text, its));
}

/** The quotas of `NAME=N` texts. Throws ERR_OPTION_INVALID. */
export function quotasOf(texts: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    texts.map((one) => {
      const [, name, most] = /^(.+)=(\d+)$/.exec(one) ?? [];
      if (name === undefined) throw new FlotillaError('ERR_OPTION_INVALID', `--quota must be NAME=N, as batch=4; it is '${one}'.`);
      return [name, Number(most)];
    }),
  );
}
