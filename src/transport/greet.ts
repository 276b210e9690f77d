// Dials and greets, with each secret that is valid in turn.
import { hasCode, type RuntimeId } from '../base/index.ts';
import type { Conn } from './contract.ts';
import { type Greeted, greetAsDialer, HANDSHAKE_MS, type Purpose, type Self } from './handshake.ts';
import type { Keys } from './keys.ts';

/** Opens a connection by `dial` and greets over it, all of it within `timeoutMs` of one attempt. A wrong secret is tried again with the one before, if there is one. */
export async function dialAndGreet(
  dial: (keys: Keys) => Promise<Conn>,
  self: Self,
  options: { purpose: Purpose; expected?: RuntimeId; timeoutMs?: number },
): Promise<{ conn: Conn; greeted: Greeted }> {
  const { all } = self.keys;
  for (let i = 0; ; i++) {
    const keys = all[i] as Keys;
    try {
      const since = self.clock.now();
      const conn = await dial(keys);
      const timeoutMs = Math.max(0, (options.timeoutMs ?? HANDSHAKE_MS) - (self.clock.now() - since));
      return { conn, greeted: await greetAsDialer(conn, self, { ...options, keys, timeoutMs }) };
    } catch (error) {
      if (i === all.length - 1 || !hasCode(error, 'ERR_LINK_WRONG_SECRET')) throw error;
    }
  }
}
