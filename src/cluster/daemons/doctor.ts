// The doctor finds out why two machines do not find each other: it looks here, reaches there, and has the other side reach back.
import { networkInterfaces } from 'node:os';
import { FlotillaError, hasCode, sleep, toError, toHex } from '../../base/index.ts';
import { nodeEnvironment, PEERS, type PeerInfo, Runtime } from '../../kernel/index.ts';
import { Keys, loadSecret, tcpNetwork } from '../../transport/index.ts';
import { HOST_PORT, SCHEDULER_PORT } from '../protocol.ts';

/** The outcome of one look. */
export interface Finding {
  readonly ok: boolean | undefined;
  readonly what: string;
  /** What the user can do about it. */
  readonly fix?: string;
}

/** Options of {@link examine}. */
export interface DoctorOptions {
  /** The other machine: `HOST`, `HOST:PORT` or `tcp://HOST:PORT`. Without it, only this machine is looked at. */
  readonly other: string | undefined;
  readonly udpPort?: number | undefined;
}

const LEAST_NODE = [20, 19];
const REACH_MS = 4_000;
const BACK_MS = 8_000;

/** Looks at this machine, then at another and back; yields each finding at once. */
export async function* examine({ other, udpPort = SCHEDULER_PORT }: DoctorOptions): AsyncGenerator<Finding, void, void> {
  const environment = nodeEnvironment();
  yield nodeVersion();
  let key: string;
  try {
    const { secret, from, created } = loadSecret(environment.random, environment.variables);
    key = new Keys(secret).id.slice(0, 8);
    yield {
      ok: true,
      what: `the secret is in ${from}${created ? ' (made just now: no other machine has it yet)' : ''}; its key is ${key}`,
    };
  } catch (error) {
    return yield { ok: false, what: `the secret cannot be used: ${toError(error).message}`, fix: 'flotilla secret' };
  }
  const mine = ownAddresses();
  yield {
    ok: mine.length > 0 ? true : undefined,
    what: mine.length > 0 ? `this machine is ${mine.join(', ')}` : 'this machine has no address but its own loopback',
  };
  const runtime = await Runtime.start({ name: 'doctor', listen: 'tcp://0.0.0.0:0', logLevel: 'error' }, environment);
  try {
    for (const [what, port] of [
      ['host', HOST_PORT],
      ['scheduler', SCHEDULER_PORT],
    ] as const) {
      const answer = await reach(runtime, '127.0.0.1', port, 1_000);
      yield answer.peer
        ? { ok: true, what: `the ${answer.peer.role} '${answer.peer.name}' runs here, at port ${port}` }
        : { ok: undefined, what: `no ${what} runs here at port ${port}: ${answer.why}` };
    }
    if (other !== undefined) yield* examineOther(runtime, other, udpPort, key, mine);
  } finally {
    await runtime.close();
  }
}

async function* examineOther(
  runtime: Runtime,
  other: string,
  udpPort: number,
  key: string,
  mine: readonly string[],
): AsyncGenerator<Finding, void, void> {
  const { host, port } = tcpNetwork.parse(other, 0);
  const ports = port === 0 ? [HOST_PORT, SCHEDULER_PORT] : [port];
  const answers = await Promise.all(ports.map(async (one) => ({ one, answer: await reach(runtime, host, one, REACH_MS) })));
  const found = answers.find(({ answer }) => answer.peer)?.answer.peer;
  for (const { one, answer } of answers) {
    if (answer.peer)
      yield { ok: true, what: `tcp to ${host}:${one}: the ${answer.peer.role} '${answer.peer.name}' answers, with our secret` };
    // A port without an answer is no fault if the other port answers: a machine may run a host or a scheduler alone.
    else yield { ok: found ? undefined : false, what: `tcp to ${host}:${one}: ${answer.why}`, fix: fixFor(answer.error, host, one, key) };
  }
  const heard = await runtime.peer(host, { udpPort, timeout: REACH_MS }).then(
    (peers) => ({
      ok: true,
      what: `udp to ${host}:${udpPort}: ${peers.map(({ role, name }) => `the ${role} '${name}'`).join(', ')} answered`,
    }),
    () => ({
      ok: false,
      what: `udp to ${host}:${udpPort}: no answer`,
      fix: `let udp port ${udpPort} in on ${host} (ufw allow ${udpPort}/udp), start its daemon without --no-discovery; or name addresses: --scheduler, --node, 'hosts'`,
    }),
  );
  yield heard;
  if (!found) return yield { ok: undefined, what: `whether ${host} reaches this machine cannot be seen: nothing there can be asked` };
  yield* back(runtime, found, host, mine);
}

