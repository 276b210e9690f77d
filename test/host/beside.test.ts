// A tenant that is neither scheduler nor client: processes of its own on a host, beside the places that are granted.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FlotillaError, type RuntimeId } from '../../src/base/index.ts';
import { type ChildHandler, type Ground, HOST, Host, type HostNotice, SystemGround, TENANT, type Tenants } from '../../src/host/index.ts';
import { nodeEnvironment, Runtime } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';
import { ROOT, tempFolder, writeProgram } from '../support/processes.ts';
import { until } from '../support/until.ts';

/** Lets every peer have so many processes, and grants no places. */
function managers(most: number): Tenants & { readonly gone: RuntimeId[] } {
  const gone: RuntimeId[] = [];
  return {
    gone,
    grants: () => false,
    enlist() {
      throw new FlotillaError('ERR_HOST_TAKEN', 'This host has no scheduler.');
    },
    owner: () => [],
    processes: () => most,
    freed() {},
    left: (tenant) => void gone.push(tenant),
    vacant() {},
  };
}

/** Hears what a host tells a tenant. */
function hear(runtime: Runtime): HostNotice[] {
  const heard: HostNotice[] = [];
  runtime.kernel.serve(TENANT, {}, { message: (_peer, notice) => void heard.push(notice) });
  return heard;
}

/** A host on virtual time, whose processes are runtimes of the world. */
async function hostIn(world: World, tenants: Tenants) {
  const runtime = await world.start('h', { role: 'host', listen: 'mem://h:1' });
  const handlers = new Map<string, ChildHandler>();
  const homes: string[] = [];
  const ground: Ground = {
    launch: (config, _home, handler) => {
      const [near, far] = world.network.pair('h', config.name);
      let ended = false;
      const end = (reason: string): void => {
        if (ended) return;
        ended = true;
        handlers.delete(config.name);
        near.destroy();
        handler.ended(reason, []);
      };
      handlers.set(config.name, { ...handler, ended: end });
      if (config.name === 'stillborn') world.clock.after(1, () => end('it exited with code 1'));
      else if (config.name !== 'mute')
        void Runtime.start({ name: config.name, role: 'worker' }, world.environment('h')).then((worker) => worker.hub.adopt(far, 'dialer'));
      return {
        pid: 1,
        conn: near,
        kill: (reason) => {
          end(reason);
          return Promise.resolve();
        },
      };
    },
    enter: (tenant, stay) => {
      homes.push(`${tenant}-${stay}`);
      return { folder: `${tenant}-${stay}`, account: undefined };
    },
    room: ({ folder }, slot) => `${folder}/${slot}`,
    give() {},
    leave: async ({ folder }) => void homes.splice(homes.indexOf(folder), 1),
    store: { put: () => Promise.resolve(), provide: () => Promise.resolve([]), install: () => Promise.resolve() },
    availability: () => ({ cpu: 100, memory: 1, disk: 1, swap: 0, load: 0 }),
    close: () => Promise.resolve(),
  };
  const host = new Host(runtime, { name: 'h', workers: 2, ground, secret: runtime.secret }, tenants);
  return { host, runtime, handlers, homes };
}

test('a tenant of no scheduler starts processes beside the places, hears of them, and has no more than it may at a time', async () => {
  const world = new World({ seed: 1, latencyMs: [0, 5] });
  const { host, runtime, handlers } = await hostIn(world, managers(2));
  const manager = await world.start('m');
  const heard = hear(manager);
  await world.wait(manager.connect('mem://h:1'));
  const asked = manager.kernel.at(runtime.id, HOST);
  const [first, second] = [await world.wait(asked.start('first')), await world.wait(asked.start('second'))];
  assert.deepEqual([first.name, first.host, first.slot, second.slot], ['first', runtime.id, -1, -2]);
  await assert.rejects(world.wait(asked.start('third')), { code: 'ERR_HOST_PROCESSES' });
  assert.deepEqual([host.offer.held, host.report.slots, host.offer.facts.workers], [[], [], 2], 'no place is taken by them');
  handlers.get('first')?.output('stdout', 'hello\n');
  handlers.get('first')?.ended('it called process.exit(0)', ['hello']);
  await world.clock.advance(1_000);
  host.tick();
  await world.clock.advance(1_000);
  assert.deepEqual(heard, [
    { kind: 'output', worker: 'first', stream: 'stdout', text: 'hello\n' },
    {
      kind: 'worker-ended',
      worker: first.id,
      name: 'first',
      reason: 'it called process.exit(0)',
      lastLines: [],
      blameless: false,
      terminated: undefined,
    },
  ]);
  await world.clock.advance(60_000);
  assert.deepEqual([...handlers.keys()], ['second'], 'nobody starts another in its place');
  const third = await world.wait(asked.start('third'));
  assert.equal(third.slot, -3);
  await world.wait(host.close());
  await world.close();
});

