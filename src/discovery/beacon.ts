// A beacon tells runtimes nearby that this one is here, and hears of them: by a hello, and an answer to each hello. It connects to nobody.
//
//   BE1. A hello is repeated, at growing intervals, as long as the beacon is open: lost datagrams cost time only.
//   BE2. A hello is answered after a random delay, once, to where it came from; an answer is no longer than the hello.
//   BE3. An announcement that is unsigned, stale by SKEW_MS, or was seen before is dropped without a word to its sender.
//   BE4. The memory that strangers can fill is bounded.
//   BE5. Runtimes that look by multicast and those that look by broadcast do not hear each other, on one machine either; one that is
//        asked by its address answers both.
import {
  Backoff,
  type Clock,
  dropFirst,
  type Log,
  type RandomBytes,
  type RuntimeId,
  randomFraction,
  type Timer,
  toError,
  toHex,
} from '../base/index.ts';
import { type Announcement, decodeAnnouncement, encodeAnnouncement } from './announcement.ts';
import type { DatagramPeer, DatagramSocket, Signer } from './contract.ts';

/** By how much the clocks of two machines may differ. */
export const SKEW_MS = 30_000;
const FIRST_MS = 300;
const LEAST_MS = 150;
const MOST_MS = 60_000;
const ANSWER_MS = 100;
const NONCES_KEPT = 10_000;
const OWN_NONCES = 64;
const MOST_PENDING = 1_000;
const COMPLAINTS_KEPT = 100;
const NO_NONCE = '0'.repeat(16);

/** A runtime that was heard. */
export interface Heard {
  readonly id: RuntimeId;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Whether it looks for others (`hello`) or answered our own hello (`answer`). */
  readonly by: 'hello' | 'answer';
  /** The machine it spoke from. */
  readonly host: string;
}

export interface BeaconOptions {
  readonly id: RuntimeId;
  readonly name: () => string;
  readonly addresses: () => readonly string[];
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly port: number;
  readonly multicast: boolean;
  readonly log: Log;
  /** Whether it may speak: while it may not, nothing is said and nothing is answered. */
  readonly speaks: () => boolean;
  readonly heard: (heard: Heard) => void;
  /** Whether there is a session with a runtime, whose hello to all is then meant for others. */
  readonly knows: (id: RuntimeId) => boolean;
}

/** Announces one runtime. */
export class Beacon {
  readonly #options: BeaconOptions;
  readonly #socket: DatagramSocket;
  readonly #seen = new Set<string>();
  readonly #own = new Set<string>();
  readonly #pending = new Map<RuntimeId, Timer>();
  readonly #complained = new Set<string>();
  #backoff: Backoff;
  #timer: Timer | undefined;
  #calledAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: BeaconOptions, socket: DatagramSocket) {
    this.#options = options;
    this.#socket = socket;
    this.#backoff = this.#fresh();
  }

  /** Says hello now, and at growing intervals from now on. BE1 */
  again(): void {
    if (this.#closed) return;
    this.#backoff = this.#fresh();
    const { clock } = this.#options;
    if (clock.now() - this.#calledAt >= LEAST_MS) this.#hello();
    else this.#later(); // many peers were lost at once, and one hello will do for all of them
  }

  /** Says hello to one machine: all its runtimes that share the port hear it. */
  ask(host: string, port = this.#options.port): void {
    for (const bytes of this.#make('hello', NO_NONCE, '', true)) this.#socket.send(bytes, host, port);
  }

  /** Takes a datagram. */
  take(bytes: Buffer, from: DatagramPeer): void {
    const { id, clock, signer, speaks } = this.#options;
    if (this.#closed || !speaks()) return;
    let announcement: Announcement;
    try {
      announcement = decodeAnnouncement(signer, bytes);
    } catch (error) {
      return this.#complain(from.host, toError(error).message);
    }
    if (announcement.id === id) return;
    const calls = announcement.kind === 'hello' && !announcement.pass && announcement.replyTo === '';
    if (calls && announcement.multicast !== this.#options.multicast) return; // BE5
    const age = clock.wall() - announcement.time;
    if (Math.abs(age) > SKEW_MS) {
      return this.#complain(
        from.host,
        `Its clock differs from ours by ${Math.round(Math.abs(age) / 1000)} s. Set the clocks of both machines.`,
      );
    }
    if (this.#seen.has(announcement.nonce)) return; // BE3
    this.#seen.add(announcement.nonce);
    if (this.#seen.size > NONCES_KEPT) dropFirst(this.#seen); // BE4
    if (announcement.kind === 'answer' && !this.#own.has(announcement.answers)) return;
    if (announcement.kind === 'hello') this.#answer(announcement, from);
    this.#options.heard({
      id: announcement.id,
      name: announcement.name,
      addresses: announcement.addresses,
      by: announcement.kind,
      host: from.host,
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    for (const timer of this.#pending.values()) timer.cancel();
    this.#pending.clear();
    await this.#socket.close();
  }

  #fresh(): Backoff {
    const { random } = this.#options;
    return new Backoff({ firstMs: FIRST_MS, mostMs: MOST_MS, random: () => randomFraction(random) });
  }

  #hello(): void {
    if (this.#closed) return;
    this.#calledAt = this.#options.clock.now();
    if (this.#options.speaks()) for (const bytes of this.#make('hello', NO_NONCE, '', false)) this.#socket.shout(bytes);
    this.#later();
  }

  #later(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#backoff.next(), () => this.#hello(), { background: true });
  }

  // BE2
  #answer(hello: Announcement, from: DatagramPeer): void {
    const [host = from.host, port = from.port] = hello.replyTo ? hello.replyTo.split(' ') : [];
    if (hello.pass && from.shared) {
      for (const bytes of this.#make('hello', NO_NONCE, `${from.host} ${from.port}`, false, hello)) this.#socket.shout(bytes, true);
    }
    if (this.#pending.has(hello.id) || this.#pending.size >= MOST_PENDING) return;
    if (!hello.pass && !hello.replyTo && this.#options.knows(hello.id)) return; // it looks for others, and has us
    const { clock, random } = this.#options;
    const timer = clock.after(
      randomFraction(random) * ANSWER_MS,
      () => {
        this.#pending.delete(hello.id);
        for (const bytes of this.#make('answer', hello.nonce, '', false)) this.#socket.send(bytes, host, Number(port));
      },
      { background: true },
    );
    this.#pending.set(hello.id, timer);
  }

  // Makes one for each valid key, so that runtimes that have only one of the keys understand it too.
  #make(kind: Announcement['kind'], answers: string, replyTo: string, pass: boolean, of?: Announcement): Buffer[] {
    const { id, name, addresses, signer, clock, random } = this.#options;
    return signer.ids.map((keyId) => {
      const nonce = of?.nonce ?? toHex(random(8));
      if (!of) this.#own.add(nonce);
      if (this.#own.size > OWN_NONCES) dropFirst(this.#own);
      const who = of ?? { id, name: name(), addresses: addresses() };
      const { id: whoId, name: whoName, addresses: whoAddresses } = who;
      return encodeAnnouncement(signer, keyId, {
        kind,
        id: whoId,
        name: whoName,
        addresses: whoAddresses,
        time: clock.wall(),
        nonce,
        answers,
        replyTo,
        pass,
        multicast: this.#options.multicast,
      });
    });
  }

  #complain(host: string, why: string): void {
    if (this.#complained.has(host)) return;
    if (this.#complained.size >= COMPLAINTS_KEPT) this.#complained.clear();
    this.#complained.add(host);
    this.#options.log.warn(`An announcement from ${host} is ignored: ${why}`);
  }
}
