// Who hears of peers: any number, each until it takes itself back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Runtime, sessionError } from '../../src/kernel/index.ts';
import { machines } from '../support/worlds.ts';

test('each listener hears of a peer that opens, falls silent, is heard again and ends, until it takes itself back; one that throws harms no other', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const heard: string[] = [];
  const listen = (name: string): (() => void) =>
    a.kernel.on({
      opened: (peer) => heard.push(`${name} opened ${peer.name}`),
      offline: () => heard.push(`${name} offline`),
      online: () => heard.push(`${name} online`),
      ended: (_peer, end, info) => heard.push(`${name} ${end.kind} ${info?.name}`),
    });
  a.kernel.on({
    offline: () => {
      throw new Error('of no use');
    },
  });
  listen('first');
  const off = listen('second');
  a.links.keepers.add(() => true);
  world.pause('b');
  await world.clock.advance(30_000);
  assert.deepEqual(heard.splice(0), ['first offline', 'second offline']);
  off();
  world.resume('b');
  await world.clock.advance(5_000);
  assert.deepEqual(heard.splice(0), ['first online']);
  await world.wait(b.close());
  await world.clock.advance(100);
  assert.deepEqual(heard.splice(0), ['first closed b']);
  await world.start('c').then((c) => world.wait(c.connect('mem://a:1')));
  assert.deepEqual(heard.splice(0), ['first opened c']);
  await world.close();
});

test('a silent peer is held as long as anybody wants it held', async () => {
  const { world, runtimes } = await machines(2);
  const [a] = runtimes as [Runtime, Runtime];
  const ended: string[] = [];
  a.kernel.on({ ended: (_peer, end) => ended.push(sessionError(end, 'A wait').code) });
  a.links.keepers.add(() => false);
  const off = a.links.keepers.add(() => true);
  world.pause('b');
  await world.clock.advance(60_000);
  assert.deepEqual(ended, []);
  off();
  await world.clock.advance(60_000);
  assert.deepEqual(ended, ['ERR_SESSION_LOST']);
  await world.close();
});
