// Ends on purpose: a console that closes a client, a host that ends, service hours, tasks that do not stop.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FlotillaError, hasCode, SILENT } from '../../src/base/index.ts';
import { type Daemon, type HostDaemonOptions, serveHost } from '../../src/cluster/index.ts';
import { Client, type ClientOptions, type ClusterEvent, type Task, type TaskRef } from '../../src/index.ts';
import { type Environment, nodeEnvironment } from '../../src/kernel/index.ts';
import { tempFolder } from '../support/processes.ts';
import { until } from '../support/until.ts';

type T = { after(fn: () => unknown): void };
const SECRET = 'a secret of tests, long enough';

async function hostIn(t: T, name: string, more: Partial<HostDaemonOptions> = {}, world?: Environment): Promise<Daemon> {
  const daemon = await serveHost(
    { listen: ['tcp://127.0.0.1:0'], name, cpus: 1, discovery: false, secret: SECRET, dest: tempFolder(t), log: SILENT, ...more },
    world,
  );
  t.after(() => daemon.close('terminate'));
  return daemon;
}

interface Seen {
  readonly client: Client;
  readonly events: ClusterEvent[];
  readonly warnings: string[];
  until(holds: (events: readonly ClusterEvent[]) => boolean): Promise<void>;
}

async function clientOf(t: T, daemons: readonly Daemon[], options: ClientOptions = {}): Promise<Seen> {
  const events: ClusterEvent[] = [];
  const warnings: string[] = [];
  const hosts = daemons.map(({ locations }) => ({ host: 'localhost', port: Number(/\d+$/.exec(locations[0] as string)?.[0]) }));
  const client = await Client.connect({
    scheduler: 'local',
    local: false,
    hosts,
    secret: SECRET,
    output: 'ignore',
    onStatus: (event) => events.push(event),
    warn: (text) => warnings.push(text),
    ...options,
  });
  t.after(() => client.close({ terminate: true }));
  const told = (): string => `it did not come to hold: ${events.map(({ kind }) => kind).join(', ')}`;
  return { client, events, warnings, until: (holds) => until(() => holds(events), told) };
}

const has = (events: readonly ClusterEvent[], kind: ClusterEvent['kind'], times = 1): boolean =>
  events.filter((event) => event.kind === kind).length >= times;
const reasons = (events: readonly ClusterEvent[]): string[] => events.flatMap((event) => ('reason' in event ? [event.reason] : []));

