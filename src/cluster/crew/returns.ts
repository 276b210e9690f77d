// Which places a client gives back when its scheduler asks for some.
//
// Owns what was asked back and has not been given. Does not own the places (crew.ts), nor who needs them (the scheduler's business).
//
//   GB1. What has nothing to do goes first, whichever place was asked for; the scheduler is told which goes instead.
//   GB2. Where something runs, nothing more is begun, and the place goes when that has ended; or another that has nothing to do before it.
//   GB3. What is asked for is owed until it is given, or may stay.
import type { Clock, RuntimeId, Timer } from '../../base/index.ts';
import { dropFirst } from '../../base/index.ts';
import type { IdlePlaces } from '../../host/index.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Member } from '../dispatch/work.ts';
import type { SchedulerNotice } from '../protocol.ts';
import type { WorkerSlot } from '../schedule/index.ts';
import type { Limits } from './limits.ts';
import type { Station } from './station.ts';

/** A worker that has not come to its end for so long is not waited for before others. */
const PATIENT_MS = 1_000;
/** What is asked for so often, and is not there, was not given back a moment ago. */
const LOST_AFTER = 3;
/** A host that starts anew is another: the latest are enough to explain what is missing. */
const MOST_ABANDONED = 256;

/** What a crew tells its scheduler, which hears it once it is there. */
export interface CrewScheduler {
  /** Whether that is who it is. */
  is(peer: RuntimeId): boolean;
  /** It is silent, or heard again. */
  offline(offline: boolean): void;
  /** One place is given instead of another that was asked for. */
  swaps(asked: WorkerSlot, given: WorkerSlot): void;
  /** Nothing is known here of places that are said to be held. */
  lacks(host: RuntimeId, slots: readonly number[], epoch: number): void;
}

/** What giving back needs of a crew. */
export interface ReturnsOf {
  readonly stations: ReadonlyMap<RuntimeId, Station>;
  of(station: Station): readonly Member[];
  /** Whether it has been decided already what becomes of a worker's place. */
  decided(member: Member): boolean;
  at(station: Station, slot: number): Member | undefined;
  /** Takes no more for a worker, and gives its place back when it has nothing under way. */
  leave(member: Member, restart: boolean, reason: string): Promise<void>;
  giveBack(station: Station, slot: number, reason: string): void;
  readonly scheduler: CrewScheduler | undefined;
}

/** What giving back is made of. */
export interface ReturnsParts {
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly limits: Limits;
  readonly of: ReturnsOf;
}

interface Place {
  readonly host: RuntimeId;
  readonly slot: number;
}

interface Debt {
  readonly asked: Place;
  readonly among: ReadonlySet<RuntimeId> | undefined;
}

interface Candidate {
  readonly station: Station;
  readonly slot: number;
  readonly member: Member | undefined;
  readonly rank: number;
}

/** What goes before what. */
const RANK = { STARTS: 0, IDLE: 1, CALLS: 2, SLOW: 3, TASKS: 4 } as const;

/** What one client owes. */
export class Returns {
  /** Names of hosts that were silent and given up, until they are granted again. */
  readonly abandoned = new Map<RuntimeId, string>();
  readonly #clock: Clock;
  readonly #dispatcher: Dispatcher;
  readonly #limits: Limits;
  readonly #of: ReturnsOf;
  readonly #debts = new Map<string, Debt>();
  /** They take nothing more, so that their places can go. */
  #draining = new Set<Member>();
  /** Those that were waited for in vain. */
  readonly #slow = new Set<Member>();
  #timer: Timer | undefined;

  constructor({ clock, dispatcher, limits, of }: ReturnsParts) {
    this.#clock = clock;
    this.#dispatcher = dispatcher;
    this.#limits = limits;
    this.#of = of;
  }

