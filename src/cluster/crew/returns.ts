// Returns: which places a client gives back when its scheduler asks for some.
//
// Owns the debts: places asked back and not given yet. Does not own the places (crew.ts), nor who needs them (the scheduler's business).
//
//   GB1. A place with nothing to do goes first, whichever was asked for, as nothing is lost by it; the scheduler is told which it is.
//   GB2. A worker that has work is given no more, and its place goes when that work has ended, or another idle place before it.
//   GB3. A place that is asked for is owed until it is given, or may stay.
import type { Clock, RuntimeId, Timer } from '../../base/index.ts';
import { dropFirst } from '../../base/index.ts';
import type { IdlePlaces } from '../../host/index.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Member } from '../dispatch/work.ts';
import type { SchedulerNotice } from '../protocol.ts';
import type { WorkerSlot } from '../schedule/index.ts';
import type { Limits } from './limits.ts';
import type { Station } from './station.ts';

/** A worker that has not finished its work after so long is passed over for one that may be faster. */
const PATIENT_MS = 1_000;
/** A place that is unknown here and still asked for so often is missing: its return cannot be on the way any more. */
const LOST_AFTER = 3;
/** How many abandoned hosts are remembered. A host that restarts has a new id, so nothing else would remove its old one. */
const MOST_ABANDONED = 256;

/** The scheduler as its crew knows it: what the crew tells it. */
export interface CrewScheduler {
  /** Whether a peer is this scheduler. */
  is(peer: RuntimeId): boolean;
  /** Notes that the scheduler is silent, or heard again. */
  offline(offline: boolean): void;
  /** Tells that one place is given instead of another that was asked for. */
  swaps(asked: WorkerSlot, given: WorkerSlot): void;
  /** Tells that the client knows nothing of places that it is said to hold. */
  lacks(host: RuntimeId, slots: readonly number[], epoch: number): void;
}

/** The part of a crew that returns use. */
export interface ReturnsOf {
  readonly stations: ReadonlyMap<RuntimeId, Station>;
  of(station: Station): readonly Member[];
  /** Whether a worker is leaving already, so that the fate of its place is decided. */
  decided(member: Member): boolean;
  at(station: Station, slot: number): Member | undefined;
  /** Gives a worker no more work, and gives its place back when it has nothing under way. */
  leave(member: Member, restart: boolean, reason: string): Promise<void>;
  giveBack(station: Station, slot: number, reason: string): void;
  readonly scheduler: CrewScheduler | undefined;
}

/** The parts that returns are made of. */
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

/** The order in which places go: the lower, the less is lost. Tasks come last, because they may never end by themselves. */
const RANK = { STARTS: 0, IDLE: 1, CALLS: 2, SLOW: 3, TASKS: 4 } as const;

/** The returns of one client. */
export class Returns {
  /** Names of hosts that were given up while silent, until they are granted again. */
  readonly abandoned = new Map<RuntimeId, string>();
  readonly #clock: Clock;
  readonly #dispatcher: Dispatcher;
  readonly #limits: Limits;
  readonly #of: ReturnsOf;
  readonly #debts = new Map<string, Debt>();
  /** Workers that are given no more work, so that their places can go. */
  #draining = new Set<Member>();
  /** Workers that were waited for in vain. */
  readonly #slow = new Set<Member>();
  #timer: Timer | undefined;

  constructor({ clock, dispatcher, limits, of }: ReturnsParts) {
    this.#clock = clock;
    this.#dispatcher = dispatcher;
    this.#limits = limits;
    this.#of = of;
  }

  /** Gives idle places back until there is work. A place that got work meanwhile stays, as the notice was older than the work. */
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

  /** Takes a scheduler's notice of places that are to be given back, may stay, or are held. GB3 */
  hear(notice: SchedulerNotice & { kind: 'revoke' | 'keep' | 'holds' }): void {
    const { host, slots } = notice;
    if (notice.kind === 'keep') for (const slot of slots) this.#debts.delete(`${host} ${slot}`);
    else {
      const mine = this.#of.stations.get(host)?.slots ?? new Set();
      if (notice.kind === 'revoke') for (const slot of slots) if (mine.has(slot)) this.#owe({ host, slot }, notice.among);
      const unknown = slots.filter((slot) => !mine.has(slot));
      // A place that is unknown here may have just been given back, with that word still on its way. If not, nobody uses it:
      // the scheduler hears so, and its host takes it back.
      if (unknown.length > 0 && (notice.kind === 'holds' || notice.times >= LOST_AFTER))
        this.#of.scheduler?.lacks(host, unknown, notice.epoch);
    }
    this.#settle();
  }

  #owe(asked: Place, among: readonly RuntimeId[] | undefined): void {
    const key = `${asked.host} ${asked.slot}`;
    if (!this.#debts.has(key)) this.#debts.set(key, { asked, among: among && new Set(among) });
  }

  /** Tells the scheduler that a lost host's places are nobody's, even if the host still holds them: they may be granted when it is back. */
  disown({ id, name, slots, epoch }: Station, silent: boolean): void {
    if (silent) this.abandoned.set(id, name);
    if (this.abandoned.size > MOST_ABANDONED) dropFirst(this.abandoned);
    if (slots.size > 0) this.#of.scheduler?.lacks(id, [...slots], epoch);
  }

  /** Forgets all debts: a new scheduler asks for what it needs itself. */
  forget(): void {
    this.#debts.clear();
    this.#settle();
  }

  /** Gives up the place of a worker that has nothing to do, if one like it is owed. GB2 */
  idle(member: Member): void {
    const { host, slot } = member.info;
    const station = this.#of.stations.get(host);
    const debts = [...this.#debts.values()].filter((debt) => serves(debt, host, slot));
    const debt = debts.find(({ asked }) => asked.host === host && asked.slot === slot) ?? debts[0];
    if (debt && station && isOpen(station)) this.#give(debt, { station, slot });
    this.#settle();
  }

  // Chooses anew, for each debt, the place that goes at once or the worker that is waited for. GB1, GB2
  #settle(): void {
    const draining = new Set<Member>();
    for (const [key, debt] of [...this.#debts]) {
      const { host, slot } = debt.asked;
      if (!this.#of.stations.get(host)?.slots.has(slot)) {
        this.#debts.delete(key); // the place has gone by itself
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

  // Between places of one rank, a worker that is waited for already goes first, so that the choice does not change all the time; then the
  // place that was asked for.
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
