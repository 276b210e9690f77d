// What does a runtime carry beside messages: calls of services, fan-out of channels, a million tasks, a thousand peers?
import { fileURLToPath } from 'node:url';
import { channelName, Runtime, service, type Task } from 'flotilla';
import { median, peer, type Row, role, times } from './support/measure.ts';

const secret = 'the secret of the benches';
const CALLS = 200_000;
const IN_FLIGHT = 64;
const SUBSCRIBERS = 1_000;
const PUBLISHED = 1_000;
const TASKS = 1_000_000;
const PEERS = 1_000;
const WATCHED_MS = 10_000;

const add = service('add', (_self: Task<never>, a: number, b: number) => a + b);
const news = channelName<{ readonly n: number; readonly text: string }>('news');
const say = (value: unknown): void => void process.send?.(value as object);

async function server(): Promise<Runtime> {
  const runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret });
  runtime.serve(add);
  say(runtime.location);
  return runtime;
}

async function calls(): Promise<number> {
  const other = peer(import.meta.url, 'server');
  const runtime = await Runtime.start({ secret, seeds: [await other.said<string>()] });
  const ref = await runtime.locate(add);
  const rates = await times(3, async () => {
    const started = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < CALLS) await ref.call(next++, 1);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    return CALLS / ((performance.now() - started) / 1_000);
  });
  await runtime.close();
  other.end();
  return median(rates);
}

// Subscribers of another process: each message crosses once and is handed to a thousand mailboxes.
async function subscribers(): Promise<void> {
  const runtime = await Runtime.start({ secret, seeds: [process.env['BENCH_LOCATION'] as string] });
  const channel = await runtime.locate(news);
  let heard = 0;
  const listen = async (self: Task<unknown>): Promise<void> => {
    for await (const _ of self) if (++heard % (SUBSCRIBERS * PUBLISHED) === 0) say('all');
  };
  for (let i = 0; i < SUBSCRIBERS; i++) await channel.subscribe(runtime.spawn(listen));
  say('subscribed');
}

async function fanOut(): Promise<number> {
  const runtime = await Runtime.start({ secret, listen: 'tcp://127.0.0.1:0' });
  const channel = runtime.channel(news);
  const other = peer(import.meta.url, 'subscribers', { BENCH_LOCATION: runtime.location });
  await other.said();
  const rates = await times(3, async () => {
    const all = other.said();
    const started = performance.now();
    for (let n = 0; n < PUBLISHED; n++) if (!channel.send({ n, text: 'something has happened' })) await channel.room();
    await all;
    return (SUBSCRIBERS * PUBLISHED) / ((performance.now() - started) / 1_000);
  });
  other.end();
  await runtime.close();
  return median(rates);
}

async function memory(): Promise<void> {
  const runtime = await Runtime.start({ secret });
  const wait = async (self: Task<number>): Promise<number> => self.receive();
  for (let i = 0; i < TASKS; i++) runtime.spawn(wait);
  await new Promise((resolve) => setTimeout(resolve, 500));
  say(process.memoryUsage.rss() / 2 ** 20);
}

async function peers(): Promise<void> {
  const location = process.env['BENCH_LOCATION'] as string;
  for (let i = 0; i < PEERS; i++) await (await Runtime.start({ secret })).connect(location);
  say('connected');
}

// How much of a core the pulses of a thousand idle peers cost one runtime, as a share.
async function pulses(): Promise<number> {
  const runtime = await Runtime.start({ secret, listen: 'tcp://127.0.0.1:0' });
  const other = peer(import.meta.url, 'peers', { BENCH_LOCATION: runtime.location });
  await other.said();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  const { user, system } = process.cpuUsage(before);
  other.end();
  await runtime.close();
  return (user + system) / 1_000 / WATCHED_MS;
}

/** The rows of this bench. */
export async function bench(): Promise<Row[]> {
  const perSecond = await calls();
  const deliveries = await fanOut();
  const held = peer(import.meta.url, 'memory');
  const megabytes = await held.said<number>();
  held.end();
  const share = await pulses();
  return [
    { name: 'service calls, 64 in flight', unit: '/s', ours: perSecond, limit: 150_000, limitName: 'the goal itself', goal: '>= 150 k/s' },
    {
      name: 'fan-out to 1,000 subscribers',
      unit: '/s',
      ours: deliveries,
      limit: 300_000,
      limitName: 'the goal itself',
      goal: '>= 300 k/s',
    },
    {
      name: '1,000,000 tasks that wait for a message',
      unit: 'MB',
      ours: megabytes,
      limit: 1_000,
      limitName: 'the goal itself',
      goal: '<= 1 GB',
    },
    {
      name: 'pulses of 1,000 peers, share of a core',
      unit: '%',
      ours: share * 100,
      limit: 10,
      limitName: 'the goal itself',
      goal: '<= 10 %',
    },
  ];
}

const ROLES: Record<string, () => unknown> = { server, subscribers, memory, peers };
if (process.argv[1] === fileURLToPath(import.meta.url) && role) await ROLES[role]?.();
