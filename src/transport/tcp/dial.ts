// Dials over tcp: TLS with the pre-shared key, or plain where the bytes stay on this machine.
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { codeOf, FlotillaError } from '../../base/index.ts';
import { type Address, printHostPort } from '../address.ts';
import type { Conn, DialOptions } from '../contract.ts';
import { refuse } from '../handshake.ts';
import { isThisMachine } from './address.ts';
import { SocketConn } from './conn.ts';
import { SocketLanding } from './landing.ts';
import { BUFFERS, TLS } from './tls.ts';
import { tlsFailure, unaccepted } from './words.ts';

/** Opens a connection; rejects with ERR_LINK_UNREACHABLE or ERR_LINK_WRONG_SECRET. */
export function dial(address: Address, options: DialOptions): Promise<Conn> {
  return new Promise((resolve, reject) => {
    const { certificate } = options;
    const plain = !certificate && options.encrypt === 'auto' && isThisMachine(address.host);
    const { host, port } = address;
    const landing = plain ? new SocketLanding() : undefined;
    const socket: Socket = landing
      ? connect({ host, port, onread: landing.onread, ...BUFFERS })
      : certificate
        ? connectTls({ ...certificate, host, port, minVersion: 'TLSv1.3', rejectUnauthorized: false, checkServerIdentity: () => undefined })
        : connectTls({
            ...TLS,
            host,
            port,
            pskCallback: () => ({ psk: options.psk.key, identity: options.psk.identity }),
            checkServerIdentity: () => undefined,
          });
    const onAbort = (): void => fail(options.signal?.reason);
    const fail = (error: unknown): void => {
      clean();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error): void => fail(dialError(address, error, certificate !== undefined));
    const onTimeout = (): void =>
      fail(
        new FlotillaError(
          'ERR_LINK_UNREACHABLE',
          `${printHostPort(address)} did not answer within ${options.timeoutMs / 1000} s. Is the machine up, and the port open in its firewall?`,
        ),
      );
    const clean = (): void => {
      socket.off('error', onError);
      socket.off('timeout', onTimeout);
      socket.setTimeout(0);
      options.signal?.removeEventListener('abort', onAbort);
    };
    if (options.signal?.aborted) return fail(options.signal.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(options.timeoutMs, onTimeout);
    socket.on('error', onError);
    socket.once(plain ? 'connect' : 'secureConnect', () => {
      const conn = new SocketConn(socket, undefined, landing);
      const stranger = certificate && unaccepted(socket as TLSSocket, printHostPort(address));
      clean();
      if (!stranger) return resolve(conn);
      refuse(conn, 'certificate');
      reject(stranger);
    });
  });
}

function dialError(address: Address, error: Error, ours: boolean): FlotillaError {
  const code = codeOf(error);
  const where = printHostPort(address);
  const failure = tlsFailure(error, where, ours);
  if (failure) return failure;
  const why =
    code === 'ECONNREFUSED'
      ? 'nothing listens there'
      : code === 'ENOTFOUND'
        ? 'the host name is unknown'
        : code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
          ? 'no route leads there'
          : error.message;
  return new FlotillaError(
    'ERR_LINK_UNREACHABLE',
    `${where} cannot be reached: ${why}. Is the program running there, and is the address right?`,
    {
      cause: error,
      details: { refused: code === 'ECONNREFUSED', passing: code === 'ECONNRESET' || code === 'EPIPE' },
    },
  );
}
