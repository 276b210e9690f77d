// What the words of an operator come to: where a daemon listens, what a client may have.
import { FlotillaError } from '../../base/index.ts';

/** Where to listen: what was given, else every address of this machine. */
export function listensAt(
  { listen = [], port, ports }: { readonly listen?: readonly string[]; readonly port?: number; readonly ports?: readonly number[] },
  defaultPort: number,
): readonly string[] {
  const its = port ?? (ports && Math.min(...ports)) ?? defaultPort;
  if (listen.length === 0) return [`tcp://0.0.0.0:${its}`];
  return listen.map((text) => {
    const whole = text.includes('://') ? text : `tcp://${/^[^[]*:[^[]*:/.test(text) ? `[${text}]` : text}`;
    return /:\d+$/.test(whole) ? whole : `${whole}:${its}`;
  });
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
