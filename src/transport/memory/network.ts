// A network inside one process: machines, connections with latency, cuts and partitions, on a clock that is handed in.
//
//   MN1. Every byte sent is copied, so that sender and receiver share nothing.
//   MN2. A connection delivers its bytes in order, in chunks of any size.
//   MN3. Across a partition nothing arrives and nothing is reported: only silence tells.
import { type Clock, FlotillaError } from '../../base/index.ts';
import { type Address, printHostPort, readHostPort } from '../address.ts';
import type { Conn, ListeningPlace, Network } from '../contract.ts';
import { MemoryConn } from './conn.ts';

interface Place {
  readonly machine: string;
  readonly accept: (conn: Conn) => void;
}

const SCHEME = 'mem';
const FIRST_FREE_PORT = 40_000;
const WINDOW_BYTES = 256 << 10;

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** A number in [0, 1), for latency and chunking. */
  readonly random: () => number;
  /** The delay of each chunk: a number, or the bounds it is drawn from. */
  readonly latencyMs?: number | readonly [number, number];
}

/** Machines that reach each other in memory. */
export class MemoryNetwork {
  readonly clock: Clock;
  readonly random: () => number;
  latencyMs: readonly [number, number];
  readonly #places = new Map<string, Place>();
  readonly #conns = new Set<MemoryConn>();
  readonly #blocked = new Map<string, number>();
  readonly #stopped = new Set<string>();
  readonly #lives = new Map<string, number>();
  #nextPort = FIRST_FREE_PORT;
  /** Bytes delivered so far, and a digest of them in order: equal seeds give equal digests. */
  readonly trace = { bytes: 0, chunks: 0, digest: 0 };

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock;
    this.random = options.random;
    const latency = options.latencyMs ?? 0;
    this.latencyMs = typeof latency === 'number' ? [latency, latency] : latency;
  }

  /** The network as one machine sees it. */
  at(machine: string): Network {
    return {
      parse: (text, port) => readHostPort(SCHEME, text, port, 'mem://a:1'),
      print: printHostPort,
      local: () => ({ perMachine: false, stays: true }),
      announced: true,
      beside: (address) => ({ ...address, port: 0 }),
      everywhere: () => `${SCHEME}://${machine}`,
      machine: ({ host, port }) => (port === 0 ? host : undefined),
      dial: (address, options) => this.#dial(machine, address, options.timeoutMs),
      listen: (address, accept) => this.#listen(machine, address, accept),
    };
  }

  get connections(): number {
    return this.#conns.size / 2;
  }

  /** The two ends of a connection between two processes of one machine. */
  pair(machine: string, remote: string): [MemoryConn, MemoryConn] {
    const ends: [MemoryConn, MemoryConn] = [new MemoryConn(this, machine, remote), new MemoryConn(this, machine, remote)];
    ends[0].join(ends[1]);
    for (const end of ends) this.#conns.add(end);
    return ends;
  }

  /** Breaks connections: all, or those that touch a machine. Both ends are told. */
  cut(machine?: string): number {
    const cut = [...this.#conns].filter((conn) => machine === undefined || conn.machine === machine);
    for (const conn of cut) conn.break();
    return cut.length;
  }

  /** Lets nothing pass from one machine to another, until healed. */
  block(from: string, to: string): void {
    this.blockFor(from, to);
  }

  /** Does the same until the function returned is called. Blocks of one way add up: it is open when all are undone. */
  blockFor(from: string, to: string): () => void {
    const way = `${from}>${to}`;
    this.#blocked.set(way, (this.#blocked.get(way) ?? 0) + 1);
    let open = true;
    return () => {
      const left = (this.#blocked.get(way) ?? 0) - 1;
      if (!open || left < 0) return;
      open = false;
      if (left > 0) this.#blocked.set(way, left);
      else this.#blocked.delete(way);
      for (const conn of this.#conns) conn.flush();
    };
  }

  /** A machine neither sends nor takes anything, or does so again. */
  stop(machine: string, stopped: boolean): void {
    if (stopped) this.#stopped.add(machine);
    else this.#stopped.delete(machine);
    if (!stopped) for (const conn of this.#conns) conn.flush();
  }

  partition(a: string, b: string): void {
    this.block(a, b);
    this.block(b, a);
  }

  heal(): void {
    this.#blocked.clear();
    for (const conn of this.#conns) conn.flush();
  }

  /** A machine is gone: its connections break silently, nothing listens there any more. */
  crash(machine: string, tell: boolean): void {
    this.#stopped.delete(machine);
    this.#lives.set(machine, (this.#lives.get(machine) ?? 0) + 1);
    for (const [key, place] of this.#places) if (place.machine === machine) this.#places.delete(key);
    for (const conn of [...this.#conns]) if (conn.machine === machine) conn.crash(tell);
  }

  passes(from: string, to: string): boolean {
    return !this.#blocked.has(`${from}>${to}`) && !this.#stopped.has(from) && !this.#stopped.has(to);
  }

  latency(): number {
    const [least, most] = this.latencyMs;
    return least + (most - least) * this.random();
  }

  get windowBytes(): number {
    return WINDOW_BYTES;
  }

  forget(conn: MemoryConn): void {
    this.#conns.delete(conn);
  }

  async #dial(machine: string, address: Address, timeoutMs: number): Promise<Conn> {
    const life = this.#lives.get(machine);
    const place = this.#places.get(`${address.host}:${address.port}`);
    const where = printHostPort(address);
    if (place && !(this.passes(machine, place.machine) && this.passes(place.machine, machine))) {
      await new Promise<void>((resolve) => this.clock.after(timeoutMs, resolve));
      throw new FlotillaError('ERR_LINK_UNREACHABLE', `${where} did not answer within ${timeoutMs / 1000} s.`);
    }
    await new Promise<void>((resolve) => this.clock.after(this.latency() * 2, resolve));
    if (this.#lives.get(machine) !== life) return new Promise(() => {}); // the machine that dialled is no more
    const now = this.#places.get(`${address.host}:${address.port}`);
    if (!now)
      throw new FlotillaError('ERR_LINK_UNREACHABLE', `${where} cannot be reached: nothing listens there.`, { details: { refused: true } });
    const here = new MemoryConn(this, machine, where);
    const there = new MemoryConn(this, now.machine, `${SCHEME}://${machine}:0`);
    here.join(there);
    this.#conns.add(here);
    this.#conns.add(there);
    now.accept(there);
    return here;
  }

  async #listen(machine: string, address: Address, accept: (conn: Conn) => void): Promise<ListeningPlace> {
    const bound: Address = { scheme: SCHEME, host: address.host, port: address.port || this.#nextPort++ };
    const key = `${bound.host}:${bound.port}`;
    if (this.#places.has(key))
      throw new FlotillaError('ERR_LINK_PORT_IN_USE', `Port ${bound.port} on ${bound.host} is used by another runtime.`);
    const place: Place = { machine, accept };
    this.#places.set(key, place);
    return {
      address: bound,
      close: async () => {
        if (this.#places.get(key) === place) this.#places.delete(key);
      },
    };
  }
}
