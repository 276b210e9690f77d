// A dialer's way to a link: it dials and greets, with each valid secret in turn, and again encrypted where plain is not safe.
import { hasCode, type RuntimeId } from '../base/index.ts';
import type { Conn } from './contract.ts';
import { type Greeted, greetAsDialer, HANDSHAKE_MS, mustEncrypt, type Purpose, type Self } from './handshake.ts';
import type { Keys } from './keys.ts';

/** Dials with the keys of one secret; `encrypt` says that a plain connection there would be exposed. */
export type Dial = (keys: Keys, encrypt: boolean) => Promise<Conn>;

/** Opens a connection by `dial` and greets over it, all of it within `timeoutMs` of one attempt. A wrong secret is tried again with the one before, if there is one. */
export async function dialAndGreet(
  dial: Dial,
  self: Self,
  options: { purpose: Purpose; expected?: RuntimeId; timeoutMs?: number },
): Promise<{ conn: Conn; greeted: Greeted }> {
  const { all } = self.keys;
  let encrypt = false;
  for (let i = 0; ; ) {
    const keys = all[i] as Keys;
    try {
      const since = self.clock.now();
      const conn = await dial(keys, encrypt);
      const timeoutMs = Math.max(0, (options.timeoutMs ?? HANDSHAKE_MS) - (self.clock.now() - since));
      return { conn, greeted: await greetAsDialer(conn, self, { ...options, keys, timeoutMs }) };
    } catch (error) {
      if (mustEncrypt(error) && !encrypt) encrypt = true;
      else if (i < all.length - 1 && hasCode(error, 'ERR_LINK_WRONG_SECRET')) i++;
      else throw error;
    }
  }
}
