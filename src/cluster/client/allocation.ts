// Which hosts a client takes, and how many workers of each: its allocations in order, the first that decides, decides.
//
//   AL1. A host that no allocation matches is not used. A pattern matches the whole name or address, `*` any part of it; a name without
//       `*` is resolved, too.
//   AL2. A platform is a regular expression, sought anywhere in the host's, ignoring case; if it is absent, the next allocation is asked.
//   AL3. A host with too few workers, too little memory or disk is refused; only a negative answer of `allocate` asks the next allocation.
import { callback, defineOptions, FlotillaError, type Kind, number, suggest, text, toError } from '../../base/index.ts';
import { type Address, isLoopback, isThisMachine, tcpNetwork } from '../../transport/index.ts';
import type { HostOffer } from '../protocol.ts';
import { namesHost } from '../where.ts';

/** One rule about hosts; it may have fields of its own, and be an object of a class. Called `DispycosNodeAllocate` in dispycos. */
export interface HostAllocation {
  /** A name, an address, or a pattern with `*`; `*` by default. (`node`) */
  readonly host?: string;
  /** The host's port: a host that is named is asked there, at 9706 by default; a host that was found must have this port. */
  readonly port?: number;
  /** A regular expression, sought anywhere in `type-release-machine-node-version`, ignoring case. */
  readonly platform?: string | RegExp;
  /** The least workers that the host must offer; any number will do if absent or 0. (`cpus`) */
  readonly workers?: number;
  /** The least bytes of memory that must be free. */
  readonly memory?: number;
  readonly disk?: number;
  /** Decides in this process how many workers to take: 0 refuses the host, a negative number asks the next allocation. */
  readonly allocate?: (offer: HostOffer) => number | Promise<number>;
}

const pattern: Kind<string | RegExp> = (value) =>
  typeof value === 'string' || value instanceof RegExp ? undefined : 'a text or a regular expression';

const ALLOCATION = defineOptions<HostAllocation>('An allocation', {
  host: { is: text, also: ['node'] },
  port: { is: number(0) },
  platform: { is: pattern },
  workers: { is: number(0), also: ['cpus'] },
  memory: { is: number(0) },
  disk: { is: number(0) },
  allocate: { is: callback },
});
const FIELDS = Object.entries(ALLOCATION.rows).map(([name, { also = [] }]) => ({ name, also }));

/** Checks the allocations of an option. Throws ERR_OPTION_*. */
export function allocationsOf(hosts: readonly (string | HostAllocation)[]): readonly HostAllocation[] {
  return hosts.map((given) => {
    if (typeof given === 'string') return { host: given };
    if (typeof given !== 'object' || given === null)
      throw new FlotillaError('ERR_OPTION_INVALID', `Client.connect: 'hosts' holds names and allocations, not ${String(given)}.`);
    if (Object.getPrototypeOf(given) === Object.prototype) checkFields(given);
    const { host, port, platform, workers, memory, disk, allocate } = given; // fields of its class, too
    ALLOCATION.check({ host, port, platform, workers, memory, disk, allocate });
    if (typeof platform === 'string') asPattern(platform);
    return given;
  });
}

// Finds slips: a field that is spelt almost like one of ours, or as dispycos spells it, unless ours is given, too. All other fields are
// the program's own.
function checkFields(given: HostAllocation): void {
  const names = FIELDS.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    const meant = FIELDS.find(({ also }) => also.includes(name))?.name ?? suggest(name, names);
    if (meant !== undefined && !(meant in given)) ALLOCATION.check({ [name]: true });
  }
}

/** How many workers of a host to take; 0 refuses it. `resolve` gives the addresses of a name. Rejects with the error of an `allocate`. */
export async function decide(
  allocations: readonly HostAllocation[],
  offer: HostOffer,
  resolve: (name: string) => Promise<readonly string[]> = async () => [],
): Promise<{ readonly take: number; readonly why: string }> {
  let why = `no allocation matches '${offer.name}' (${offer.location}); add '*' to take all others`;
  for (const allocation of allocations) {
    const { host = '*', platform, workers = 0, memory = 0, disk = 0 } = allocation;
    if (!(await means(allocation, offer, resolve))) continue; // AL1
    const pattern = typeof platform === 'string' ? asPattern(platform) : platform;
    if (pattern && !new RegExp(pattern.source, 'i').test(offer.platform)) {
      why = `the platform ${offer.platform} is not ${String(platform)}`;
      continue; // AL2
    }
    const lack = lacking(offer, workers, memory, disk);
    if (lack) return { take: 0, why: lack }; // AL3
    if (!allocation.allocate) return { take: Number.POSITIVE_INFINITY, why: '' };
    const take = await allocation.allocate(offer);
    if (typeof take !== 'number' || Number.isNaN(take))
      throw new FlotillaError('ERR_OPTION_INVALID', `The 'allocate' of '${host}' must return a number; it returned ${String(take)}.`);
    if (take >= 0) return { take: Math.floor(take), why: 'its allocation refuses it' };
    why = `the allocation of '${host}' passes it on, and no other takes it`;
  }
  return { take: 0, why };
}

function lacking(offer: HostOffer, workers: number, memory: number, disk: number): string | undefined {
  if (offer.workers < workers) return `it offers ${offer.workers} workers, and ${workers} are wanted`;
  const free = offer.availability;
  if (free && free.memory < memory) return `it has ${free.memory} bytes of memory free, and ${memory} are wanted`;
  if (free && free.disk < disk) return `it has ${free.disk} bytes of disk free, and ${disk} are wanted`;
  return undefined;
}

// Whether a rule means a host.
async function means(
  { host = '*', port }: HostAllocation,
  { name, addresses }: HostOffer,
  resolve: (name: string) => Promise<readonly string[]>,
): Promise<boolean> {
  const there = addresses.flatMap((text) => placeOf(text) ?? []).filter((at) => port === undefined || at.port === port);
  if (port !== undefined && there.length === 0) return false;
  if (namesHost(host, name, port === undefined ? addresses : there.map(tcpNetwork.print))) return true;
  const sought = host.includes('*') ? undefined : placeOf(host);
  if (!sought) return false;
  const found = await resolve(sought.host);
  return there.some(
    (at) =>
      (sought.port === 0 || sought.port === at.port) &&
      found.some((address) => address === at.host || (isLoopback(address) && isThisMachine(at.host))),
  );
}

// Hosts are told apart by the addresses of machines, which are those of tcp.
function placeOf(text: string): Address | undefined {
  try {
    return tcpNetwork.parse(text, 0);
  } catch {
    return undefined; // a name that cannot be an address
  }
}

function asPattern(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new FlotillaError('ERR_OPTION_INVALID', `An allocation's 'platform' is no regular expression: ${toError(error).message}.`);
  }
}
