// Dials a unix socket. Nothing is encrypted: the bytes never leave the machine.
import { connect } from 'node:net';
import { FlotillaError } from '../../base/index.ts';
import type { Address } from '../address.ts';
import type { Conn, DialOptions } from '../contract.ts';
import { SocketConn } from '../tcp/conn.ts';
import { SocketLanding } from '../tcp/landing.ts';
import { BUFFERS } from '../tcp/tls.ts';
import { print, systemPath } from './address.ts';

/** Opens a connection; rejects with ERR_LINK_UNREACHABLE. */
export function dial(address: Address, { timeoutMs, signal }: DialOptions): Promise<Conn> {
  const where = print(address);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const landing = new SocketLanding();
    const socket = connect({ path: systemPath(address.host), onread: landing.onread, ...BUFFERS });
    const clean = (): void => {
      for (const event of ['connect', 'error', 'timeout']) socket.removeAllListeners(event); // what Node itself listens to stays
      socket.setTimeout(0);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      clean();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(timeoutMs, () =>
      fail(new FlotillaError('ERR_LINK_UNREACHABLE', `${where} did not answer within ${timeoutMs / 1000} s.`)),
    );
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      const why = absent ? 'nothing listens there' : error.code === 'EACCES' ? 'this user may not open it' : error.message;
      fail(
        new FlotillaError('ERR_LINK_UNREACHABLE', `${where} cannot be reached: ${why}.`, { cause: error, details: { refused: absent } }),
      );
    });
    socket.once('connect', () => {
      clean();
      resolve(new SocketConn(socket, where, landing));
    });
  });
}
