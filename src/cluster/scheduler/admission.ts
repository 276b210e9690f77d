// What a scheduler takes in from hosts and clients: everything that is said to it is checked before it counts, so that nobody stops it for all.
import { FlotillaError, label, type RuntimeId } from '../../base/index.ts';
import type { HostPulse, Offer } from '../../host/index.ts';
import type { Limit, Wish } from '../protocol.ts';
import type { ScheduleEvent } from '../schedule/index.ts';

const MOST_WORKERS = 4_096;
const MOST_LIMITS = 20_000;
const MOST_NAME = 256;
const LABEL = label('\n') as string;
const MOST_WEIGHT = 1_000_000;
const MOST_EPOCH = 2 ** 52;
const MOST_MS = 2 ** 52;

/** What a host offers. Throws ERR_OPTION_INVALID. */
export function checkOffer(offer: Offer): Offer {
  const { facts, addresses, held, open, clients } = fieldsOf('An offer', offer);
  const { name, workers } = fieldsOf('The facts of an offer', facts);
  check('the name of a host', name, label(name) === undefined, LABEL);
  check(`the workers of host '${name}'`, workers, isCount(workers, MOST_WORKERS), `a whole number from 1 to ${MOST_WORKERS}`);
  check(`the addresses of host '${name}'`, addresses, Array.isArray(addresses) && addresses.every(isName), 'a list of texts');
  check(`'open' of host '${name}'`, open, typeof open === 'boolean', 'true or false');
  check(`the clients of host '${name}'`, clients, clients === undefined || isCount(clients, MOST_WORKERS), 'a whole number, or absent');
  const isHeld = Array.isArray(held) && held.length <= MOST_WORKERS && held.every(isAssignment);
  check(`what host '${name}' holds`, held, isHeld, 'a list of clients with slots and an epoch');
  return offer;
}

/** What a client wishes. Throws ERR_OPTION_INVALID. */
export function checkWish(wish: Wish): Wish {
  const { name, workers, weight, limits = [], waited, ...flags } = fieldsOf('A wish', wish);
  check('the name of a client', name, label(name) === undefined, LABEL);
  const isWanted = workers === undefined || isCount(workers, Number.MAX_SAFE_INTEGER);
  check(`the workers that client '${name}' wants`, workers, isWanted, 'a whole number from 1, or absent');
  const weighs = typeof weight === 'number' && weight > 0 && weight <= MOST_WEIGHT;
  check(`the weight of client '${name}'`, weight, weighs, `a number above 0, at most ${MOST_WEIGHT}`);
  checkTime(waited);
  for (const [flag, value] of Object.entries({ exclusive: flags.exclusive, picky: flags.picky, hold: flags.hold }))
    check(`'${flag}' of client '${name}'`, value, typeof value === 'boolean', 'true or false');
  check(`the limits of client '${name}'`, limits, Array.isArray(limits) && limits.length <= MOST_LIMITS, 'a list');
  for (const limit of limits) checkLimit(limit);
  return wish;
}

/** A client that wishes, as the schedule takes it in: by its scheduler's rules, and since when by its scheduler's clock. */
export function asClient(
  id: RuntimeId,
  { name, workers, weight, exclusive, picky, limits, waited }: Wish,
  rules: { readonly exclusive?: boolean; readonly quotas?: ReadonlyMap<string, number> },
  now: number,
): ScheduleEvent {
  const quota = rules.quotas?.get(name) ?? rules.quotas?.get('*') ?? Number.POSITIVE_INFINITY;
  const wants = Math.min(workers ?? Number.POSITIVE_INFINITY, quota);
  const alone = rules.exclusive === true || exclusive;
  return { kind: 'client-joined', id, name, wants, weight, exclusive: alone, picky, limits, now, since: now - waited };
}

/** What a client takes of a host. Throws ERR_OPTION_INVALID. */
export function checkLimit(limit: Limit): Limit {
  const { host, most, shut } = fieldsOf('A limit', limit);
  const valid = isName(host) && typeof most === 'number' && most >= 0 && Array.isArray(shut) && shut.length <= MOST_WORKERS;
  check('a limit', limit, valid && shut.every((slot) => isCount(slot, MOST_WORKERS)), 'a host, a number, and a list of slots');
  return limit;
}

/** Whether a host's report says what it must. */
export function isReport(report: HostPulse): boolean {
  const { availability, slots } = report;
  if (typeof availability !== 'object' || availability === null || !Array.isArray(slots) || slots.length > MOST_WORKERS) return false;
  return slots.every((one) => typeof one === 'object' && one !== null && isCount(one.slot, MOST_WORKERS) && isName(one.client));
}

function isAssignment(held: Offer['held'][number]): boolean {
  const { client, slots, epoch } = fieldsOf('What is held', held);
  return isName(client) && Array.isArray(slots) && slots.every((slot) => isCount(slot, MOST_WORKERS)) && epoch >= 0 && epoch <= MOST_EPOCH;
}

/** For how long a client has waited. Throws ERR_OPTION_INVALID. */
export function checkTime(ms: number): number {
  check('the time that a client has waited', ms, typeof ms === 'number' && ms >= 0 && ms <= MOST_MS, 'a number of milliseconds');
  return ms;
}

function isName(text: unknown): text is string {
  return typeof text === 'string' && text.length > 0 && text.length <= MOST_NAME;
}

function isCount(count: unknown, most: number): boolean {
  return Number.isSafeInteger(count) && (count as number) >= 1 && (count as number) <= most;
}

function fieldsOf<T extends object>(what: string, value: T): T {
  check(what, value, typeof value === 'object' && value !== null, 'an object');
  return value;
}

function check(what: string, value: unknown, holds: boolean, must: string): void {
  if (holds) return;
  const said = typeof value === 'object' ? JSON.stringify(value)?.slice(0, 100) : String(value).slice(0, 100);
  throw new FlotillaError('ERR_OPTION_INVALID', `The scheduler does not take ${what}: it must be ${must}, and is ${said}.`);
}
