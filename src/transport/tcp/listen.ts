// Listens on tcp: one port takes TLS from anywhere and plain connections from this machine.
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { codeOf, FlotillaError } from '../../base/index.ts';
import { type Address, printHostPort } from '../address.ts';
import type { Conn, ListeningPlace, ListenOptions } from '../contract.ts';
import type { Guest } from '../door.ts';
import { exposedError, refuse, wrongCertificate } from '../handshake.ts';
import { isLoopback } from './address.ts';
import { SocketConn } from './conn.ts';
import { withLanding } from './landing.ts';
import { BUFFERS, TLS } from './tls.ts';
import { tlsFailure, unaccepted } from './words.ts';

const TLS_HANDSHAKE = 0x16;
const FIRST_BYTE_MS = 5_000;
const BACKLOG = 1024;

/** Opens a listening socket; rejects with ERR_LINK_PORT_IN_USE or ERR_LINK_ADDRESS. */
export function listen(address: Address, accept: (conn: Conn, guest?: Guest) => void, options: ListenOptions): Promise<ListeningPlace> {
  const sockets = new Set<Socket>();
  const guests = new Map<string, Guest>();
  const { certificate } = options;
  const secure = secureServer(options, accept, guests);
  const server: Server = createServer({ highWaterMark: BUFFERS.highWaterMark }, (socket) => {
    socket.on('error', () => {});
    const guest = options.door.enter(socket.remoteAddress ?? '', isLocal(socket), () => socket.destroy());
    if (!guest) return void socket.destroy();
    const ends = endsOf(socket);
    guests.set(ends, guest);
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      guests.delete(ends);
      guest.leave();
    });
    socket.setTimeout(FIRST_BYTE_MS, () => socket.destroy());
    socket.once('readable', () => {
      const first: Buffer | null = socket.read(1);
      if (!first) return;
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      socket.unshift(first);
      if (first[0] === TLS_HANDSHAKE) secure.emit('connection', socket);
      else if (!certificate && isLocal(socket)) accept(accepted(socket), guest);
      else {
        const remote = remoteOf(socket);
        const why = certificate ? wrongCertificate({ remote }, 'it came without one') : exposedError({ remote });
        options.onFailure(remote, why);
        refuse(new SocketConn(socket), certificate ? 'certificate' : 'exposed');
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(address, error)));
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
      server.removeAllListeners('error');
      server.on('error', () => {});
      const bound = server.address() as { port: number };
      resolve({
        address: { scheme: 'tcp', host: address.host, port: bound.port },
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

// Takes connections whose first byte is TLS's, which the listening socket hands on.
function secureServer(options: ListenOptions, accept: (conn: Conn, guest?: Guest) => void, guests: ReadonlyMap<string, Guest>): TlsServer {
  const { certificate } = options;
  const server = createTlsServer(
    certificate
      ? { ...certificate, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false, handshakeTimeout: FIRST_BYTE_MS }
      : {
          ...TLS,
          pskCallback: (_socket: TLSSocket, identity: string) => options.findKey(identity) ?? null,
          handshakeTimeout: FIRST_BYTE_MS,
        },
  );
  server.on('secureConnection', (socket) => {
    const guest = guests.get(endsOf(socket));
    const stranger = certificate && unaccepted(socket, remoteOf(socket));
    if (stranger) {
      options.onFailure(remoteOf(socket), stranger);
      return refuse(new SocketConn(socket), 'certificate');
    }
    guest?.leave(); // a dialer that could encrypt knows the secret, or has the certificate
    accept(new SocketConn(socket), guest);
  });
  server.on('tlsClientError', (error, socket) => {
    options.onFailure(remoteOf(socket), tlsError(error, remoteOf(socket), certificate !== undefined));
    socket.destroy();
  });
  return server;
}

// The connection of an accepted socket. It reads bytes to where they belong, if this version of Node can.
function accepted(socket: Socket): Conn {
  const landing = withLanding(socket);
  return landing ? new SocketConn(landing.socket, undefined, landing.landing, landing.rest) : new SocketConn(socket);
}

// A connection from an address to itself has not left the machine.
function isLocal(socket: Socket): boolean {
  return isLoopback(socket.remoteAddress ?? '') || (socket.remoteAddress !== undefined && socket.remoteAddress === socket.localAddress);
}

// Names a connection by its ends, which no two that are open share.
function endsOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
}

function remoteOf(socket: Socket): string {
  return `tcp://${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}

function tlsError(error: Error, remote: string, ours: boolean): FlotillaError {
  const closed = new FlotillaError('ERR_LINK_REFUSED', `${remote} closed before the connection was encrypted.`, { cause: error });
  return tlsFailure(error, remote, ours) ?? closed;
}

function listenError(address: Address, error: Error): FlotillaError {
  const code = codeOf(error);
  const where = printHostPort(address);
  if (code === 'EADDRINUSE') {
    return new FlotillaError(
      'ERR_LINK_PORT_IN_USE',
      `Port ${address.port} on ${address.host} is used by another program. Choose another with --port (or 'listen'), or end that program ('ss -ltnp' shows it).`,
      { cause: error },
    );
  }
  if (code === 'EACCES')
    return new FlotillaError('ERR_LINK_ADDRESS', `This user may not listen at ${where}. Choose a port above 1023.`, { cause: error });
  return new FlotillaError(
    'ERR_LINK_ADDRESS',
    `Cannot listen at ${where}: ${code === 'EADDRNOTAVAIL' ? 'this machine has no such address' : error.message}.`,
    { cause: error },
  );
}
