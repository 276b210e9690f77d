// The place of a socket, beside its addresses: every machine, and every container with a network of its own, has the same loopback addresses.
import { readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';

/** Describes both ends of a plain connection as one of them sees them: equal at both, unless somebody stands between. */
export function endsOf(socket: Socket, side: 'dialer' | 'listener'): string {
  const here = end(socket.localAddress, socket.localPort);
  const there = end(socket.remoteAddress, socket.remotePort);
  return `tcp ${networkPlace()} ${side === 'dialer' ? `${here} ${there}` : `${there} ${here}`}`;
}

function end(address: string | undefined, port: number | undefined): string {
  return `${address?.replace(/^::ffff:/, '')} ${port}`;
}

function networkPlace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/net')}`;
  } catch {
    return hostname();
  }
}
