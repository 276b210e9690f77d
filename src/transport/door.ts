// The door of a listening runtime: how many strangers may stand in it, and who goes when more come.
//
//   DOOR1. At most PENDING.all connections that have proved nothing stand open, PENDING.each of one other machine.
//   DOOR2. A stranger is let in even when the door is full: the source with most connections there loses its oldest. So a flood
//          turns out itself, and a runtime that proves itself at once has left the door before its turn comes.
//   DOOR3. A machine whose connections fail FAILING.times within a time is turned away for that time, and for longer each time it
//          happens again; this machine itself is not, since it could lock out its own user.
import type { Clock } from '../base/index.ts';
import { dropFirst } from '../base/index.ts';

/** How many connections may be open that have proved nothing: in all, and of one other machine. */
export const PENDING = { all: 512, each: 64 } as const;

/** When a machine is turned away: after so many failures within a time, for that time at first, and at most for the longest. */
export const FAILING = { times: 20, withinMs: 10_000, longestMs: 300_000, remembered: 10_000 } as const;

/** A connection in the door. */
export interface Guest {
  /** It has proved itself, or is gone. */
  leave(): void;
  /** It could not prove itself. */
  failed(): void;
}

interface Standing {
  readonly turnOut: () => void;
  readonly since: number;
}

/** Keeps one door: lets strangers in, and turns some out. */
export class Doorkeeper {
  readonly #failures: Failures;
  readonly #sources = new Map<string, Set<Standing>>();
  #count = 0;
  #arrivals = 0;

  constructor(clock: Clock) {
    this.#failures = new Failures(clock);
  }

  /** Lets a connection in from an address, this machine's own or another's; undefined if it is turned away. `turnOut` makes room. */
  enter(address: string, local: boolean, turnOut: () => void): Guest | undefined {
    const source = sourceOf(address);
    if (!local && this.#failures.tooMany(source)) return undefined; // DOOR3
    const there = this.#sources.get(source);
    if (!local && there && there.size >= PENDING.each) this.#turnOut(source, there); // DOOR1
    if (this.#count >= PENDING.all) this.#turnOut(...this.#fullest()); // DOOR2
    const standing: Standing = { turnOut, since: this.#arrivals++ };
    const of = this.#sources.get(source) ?? new Set();
    this.#sources.set(source, of.add(standing));
    this.#count++;
    return {
      leave: () => void this.#leave(source, of, standing),
      failed: () => void (this.#leave(source, of, standing) && !local && this.#failures.add(source)),
    };
  }

  #turnOut(source: string, there: Set<Standing>): void {
    const [oldest] = there;
    if (oldest && this.#leave(source, there, oldest)) oldest.turnOut();
  }

  #fullest(): [string, Set<Standing>] {
    let found: [string, Set<Standing>] | undefined;
    for (const entry of this.#sources) if (!found || comesBefore(entry[1], found[1])) found = entry;
    return found as [string, Set<Standing>];
  }

  #leave(source: string, of: Set<Standing>, standing: Standing): boolean {
    if (!of.delete(standing)) return false;
    this.#count--;
    if (of.size === 0 && this.#sources.get(source) === of) this.#sources.delete(source);
    return true;
  }
}

function comesBefore(one: Set<Standing>, other: Set<Standing>): boolean {
  if (one.size !== other.size) return one.size > other.size;
  const [a] = one;
  const [b] = other;
  return (a?.since ?? 0) < (b?.since ?? 0);
}

/** The source that a connection from an address counts for: an IPv4 address itself; of an IPv6 address its network of 64 bits, in which one machine may have any address. */
export function sourceOf(address: string): string {
  const host = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!host.includes(':')) return host;
  const [left = '', right] = host.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const groups = right === undefined ? before : [...before, ...Array(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
  return groups.slice(0, 4).join(':');
}

/** Counts, by source, the connections that have failed of late. */
class Failures {
  readonly #clock: Clock;
  readonly #by = new Map<string, { count: number; until: number; ms: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(source: string): void {
    const now = this.#clock.now();
    const known = this.#by.get(source);
    const entry = known && known.until > now ? known : { count: 0, until: now + FAILING.withinMs, ms: known?.ms ?? FAILING.withinMs };
    this.#by.delete(source);
    this.#by.set(source, entry);
    if (this.#by.size > FAILING.remembered) dropFirst(this.#by);
    if (++entry.count !== FAILING.times) return;
    entry.until = now + entry.ms;
    entry.ms = Math.min(entry.ms * 2, FAILING.longestMs);
  }

  tooMany(source: string): boolean {
    const entry = this.#by.get(source);
    return entry !== undefined && entry.count >= FAILING.times && entry.until > this.#clock.now();
  }
}
