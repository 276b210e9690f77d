// The thread that answers for a client whose own thread computes: it says to every peer that the process lives.
//
// Owns its links, one to each address that it was told of. Does not own the sessions, which belong to the thread that computes.
//
//   PL1. Every pulse says whether the other thread has moved since the pulse before the last: a peer takes a thread that stands still
//        for busy, not for gone.
//   PL2. An address that cannot be dialled any more is forgotten while the other thread moves, which names it again if it is needed.
import { parentPort, workerData } from 'node:worker_threads';
import { type Clock, type RandomBytes, Timers } from '../../base/index.ts';
import {
  type Certificate,
  type Dial,
  dialAndGreet,
  Identity,
  Keyring,
  Link,
  type Networks,
  networkOf,
  parseAddress,
  type Role,
  systemNetworks,
} from '../../transport/index.ts';
import { KIND } from '../../wire/index.ts';
import { realClock, realRandom } from '../environment.ts';
import { controlFrame } from '../sessions/session.ts';

const DIAL_MS = 3_000;

/** The data that the thread starts with. */
export interface PulseStart {
  /** The private key of the runtime. */
  readonly identity: Uint8Array;
  readonly role: Role;
  readonly secret: Uint8Array;
  readonly pulseMs: number;
  readonly encrypt: 'auto' | 'always';
  readonly certificate: { readonly cert: Uint8Array; readonly key: Uint8Array; readonly ca: Uint8Array } | undefined;
  /** Counts up while the other thread moves. */
  readonly beat: Int32Array;
}

/** The part of the outside world that the thread may reach. */
export interface PulseWorld {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly networks: Networks;
}

/** Keeps up the pulse to addresses. */
export class Pulses {
  readonly #world: PulseWorld;
  readonly #start: PulseStart;
  readonly #keys: Keyring;
  readonly #identity: Identity;
  readonly #certificate: Certificate | undefined;
  readonly #wanted = new Set<string>();
  readonly #links = new Map<string, Link | 'dialling'>();
  readonly #timers: Timers;
  #lastBeat = 0;
  /** The number of pulses for which the other thread has stood still. */
  #still = 0;

  constructor(world: PulseWorld, start: PulseStart) {
    const { certificate: given } = start;
    this.#world = world;
    this.#start = start;
    this.#keys = new Keyring(start.secret);
    this.#identity = new Identity(start.identity);
    this.#certificate = given && { cert: Buffer.from(given.cert), key: Buffer.from(given.key), ca: Buffer.from(given.ca) };
    this.#timers = new Timers(world.clock);
    this.#timers.every(start.pulseMs, () => this.#pulse());
  }

  /** Keeps up the pulse to the runtime at an address, from now on. */
  watch(address: string): void {
    this.#wanted.add(address);
    if (!this.#links.has(address)) void this.#dial(address);
  }

  close(): void {
    this.#timers.close();
    for (const link of this.#links.values()) if (link instanceof Link) link.destroy();
  }

  async #dial(address: string): Promise<void> {
    const { clock, random, networks } = this.#world;
    const { role, encrypt } = this.#start;
    this.#links.set(address, 'dialling');
    try {
      const self = { identity: this.#identity, role, keys: this.#keys, clock, random };
      const where = parseAddress(networks, address);
      const network = networkOf(networks, where);
      const dial: Dial = ({ psk }, exposed) =>
        network.dial(where, {
          timeoutMs: DIAL_MS,
          psk,
          encrypt: exposed ? 'always' : encrypt,
          certificate: this.#certificate,
        });
      const { greeted, conn } = await dialAndGreet(dial, self, { purpose: 'pulse' });
      const link = new Link(conn, greeted);
      link.start({ frame() {}, alive() {}, drain() {}, closed: () => this.#links.delete(address) });
      this.#links.set(address, link);
    } catch {
      this.#links.delete(address);
    }
  }

  #pulse(): void {
    const now = Atomics.load(this.#start.beat, 0);
    this.#still = now === this.#lastBeat ? this.#still + 1 : 0;
    this.#lastBeat = now;
    const frame = controlFrame(KIND.PULSE, Uint8Array.of(this.#still > 1 ? 1 : 0)); // PL1
    for (const address of this.#wanted) {
      const link = this.#links.get(address);
      if (link instanceof Link) link.write(frame);
      else if (link === undefined && this.#still === 0) this.#wanted.delete(address); // PL2
    }
  }
}

if (parentPort) {
  const world = { clock: realClock, random: realRandom };
  const pulses = new Pulses({ ...world, networks: systemNetworks(world) }, workerData as PulseStart);
  parentPort.on('message', (address: string) => pulses.watch(address));
}
