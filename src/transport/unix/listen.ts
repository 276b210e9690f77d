// Listens on a unix socket that only its user may open. A socket left behind by a crash is replaced; one in use is not.
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { codeOf, FlotillaError, toError } from '../../base/index.ts';
import type { Address } from '../address.ts';
import type { Conn, ListeningPlace } from '../contract.ts';
import { SocketConn } from '../tcp/conn.ts';
import { withLanding } from '../tcp/landing.ts';
import { BUFFERS } from '../tcp/tls.ts';
import { print, systemPath } from './address.ts';

/** Opens a listening socket; rejects with ERR_LINK_PORT_IN_USE or ERR_LINK_ADDRESS. */
export async function listen(address: Address, accept: (conn: Conn) => void): Promise<ListeningPlace> {
  const path = systemPath(address.host);
  const where = print(address);
  const sockets = new Set<Socket>();
  const server = createServer({ highWaterMark: BUFFERS.highWaterMark, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    const landing = withLanding(socket);
    accept(landing ? new SocketConn(landing.socket, where, landing.landing) : new SocketConn(socket, where));
  });
  try {
    await bind(server, path);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw listenError(where, toError(error));
    if (await answers(path)) {
      throw new FlotillaError('ERR_LINK_PORT_IN_USE', `${where} is used by another program. Choose another path, or end that program.`, {
        cause: error,
      });
    }
    rmSync(path, { force: true });
    await bind(server, path).catch((again: Error) => {
      throw listenError(where, again);
    });
  }
  server.on('error', () => {});
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return {
    address,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const done = (there: boolean): void => {
      socket.destroy();
      resolve(there);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

function listenError(where: string, error: Error): FlotillaError {
  const code = codeOf(error);
  const why = code === 'ENOENT' ? 'its directory does not exist' : code === 'EACCES' ? 'this user may not write there' : error.message;
  return new FlotillaError('ERR_LINK_ADDRESS', `Cannot listen at ${where}: ${why}.`, { cause: error });
}