test('a process that cannot begin says why, and counts no longer; one that has not begun yet counts', async () => {
  const world = new World({ seed: 1, latencyMs: [0, 5] });
  const tenants = managers(1);
  const { host, runtime, homes } = await hostIn(world, tenants);
  const manager = await world.start('m');
  hear(manager);
  await world.wait(manager.connect('mem://h:1'));
  const asked = manager.kernel.at(runtime.id, HOST);
  await assert.rejects(world.wait(asked.start('stillborn')), { code: 'ERR_HOST_START', message: /did not start: it exited with code 1/ });
  await world.clock.advance(10);
  assert.deepEqual([homes, host.clients], [[], []], 'whoever has nothing leaves nothing');
  const mute = asked.start('mute');
  mute.catch(() => {});
  await world.clock.advance(1_000);
  await assert.rejects(world.wait(asked.start('other')), { code: 'ERR_HOST_PROCESSES' });
  await world.wait(asked.end(-1, 'it takes too long'));
  await assert.rejects(world.wait(mute), { code: 'ERR_HOST_START' });
  assert.deepEqual([homes, host.clients, tenants.gone.length], [[], [], 2]);
  host.open = false;
  await assert.rejects(world.wait(asked.start('late')), { code: 'ERR_CLUSTER_STALE_GRANT' });
  await world.close();
});

test('a host whose tenants may have none starts nothing beside places, and counts nobody as a client for asking', async () => {
  const world = new World({ seed: 1, latencyMs: [0, 5] });
  const tenants = managers(0);
  const { host, runtime } = await hostIn(world, tenants);
  const manager = await world.start('m');
  await world.wait(manager.connect('mem://h:1'));
  await assert.rejects(world.wait(manager.kernel.at(runtime.id, HOST).start('any')), {
    code: 'ERR_HOST_PROCESSES',
    message: /Host 'h' starts no processes beside the places/,
  });
  assert.deepEqual([host.clients, tenants.gone], [[], []]);
  await world.close();
});

test('what a tenant has beside places ends with it, and leaves nothing behind: processes, folders', { timeout: 60_000 }, async (t) => {
  const { clock, random, variables } = nodeEnvironment();
  const dest = tempFolder(t);
  const main = JSON.stringify(join(ROOT, 'dist/lib/worker/main.js'));
  const entry = writeProgram(dest, 'entry.cjs', `console.log('a line of ' + process.pid); require(${main});`);
  const secret = 'a secret for this test';
  const runtime = await Runtime.start({ name: 'h', role: 'host', listen: 'tcp://127.0.0.1:0', secret });
  t.after(() => runtime.close());
  const ground = new SystemGround({ entry, random, variables, clock, dest });
  const tenants = managers(2);
  const host = new Host(runtime, { name: 'h', workers: 1, ground, secret: runtime.secret }, tenants);
  t.after(() => host.close());
  const manager = await Runtime.start({ name: 'm', secret });
  t.after(() => manager.close());
  const heard = hear(manager);
  await manager.connect(runtime.locations[0] as string);
  const asked = manager.kernel.at(runtime.id, HOST);
  const [first, second] = await Promise.all([asked.start('first'), asked.start('second')]);
  const home = host.homeOf(manager.id)?.folder as string;
  assert.deepEqual([existsSync(home), readdirSync(home).sort()], [true, ['-1', '-2', 'code', 'node_modules']]);
  for (const { name, pid } of [first, second])
    await until(() => heard.some((one) => one.kind === 'output' && one.worker === name && one.text.includes(`a line of ${pid}`)));
  process.kill(first.pid, 'SIGKILL');
  await until(() => heard.some((one) => one.kind === 'worker-ended' && one.worker === first.id && /SIGKILL/.test(one.reason)));
  await manager.close();
  await until(() => tenants.gone.length > 0);
  assert.throws(() => process.kill(second.pid, 0), { code: 'ESRCH' });
  assert.deepEqual([existsSync(home), host.clients, tenants.gone], [false, [], [manager.id]]);
});
