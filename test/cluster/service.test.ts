// What a host daemon is made of, apart: its hours, and whom it obeys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RuntimeId, SILENT, Timers } from '../../src/base/index.ts';
import { Allegiance } from '../../src/cluster/daemons/allegiance.ts';
import { HoursKeeper } from '../../src/cluster/daemons/hours-keeper.ts';
import { SCHEDULER } from '../../src/cluster/protocol.ts';
import { parseHours } from '../../src/host/index.ts';
import type { Runtime } from '../../src/kernel/index.ts';
import { ManualClock, World } from '../../src/testing/index.ts';
import { some } from '../support/doors.ts';

const HOUR_MS = 3_600_000;

test('service hours open a host, ask its clients to leave, and end what they have not, each at its time', async () => {
  const clock = new ManualClock();
  const at = (hours: number): string => {
    const date = new Date(clock.wall() + hours * HOUR_MS);
    return `${date.getHours()}:${date.getMinutes()}`.replace(/\b\d\b/g, '0$&');
  };
  const told: string[] = [];
  const clients = ['c'];
  const host = {
    open: true,
    get clients() {
      return clients.map((name) => ({ id: name as RuntimeId, name, slots: 1 }));
    },
    ask: (reason: string) => void told.push(`asked: ${reason}`),
    interrupt: async (reason: string) => {
      told.push(`interrupted: ${reason}`);
      clients.length = 0;
    },
  };
  const hours = parseHours({ start: at(1), stop: at(2), end: at(3) }, clock.wall());
  const timers = new Timers(clock);
  clients.length = 0;
  new HoursKeeper({ hours, host, clock, timers, log: SILENT, changed: () => void told.push(host.open ? 'open' : 'shut') });
  assert.deepEqual(told.splice(0), ['shut']);
  await clock.advance(HOUR_MS + 60_000);
  assert.deepEqual(told.splice(0), ['open']);
  clients.push('c');
  await clock.advance(HOUR_MS);
  assert.deepEqual(told.splice(0), ['shut', 'asked: its service hours are over']);
  await clock.advance(HOUR_MS);
  assert.deepEqual(told.splice(0), ['interrupted: its service hours have ended']);
  timers.close();
  await clock.advance(48 * HOUR_MS);
  assert.deepEqual([told, clock.pending], [[], 0]);
});

async function hosted(exclusively?: string) {
  const world = new World({ seed: 1, latencyMs: [0, 5] });
  const runtime = await world.start('h', { role: 'host', listen: 'mem://h:1' });
  const allegiance = new Allegiance(runtime, { host: 'h', ...(exclusively ? { exclusively } : {}) });
  const free: string[] = [];
  const scheduler = async (name: string): Promise<Runtime> => {
    const made = await world.start(name, { role: 'scheduler' });
    made.kernel.serve(SCHEDULER, some({}), { message: (_peer, notice) => void free.push(`${name}: ${notice.kind}`) });
    await world.wait(made.connect('mem://h:1'));
    return made;
  };
  return { world, allegiance, free, scheduler };
}

test('a host obeys the scheduler that came first; another is told when it is free, and has it then', async () => {
  const { world, allegiance, free, scheduler } = await hosted();
  const [first, second] = [await scheduler('first'), await scheduler('second')];
  allegiance.enlist(first.id);
  allegiance.enlist(first.id);
  assert.throws(() => allegiance.enlist(second.id), { code: 'ERR_HOST_TAKEN', message: /works for the scheduler 'first'/ });
  assert.deepEqual([allegiance.grants(first.id), allegiance.grants(second.id)], [true, false]);
  const other = allegiance.other(new AbortController().signal);
  await world.wait(first.close());
  await world.wait(other);
  await world.clock.advance(1_000);
  assert.deepEqual([allegiance.scheduler, free], [undefined, ['second: free']]);
  allegiance.enlist(second.id);
  assert.equal(allegiance.scheduler, second.id);
  await world.close();
});

test('a host that was told of a scheduler is nobody else’s, also while that one is away', async () => {
  const { world, allegiance, scheduler } = await hosted('tcp://s:9705');
  const other = await scheduler('other');
  assert.throws(() => allegiance.enlist(other.id), { code: 'ERR_HOST_TAKEN', message: /works for the scheduler at tcp:\/\/s:9705/ });
  await world.close();
});