// A task that goes on whatever is asked of it, and says when it has begun.
async function stubborn(_self: Task<never>, to: TaskRef<string>, computes: boolean): Promise<never> {
  to.send('begun');
  for (;;) {
    if (computes) for (const end = Date.now() + 60_000; Date.now() < end; );
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
async function begin({ client }: Seen, computes: boolean): Promise<TaskRef<never, never>> {
  const hears = client.runtime.spawn(async (self: Task<string>) => self.receive());
  const task = await client.spawn(stubborn, hears, computes);
  await hears.result;
  return task;
}

describe('ends on purpose', { concurrency: true }, () => {
  test('a client that the console of a host closes is closed there for good; after its last host it is closed altogether', async (t) => {
    const [north, south] = await Promise.all([hostIn(t, 'north'), hostIn(t, 'south')]);
    const seen = await clientOf(t, [north, south]);
    const { client, events, until } = seen;
    await until((all) => has(all, 'worker-initialized', 2));
    await north.closeClients(undefined);
    await until((all) => has(all, 'host-closed'));
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'host-closed').map((event) => 'host' in event && event.host),
      ['north'],
    );
    // More than one worker could do, for longer than a client waits before it asks again.
    const where = await Promise.all(
      Array.from({ length: 20 }, () => client.run(() => new Promise<number>((resolve) => setTimeout(() => resolve(process.pid), 100)))),
    );
    assert.equal(new Set(where).size, 1);
    await client.allocate('*');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(
      client.hosts().map(({ name }) => name),
      ['south'],
    );
    const call = client.run(() => new Promise(() => {})).catch((error: FlotillaError) => error.code);
    await south.closeClients(client.runtime.name);
    await until((all) => has(all, 'client-closed'));
    assert.equal(events.at(-1)!.kind, 'client-closed');
    assert.equal(await call, 'ERR_CLUSTER_CLOSED');
    assert.throws(() => client.run(() => 1), { code: 'ERR_CLOSED' });
    assert.ok(!has(events, 'host-lost') && !has(events, 'worker-lost'), reasons(events).join());
  });

  test('a task that outlives its grace period is terminated, and only what runs beside it is lost with its worker', async (t) => {
    const seen = await clientOf(t, [await hostIn(t, 'north', { cpus: 2 })]);
    const { client } = seen;
    await seen.until((all) => has(all, 'worker-initialized', 2));
    const beside = await client.with({ io: 2 }).spawn(async (self: Task<never>) => self.receive());
    const [waits, computes] = await Promise.all([
      client.with({ io: 2 }).spawn(async (self: Task<never>) => {
        for (;;) await new Promise((resolve) => setTimeout(resolve, self.signal.aborted ? 10 : 5));
      }),
      begin(seen, true),
    ]);
    waits.terminate('no longer needed');
    computes.terminate('no longer needed');
    const ends = await Promise.all([waits.ended, computes.ended, beside.ended]);
    assert.deepEqual(
      ends.map(({ kind }) => kind),
      ['terminated', 'terminated', 'worker-lost'],
    );
    for (const end of ends.slice(0, 2)) assert.ok('error' in end && hasCode(end.error, 'ERR_TASK_INTERRUPTED'));
    assert.ok(!reasons(seen.events).some((text) => /memory|SIGKILL/.test(text)), reasons(seen.events).join());
  });

  for (const computes of [false, true]) {
    test(`what a host ends on purpose is told as such: a second quit, while a task ${computes ? 'computes' : 'does not stop'}`, async (t) => {
      const north = await hostIn(t, 'north');
      const seen = await clientOf(t, [north]);
      const task = await begin(seen, computes);
      void north.close('wait');
      await north.close('terminate');
      assert.equal((await task.ended).kind, 'terminated');
      await seen.until((all) => has(all, 'host-closed'));
      assert.ok(
        !has(seen.events, 'host-lost') && !reasons(seen.events).some((text) => /memory|SIGKILL/.test(text)),
        reasons(seen.events).join('\n'),
      );
    });
  }

  test('a set-up that cannot heal ends connect at once', async (t) => {
    const north = await hostIn(t, 'north');
    const failing = [
      { hostSetUp: () => process.exit(7) },
      {
        hostSetUp: () => {
          throw new Error('no table here');
        },
      },
      { workerSetUp: () => process.exit(8) },
    ];
    for (const [i, why] of [/exited with code 7/, /no table here/, /exited with code 8/].entries())
      await assert.rejects(
        clientOf(t, [north], failing[i]),
        (error: Error) => hasCode(error, 'ERR_HOST_SET_UP') && why.test(error.message),
      );
  });

  test('what is ended as the service hours end is told with that reason', async (t) => {
    const real = nodeEnvironment();
    // Two seconds before midnight, local time, for as long as it takes to connect and begin.
    const midnight = new Date();
    midnight.setHours(24, 0, 0, 0);
    let wall = midnight.getTime() - 2_000;
    const clock = { ...real.clock, wall: () => wall };
    const hours = { serviceStart: '12:00', serviceEnd: '00:00' };
    const seen = await clientOf(t, [await hostIn(t, 'north', hours, { ...real, clock })]);
    const task = await begin(seen, false);
    wall = midnight.getTime() + 1_000;
    assert.equal((await task.ended).kind, 'terminated');
    await seen.until((all) => has(all, 'host-closed'));
    const told = seen.events.flatMap((event) =>
      /-closed|-lost/.test(event.kind) && 'reason' in event ? [`${event.kind}: ${event.reason}`] : [],
    );
    assert.deepEqual(told.slice(0, 2), ['worker-closed: its service hours have ended', 'host-closed: its service hours have ended']);
  });
});
