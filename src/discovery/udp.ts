// Datagrams of this machine: broadcast on every interface, or multicast; the shared port is shared with other processes.
import { createSocket, type Socket } from 'node:dgram';
import { lookup as lookupName } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FlotillaError } from '../base/index.ts';
import type { DatagramOptions, DatagramPeer, DatagramSocket, Datagrams } from './contract.ts';

// By these all runtimes of one machine hear each other: the second never leaves the interface it is sent on.
const LOOPBACK = '127.255.255.255';
const LOOPBACK6 = 'ff11::f107:111a';

// At once where there is nothing to look up: what goes to several interfaces would leave by the last of them.
const lookup: typeof lookupName = ((host: string, options: object, done: (error: null, address: string, family: number) => void) =>
  isIP(host) ? done(null, host, isIP(host)) : lookupName(host, options, done as never)) as never;

interface Interface {
  readonly name: string;
  readonly address: string;
  readonly netmask: string;
  readonly v6: boolean;
  readonly internal: boolean;
}

/** The datagrams of this machine. */
export const udpDatagrams: Datagrams = Object.freeze({ open: openUdp });

async function openUdp(options: DatagramOptions, receive: (bytes: Buffer, from: DatagramPeer) => void): Promise<DatagramSocket> {
  const { port, multicast, loopback, family, listens = true } = options;
  const sockets: Socket[] = [];
  const take = (shared: boolean) => (bytes: Buffer, from: { address: string; port: number }) =>
    receive(bytes, { host: from.address.replace(/^::ffff:/, '').replace(/%.*$/, ''), port: from.port, shared });
  const bind = async (type: 'udp4' | 'udp6', at: number): Promise<Socket> => {
    const socket = createSocket({ type, reuseAddr: at !== 0, ipv6Only: type === 'udp6', lookup });
    sockets.push(socket);
    socket.on('message', take(at !== 0));
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(at, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.on('error', () => {});
    return socket;
  };
  try {
    const shared4 = family === 6 || !listens ? undefined : await bind('udp4', port);
    const own4 = family === 6 ? undefined : await bind('udp4', 0);
    // Whoever asks this machine by an IPv6 address is heard, also if nothing is announced there.
    const shared6 = family !== 4 && listens ? await bind('udp6', port).catch(() => undefined) : undefined;
    const own6 = family !== 4 ? await bind('udp6', 0).catch(() => undefined) : undefined;
    own4?.setBroadcast(true);
    const joined = new Set<string>();
    const join = (one: Interface): void => {
      if (joined.has(one.address) || multicast === false) return;
      try {
        if (one.v6) shared6?.addMembership(multicast.group6, `::%${one.name}`);
        else shared4?.addMembership(multicast.group4, one.address);
        joined.add(one.address);
      } catch {} // the interface is going down, or cannot
    };
    const shoutOn = (one: Interface, bytes: Buffer): void => {
      join(one); // interfaces come and go
      try {
        if (one.v6 && own6 && multicast) {
          own6.setMulticastInterface(`::%${one.name}`);
          own6.setMulticastTTL(multicast.hops);
          own6.send(bytes, port, multicast.group6, () => {});
        } else if (!one.v6 && own4 && multicast) {
          own4.setMulticastInterface(one.address);
          own4.setMulticastTTL(multicast.hops);
          own4.send(bytes, port, multicast.group4, () => {});
        } else if (!one.v6) own4?.send(bytes, port, broadcastOf(one), () => {});
      } catch {}
    };
    const joined6 = new Set<string>();
    const shoutHere6 = (bytes: Buffer): void => {
      for (const { name, v6 } of own6 ? interfaces(family) : []) {
        if (!v6) continue;
        joinHere6(name);
        attempt(() => {
          own6?.setMulticastInterface(`::%${name}`);
          own6?.send(bytes, port, LOOPBACK6, () => {});
        });
      }
    };
    const joinHere6 = (name: string): void => {
      if (!joined6.has(name)) attempt(() => shared6?.addMembership(LOOPBACK6, `::%${name}`));
      joined6.add(name);
    };
    for (const { name, v6 } of interfaces(family)) if (v6) joinHere6(name);
    for (const one of interfaces(family)) join(one);
    return {
      shout(bytes, here = false) {
        own4?.send(bytes, port, LOOPBACK, () => {});
        shoutHere6(bytes);
        if (here || loopback) return;
        for (const one of interfaces(family)) if (!one.internal) shoutOn(one, bytes);
      },
      send(bytes, host, to) {
        (isIPv6(host) ? own6 : own4)?.send(bytes, to, host, () => {});
      },
      close: () => closeAll(sockets),
    };
  } catch (error) {
    await closeAll(sockets);
    throw new FlotillaError(
      'ERR_DISCOVERY',
      `Port ${port} (udp) cannot be used to look for runtimes nearby: ${(error as Error).message}. Choose another with 'udpPort', the same on all machines, or give 'seeds' instead.`,
      { cause: error },
    );
  }
}

// The interface is going down, or cannot.
function attempt(what: () => void): void {
  try {
    what();
  } catch {}
}

function closeAll(sockets: Socket[]): Promise<void> {
  return Promise.all(sockets.splice(0).map((socket) => new Promise<void>((resolve) => socket.close(() => resolve())))).then(() => {});
}

function interfaces(family: 4 | 6 | undefined): Interface[] {
  const found: Interface[] = [];
  for (const [name, list] of Object.entries(networkInterfaces())) {
    for (const one of list ?? []) {
      const v6 = one.family === 'IPv6';
      if ((v6 && family === 4) || (!v6 && family === 6)) continue;
      if (v6 && found.some((other) => other.v6 && other.name === name)) continue;
      found.push({ name, address: one.address, netmask: one.netmask, v6, internal: one.internal });
    }
  }
  return found;
}

function broadcastOf({ address, netmask }: Interface): string {
  const mask = netmask.split('.').map(Number);
  return address
    .split('.')
    .map((part, i) => (Number(part) | (~(mask[i] as number) & 0xff)) >>> 0)
    .join('.');
}