// Has the other machine dial this one by tcp and by udp, since a firewall may stop only that direction.
async function* back(runtime: Runtime, peer: PeerInfo, host: string, mine: readonly string[]): AsyncGenerator<Finding, void, void> {
  const { environment } = runtime;
  const [location = ''] = runtime.locations;
  const { port } = tcpNetwork.parse(location, 0);
  const nonce = toHex(environment.random(8));
  let heard = false;
  const [high = 0, low = 0] = environment.random(2);
  const udp = 20_000 + high * 100 + low;
  const socket = await environment.datagrams
    .open({ port: udp, multicast: false, loopback: false, family: undefined }, (bytes) => {
      if (bytes.toString('latin1') === nonce) heard = true;
    })
    .catch(() => undefined);
  try {
    const places = ['127.0.0.1', ...mine];
    const back = places.map((one) => addressOf(one, port));
    const told = await runtime.post.at(peer.id, PEERS, { timeout: BACK_MS * 2 }).probe(back, places, udp, nonce);
    const outside = told.reached.filter((address) => !address.includes('127.0.0.1') || host === '127.0.0.1' || host === 'localhost');
    if (outside.length > 0) yield { ok: true, what: `tcp back: '${peer.name}' reaches this machine at ${outside.join(', ')}` };
    else
      yield {
        ok: undefined,
        what: `tcp back: '${peer.name}' does not reach this machine (tried port ${port})`,
        fix: 'clients need not be reached; a host or scheduler here would: let tcp ports 9705 and 9706 in, or give --advertise behind NAT',
      };
    for (let i = 0; i < 20 && !heard; i++) await sleep(environment.clock, 50);
    if (heard) yield { ok: true, what: `udp back: '${peer.name}' reaches this machine` };
    else
      yield {
        ok: undefined,
        what: `udp back: nothing of '${peer.name}' arrived`,
        fix: `let udp port 9705 in here, if daemons on this machine are to be found (ufw allow 9705/udp)`,
      };
  } catch (error) {
    yield {
      ok: undefined,
      what: `'${peer.name}' cannot try to reach this machine: ${toError(error).message}`,
      fix: 'install the same version of flotilla there',
    };
  } finally {
    await socket?.close();
  }
}

async function reach(
  runtime: Runtime,
  host: string,
  port: number,
  timeout: number,
): Promise<{ peer?: PeerInfo; why: string; error?: unknown }> {
  try {
    const id = await runtime.connect(addressOf(host, port), { timeout });
    const peer = runtime.post.peers.get(id);
    return peer ? { peer, why: '' } : { why: 'it left at once' };
  } catch (error) {
    return { why: toError(error).message, error };
  }
}

const addressOf = (host: string, port: number): string => tcpNetwork.print({ scheme: 'tcp', host, port });

function fixFor(error: unknown, host: string, port: number, key: string): string {
  if (hasCode(error, 'ERR_LINK_WRONG_SECRET'))
    return `the secrets differ (ours has the key ${key}): on ${host}, run 'flotilla secret' and compare; copy the file to both`;
  if (hasCode(error, 'ERR_LINK_VERSION')) return `install the same version of flotilla on ${host}`;
  const daemon = port === SCHEDULER_PORT ? 'flotilla scheduler' : 'flotilla host';
  if (error instanceof FlotillaError && 'refused' in error && error.refused) return `nothing listens there: run '${daemon}' on ${host}`;
  return `run '${daemon}' on ${host}; if it runs, let tcp port ${port} in (ufw allow ${port}/tcp) and check the address`;
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE;
  const ok = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  return ok
    ? { ok, what: `node ${process.versions.node}` }
    : { ok, what: `node ${process.versions.node} is too old`, fix: `install Node ${leastMajor}.${leastMinor} or later` };
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address),
  );
}
