// Datagrams of this machine: broadcast on every interface, or multicast; the shared port is shared with other processes.
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { lookup as lookupName } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FlotillaError, toError } from '../base/index.ts';
import type { DatagramOptions, DatagramPeer, DatagramSocket, Datagrams } from './contract.ts';

// Addresses by which all runtimes of one machine hear each other. Datagrams to the second never leave the interface they are sent on.
const LOOPBACK = '127.255.255.255';
const LOOPBACK6 = 'ff11::f107:111a';

// Answers at once where there is nothing to look up. If it did not, the datagrams for several interfaces would all leave by the last one
// that was chosen, since they would be sent after the choice of it.
const lookup: NonNullable<SocketOptions['lookup']> = (host, options, done) =>
  isIP(host) ? done(null, host, isIP(host)) : lookupName(host, options, done);

interface Interface {
  readonly name: string;
  readonly address: string;
  readonly netmask: string;
  readonly v6: boolean;
  readonly internal: boolean;
}

/** The datagrams of this machine. */
export const udpDatagrams: Datagrams = Object.freeze({ open: openUdp });

async function openUdp(options: DatagramOptions, receive: Receive): Promise<DatagramSocket> {
  const sockets: Socket[] = [];
  try {
    return new UdpSockets(options, sockets, await bindAll(options, sockets, receive));
  } catch (error) {
    await closeAll(sockets);
    throw new FlotillaError(
      'ERR_DISCOVERY',
      `Port ${options.port} (udp) cannot be used to look for runtimes nearby: ${toError(error).message}. Choose another with 'udpPort', the same on all machines, or give 'seeds' instead.`,
      { cause: error },
    );
  }
}

type Receive = (bytes: Buffer, from: DatagramPeer) => void;

/** The sockets at the shared port, and those at ports of their own, to which answers come. */
interface Bound {
  readonly shared4: Socket | undefined;
  readonly own4: Socket | undefined;
  readonly shared6: Socket | undefined;
  readonly own6: Socket | undefined;
}

// Puts every socket into `sockets` before it is bound, so that those can be closed that were opened before one failed.
async function bindAll({ port, family, listens = true }: DatagramOptions, sockets: Socket[], receive: Receive): Promise<Bound> {
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
  const shared4 = family === 6 || !listens ? undefined : await bind('udp4', port);
  const own4 = family === 6 ? undefined : await bind('udp4', 0);
  // The IPv6 sockets are opened even if nothing is announced by IPv6, so that a question to an IPv6 address of this machine is heard.
  const shared6 = family !== 4 && listens ? await bind('udp6', port).catch(() => undefined) : undefined;
  const own6 = family !== 4 ? await bind('udp6', 0).catch(() => undefined) : undefined;
  own4?.setBroadcast(true);
  return { shared4, own4, shared6, own6 };
}

// Owns its sockets, and the list of interfaces that joined a group. Interfaces come and go, so each is joined when it is first spoken on.
class UdpSockets implements DatagramSocket {
  readonly #options: DatagramOptions;
  readonly #sockets: Socket[];
  readonly #bound: Bound;
  readonly #joined = new Set<string>();
  readonly #joinedHere = new Set<string>();

  constructor(options: DatagramOptions, sockets: Socket[], bound: Bound) {
    this.#options = options;
    this.#sockets = sockets;
    this.#bound = bound;
    for (const { name, v6 } of interfaces(options.family)) if (v6) this.#joinHere6(name);
    for (const one of interfaces(options.family)) this.#join(one);
  }

  shout(bytes: Buffer, here = false): void {
    const { port, loopback, family } = this.#options;
    this.#bound.own4?.send(bytes, port, LOOPBACK, () => {});
    this.#shoutHere6(bytes);
    if (here || loopback) return;
    for (const one of interfaces(family)) if (!one.internal) this.#shoutOn(one, bytes);
  }

  send(bytes: Buffer, host: string, to: number): void {
    const { own4, own6 } = this.#bound;
    (isIPv6(host) ? own6 : own4)?.send(bytes, to, host, () => {});
  }

  close(): Promise<void> {
    return closeAll(this.#sockets);
  }

  #join(one: Interface): void {
    const { multicast } = this.#options;
    if (this.#joined.has(one.address) || multicast === false) return;
    attempt(() => {
      if (one.v6) this.#bound.shared6?.addMembership(multicast.group6, `::%${one.name}`);
      else this.#bound.shared4?.addMembership(multicast.group4, one.address);
      this.#joined.add(one.address);
    });
  }

  #shoutOn(one: Interface, bytes: Buffer): void {
    this.#join(one);
    const { port, multicast } = this.#options;
    const { own4, own6 } = this.#bound;
    attempt(() => {
      if (one.v6 && own6 && multicast) {
        own6.setMulticastInterface(`::%${one.name}`);
        own6.setMulticastTTL(multicast.hops);
        own6.send(bytes, port, multicast.group6, () => {});
      } else if (!one.v6 && own4 && multicast) {
        own4.setMulticastInterface(one.address);
        own4.setMulticastTTL(multicast.hops);
        own4.send(bytes, port, multicast.group4, () => {});
      } else if (!one.v6) own4?.send(bytes, port, broadcastOf(one), () => {});
    });
  }

  #shoutHere6(bytes: Buffer): void {
    const { port, family } = this.#options;
    const { own6 } = this.#bound;
    for (const { name, v6 } of own6 ? interfaces(family) : []) {
      if (!v6) continue;
      this.#joinHere6(name);
      attempt(() => {
        own6?.setMulticastInterface(`::%${name}`);
        own6?.send(bytes, port, LOOPBACK6, () => {});
      });
    }
  }

  #joinHere6(name: string): void {
    if (!this.#joinedHere.has(name)) attempt(() => this.#bound.shared6?.addMembership(LOOPBACK6, `::%${name}`));
    this.#joinedHere.add(name);
  }
}

// Tries what an interface may refuse: one that is going down, or that has no such way.
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
    .map((part, i) => (Number(part) | (~(mask[i] ?? 0) & 0xff)) >>> 0)
    .join('.');
}