  /** Places at which nothing is done are given back until there is work; what was sent to one meanwhile keeps it. CW3 */
  idlePlaces({ host, slots, reason }: IdlePlaces): void {
    const station = this.#of.stations.get(host);
    if (!station) return;
    const places = slots.map((slot) => ({ slot, member: this.#of.at(station, slot) }));
    const idle = places.filter(({ member }) => !member || (member.inFlight.size + member.tasks.size === 0 && !this.#of.decided(member)));
    if (idle.length === 0) return;
    void this.#limits.atMost(station, station.slots.size - idle.length, 'work');
    for (const { slot, member } of idle) {
      if (member) void this.#of.leave(member, false, reason);
      else this.#of.giveBack(station, slot, reason);
    }
  }

  /** The scheduler says what is to be given back, what may stay, or what is held. GB3 */
  hear(notice: SchedulerNotice & { kind: 'revoke' | 'keep' | 'holds' }): void {
    const { host, slots } = notice;
    if (notice.kind === 'keep') for (const slot of slots) this.#debts.delete(`${host} ${slot}`);
    else {
      const mine = this.#of.stations.get(host)?.slots ?? new Set();
      if (notice.kind === 'revoke') for (const slot of slots) if (mine.has(slot)) this.#owe({ host, slot }, notice.among);
      const unknown = slots.filter((slot) => !mine.has(slot));
      // What has just been given back may be on its way still; what is held for nobody is taken back by its host.
      if (unknown.length > 0 && (notice.kind === 'holds' || notice.times >= LOST_AFTER))
        this.#of.scheduler?.lacks(host, unknown, notice.epoch);
    }
    this.#settle();
  }

  #owe(asked: Place, among: readonly RuntimeId[] | undefined): void {
    const key = `${asked.host} ${asked.slot}`;
    if (!this.#debts.has(key)) this.#debts.set(key, { asked, among: among && new Set(among) });
  }

  /** A host is lost to this client, though it may hold places for it still: they are nobody's, and may be granted again when it is back. */
  disown({ id, name, slots, epoch }: Station, silent: boolean): void {
    if (silent) this.abandoned.set(id, name);
    if (this.abandoned.size > MOST_ABANDONED) dropFirst(this.abandoned);
    if (slots.size > 0) this.#of.scheduler?.lacks(id, [...slots], epoch);
  }

  /** Nothing is owed: another scheduler asks for what it needs itself. */
  forget(): void {
    this.#debts.clear();
    this.#settle();
  }

  /** A worker has nothing to do: its place goes, if one like it is owed. GB2 */
  idle(member: Member): void {
    const { host, slot } = member.info;
    const station = this.#of.stations.get(host);
    const debts = [...this.#debts.values()].filter((debt) => serves(debt, host, slot));
    const debt = debts.find(({ asked }) => asked.host === host && asked.slot === slot) ?? debts[0];
    if (debt && station && isOpen(station)) this.#give(debt, { station, slot });
    this.#settle();
  }

  // Chooses anew what goes, and what is waited for. GB1, GB2
  #settle(): void {
    const draining = new Set<Member>();
    for (const [key, debt] of [...this.#debts]) {
      const { host, slot } = debt.asked;
      if (!this.#of.stations.get(host)?.slots.has(slot)) {
        this.#debts.delete(key); // it has gone by itself
        continue;
      }
      const best = this.#best(debt, draining);
      if (best?.member && best.rank > RANK.IDLE) draining.add(best.member);
      else if (best) this.#give(debt, best);
    }
    const before = this.#draining;
    this.#draining = draining;
    const owing = this.#debts.size > 0;
    this.#dispatcher.owe(owing);
    for (const member of before) if (!draining.has(member)) this.#dispatcher.stay(member);
    for (const member of draining) if (!before.has(member)) this.#dispatcher.leave(member);
    if (!owing) this.#slow.clear();
    this.#timer?.cancel();
    this.#timer = owing ? this.#clock.after(PATIENT_MS, () => this.#late(), { background: true }) : undefined;
  }

  #late(): void {
    for (const member of this.#draining) this.#slow.add(member);
    this.#settle();
  }

  #give({ asked }: Debt, { station, slot }: Pick<Candidate, 'station' | 'slot'>): void {
    this.#debts.delete(`${asked.host} ${asked.slot}`);
    if (asked.host !== station.id || asked.slot !== slot) this.#of.scheduler?.swaps(asked, { host: station.id, slot });
    this.#of.giveBack(station, slot, 'another client needs its place');
  }

  #best(debt: Debt, taken: ReadonlySet<Member>): Candidate | undefined {
    let best: Candidate | undefined;
    for (const station of this.#of.stations.values()) {
      if (!isOpen(station)) continue;
      const members = new Map(this.#of.of(station).map((member) => [member.info.slot, member]));
      for (const slot of station.slots) {
        const member = members.get(slot);
        if (!serves(debt, station.id, slot) || (member && (taken.has(member) || this.#of.decided(member)))) continue;
        const candidate = { station, slot, member, rank: this.#rank(member) };
        if (!best || this.#isBefore(debt, candidate, best)) best = candidate;
      }
    }
    return best;
  }

  #rank(member: Member | undefined): number {
    if (!member) return RANK.STARTS;
    if (member.tasks.size > 0) return RANK.TASKS;
    if (member.inFlight.size === 0) return RANK.IDLE;
    return this.#slow.has(member) ? RANK.SLOW : RANK.CALLS;
  }

  // What was asked for before its like, and what is waited for already before that.
  #isBefore({ asked }: Debt, one: Candidate, other: Candidate): boolean {
    if (one.rank !== other.rank) return one.rank < other.rank;
    const isDraining = ({ member }: Candidate): boolean => member !== undefined && this.#draining.has(member);
    if (isDraining(one) !== isDraining(other)) return isDraining(one);
    const isAsked = ({ station, slot }: Candidate): boolean => station.id === asked.host && slot === asked.slot;
    return isAsked(one);
  }
}

function serves({ asked, among }: Debt, host: RuntimeId, slot: number): boolean {
  return (asked.host === host && asked.slot === slot) || !among || among.has(host);
}

function isOpen({ offline, phase }: Station): boolean {
  return !offline && phase !== 'leaving';
}
