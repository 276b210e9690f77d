import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Runtime, type Task } from '../../src/kernel/index.ts';
import { onStatus } from '../support/peers.ts';
import { tempFolder } from '../support/processes.ts';
import { machines, refIn } from '../support/worlds.ts';

test('what an address leads to is the session there is, however busy it is, and nothing on it is lost, doubled or delayed', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const got: number[] = [];
  const sink = a.spawn(async (self: Task<number>) => {
    for await (const n of self) got.push(n);
  });
  const ref = refIn(b, a, sink);
  let sending = true;
  const sent = (async () => {
    let n = 0;
    for (; sending; n++) {
      if (!ref.send(n)) await ref.room();
      if (n % 10 === 0) await new Promise<void>((resolve) => world.clock.after(1, resolve));
    }
    return n;
  })();
  const status: string[] = [];
  onStatus(a, (now, peer) => status.push(`${now} ${peer.name}`));
  for (let i = 0; i < 50; i++) assert.equal(await world.wait(a.connect('mem://b:1')), b.id);
  const several = await world.wait(Promise.all(Array.from({ length: 20 }, () => a.connect('mem://b:1'))));
  assert.deepEqual([...new Set(several)], [b.id]);
  sending = false;
  const count = await world.wait(sent);
  sink.close();
  await world.wait(sink.result);
  assert.deepEqual(got, [...Array(count).keys()]);
  assert.deepEqual(status, []);
  await world.close();
});

test('many connect to one address at once, from both sides: all get one session', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, runtimes } = await machines(2, { seed });
    const [a, b] = runtimes as [Runtime, Runtime];
    const c = await world.start('c', { listen: 'mem://c:1' });
    const all = [
      ...Array.from({ length: 8 }, () => c.connect('mem://a:1')),
      ...Array.from({ length: 8 }, () => a.connect('mem://c:1')),
      ...Array.from({ length: 8 }, () => b.connect('mem://c:1')),
    ];
    const ids = await world.wait(Promise.all(all));
    assert.deepEqual([...new Set(ids)].sort(), [a.id, c.id].sort());
    assert.equal(c.peers().length, 2);
    await world.close();
  }
});

test('a file is sent to an address while messages flow', async (t) => {
  const folder = tempFolder(t);
  const options = { secret: 'files and messages', logLevel: 'silent' } as const;
  const a = await Runtime.start({ ...options, name: 'a', listen: 'tcp://127.0.0.1:0', filesDir: join(folder, 'a') });
  const b = await Runtime.start({
    ...options,
    name: 'b',
    advertise: 'elsewhere',
    listen: 'tcp://127.0.0.1:0',
    filesDir: join(folder, 'b'),
  });
  const path = join(folder, 'data');
  writeFileSync(path, Buffer.alloc(10_000, 7));
  await a.connect(b.locations[0]!.replace('elsewhere', '127.0.0.1'));
  const sink = a.spawn(async (self: Task<number>) => {
    for await (const _ of self);
  });
  const ref = refIn(b, a, sink);
  let sending = true;
  const flowing = (async () => {
    while (sending) {
      for (let i = 0; i < 100; i++) if (!ref.send(i)) await ref.room();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const address = b.locations[0]!.replace('elsewhere', '127.0.0.1'); // not one that b told of: it is dialled
  for (let i = 0; i < 30; i++) assert.equal((await a.sendFile(address, path, { dir: `${i}` })).kind, 'sent');
  sending = false;
  await flowing;
  sink.close();
  await Promise.all([a.close(), b.close()]);
});
