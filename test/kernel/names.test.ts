import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelOf } from '../../src/base/index.ts';
import { channelName, Runtime, type Task, type TaskRef, taskName } from '../../src/kernel/index.ts';
import { openFrame, readOpen } from '../../src/kernel/sessions/open.ts';
import { World } from '../../src/testing/index.ts';
import { encodeValue } from '../../src/wire/index.ts';
import { machines } from '../support/worlds.ts';

const adder = taskName<number, number>('adder');

async function add(self: Task<number>): Promise<number> {
  await self.register('adder');
  return (await self.receive()) + 1;
}

test('a task is located by its name at any peer, own names included, and the name carries its type', async () => {
  const { world, runtimes } = await machines(3);
  runtimes[2]!.spawn(add);
  for (const runtime of [runtimes[0]!, runtimes[2]!]) {
    const ref: TaskRef<number, number> = await world.wait(runtime.locate(adder));
    assert.equal(ref.runtime, runtimes[2]!.id);
  }
  const ref = await world.wait(runtimes[0]!.locate(adder));
  ref.send(1);
  assert.equal(await world.wait(ref.result), 2);
  await world.close();
});

test('the first positive answer counts: peers that deny decide nothing', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, runtimes } = await machines(4, { seed });
    runtimes[seed % 3 === 0 ? 1 : 3]!.spawn(add);
    const ref = await world.wait(runtimes[0]!.locate(adder, { timeout: 2_000 }));
    assert.equal(ref.name, 'add');
    await world.close();
  }
});

test('a search waits for a name that is registered later, and for a peer that appears later', async () => {
  const { world, runtimes } = await machines(2);
  const later = runtimes[0]!.locate(adder, { timeout: 10_000 });
  await world.clock.advance(1_000);
  runtimes[1]!.spawn(add);
  assert.equal((await world.wait(later)).runtime, runtimes[1]!.id);
  const room = channelName<string>('room');
  const chat = runtimes[0]!.locate(room, { timeout: 10_000 });
  await world.clock.advance(1_000);
  const newcomer = await world.start('z', { listen: 'mem://z:1' });
  newcomer.channel(room);
  await world.wait(newcomer.connect('mem://a:1'));
  assert.equal((await world.wait(chat)).runtime, newcomer.id);
  await world.close();
});

test('timeout 0 asks each known peer once, and the error says who does not have the name', async () => {
  const { world, runtimes } = await machines(3);
  await assert.rejects(world.wait(runtimes[0]!.locate(adder, { timeout: 0 })), (error: Error & { code: string }) => {
    assert.equal(error.code, 'ERR_NAME_UNKNOWN');
    assert.match(error.message, /'b' \(does not have it\)/);
    assert.match(error.message, /'c' \(does not have it\)/);
    return true;
  });
  const started = world.clock.now();
  await assert.rejects(world.wait(runtimes[0]!.locate(adder, { timeout: 500 })), { code: 'ERR_NAME_UNKNOWN' });
  assert.equal(world.clock.now() - started, 500);
  const lonely = await world.start('y');
  await assert.rejects(world.wait(lonely.locate('x', { timeout: 100 })), /no peer is known/);
  await world.close();
});

test('a location says where to look, and is dialled if need be; a peer that lacks the name is not replaced by another', async () => {
  const { world, runtimes } = await machines(2);
  const third = await world.start('c', { listen: 'mem://c:1' });
  third.spawn(add);
  runtimes[1]!.spawn(add);
  const there = await world.wait(runtimes[0]!.locate(adder, { at: 'mem://c:1', timeout: 5_000 }));
  assert.equal(there.runtime, third.id);
  const b = await world.wait(runtimes[0]!.locate(adder, { at: runtimes[1]!.id }));
  assert.equal(b.runtime, runtimes[1]!.id);
  await assert.rejects(world.wait(runtimes[1]!.locate('nothing', { at: runtimes[0]!.id, timeout: 100 })), { code: 'ERR_NAME_UNKNOWN' });
  await world.close();
});

test('a name at an address is waited for, too, when nobody listens there yet, and when who listened there is gone', async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  const asking = await world.start('a', { listen: 'mem://a:1' });
  const found = asking.locate(adder, { at: 'mem://b:1', timeout: 30_000 });
  await world.clock.advance(1_500);
  const first = await world.start('b', { listen: 'mem://b:1' });
  await world.clock.advance(3_000);
  assert.ok(asking.peers().some(({ id }) => id === first.id));
  await world.wait(first.close());
  const second = await world.start('b', { listen: 'mem://b:1' });
  second.spawn(async (self: Task<number>) => {
    await self.register('adder');
    return self.receive();
  });
  assert.equal((await world.wait(found, 10_000)).runtime, second.id);
  const error: Error = await world.wait(
    asking.locate(adder, { at: 'mem://c:1', timeout: 2_000 }).then(
      () => assert.fail(),
      (thrown: Error) => thrown,
    ),
    4_000,
  );
  assert.match(error.message, /^No task 'adder' at mem:\/\/c:1 was found within 2000 ms: .*c:1/);
  assert.equal((error as { code?: string }).code, 'ERR_NAME_UNKNOWN');
  await assert.rejects(world.wait(asking.locate(adder, { at: 'mem://c:1', timeout: 0 }), 15_000), { code: 'ERR_LINK_UNREACHABLE' });
  await assert.rejects(asking.locate(adder, { at: 'nonsense:port' }), { code: 'ERR_LINK_ADDRESS' });
  const stop = new AbortController();
  const given = asking.locate(adder, { at: 'mem://c:1', signal: stop.signal });
  await world.clock.advance(1_000);
  stop.abort(new Error('enough'));
  await assert.rejects(given, /enough/);
  for (const runtime of [asking, second]) await world.wait(runtime.close());
  await world.clock.advance(60_000);
  assert.equal(world.clock.pending, 0);
});

test('a name stands for one task; it is free when the task ends or gives it back; again for the same is no error', async () => {
  const { world, runtimes } = await machines(1);
  const a = runtimes[0]!;
  const holder = a.spawn(async (self: Task<string>) => {
    await self.register('x');
    await self.register('x');
    await self.receive();
    assert.equal(await self.unregister('x'), true);
    assert.equal(await self.unregister('x'), false);
    await self.register('y');
    await self.receive();
  });
  const rival = async (name: string) => {
    const second = a.spawn(async (self: Task<never>) => self.register(name));
    return world.wait(second.ended);
  };
  const end = await rival('x');
  assert.equal(end.kind === 'threw' && (end.error as { code?: string }).code, 'ERR_NAME_TAKEN');
  holder.send('give back');
  await world.clock.advance(1);
  assert.equal((await rival('x')).kind, 'returned');
  assert.equal((await rival('y')).kind, 'threw');
  holder.send('end');
  await world.wait(holder.ended);
  assert.equal((await rival('y')).kind, 'returned');
  assert.equal(a.kernel.names.size, 0);
  assert.throws(() => taskName(''), { code: 'ERR_OPTION_INVALID' });
  assert.throws(() => taskName('n'.repeat(300)), { code: 'ERR_OPTION_INVALID' });
  await world.close();
});

test('after a restart the name is found again, in the new runtime', async () => {
  const { world, runtimes } = await machines(2);
  runtimes[1]!.spawn(add);
  const old = await world.wait(runtimes[0]!.locate(adder));
  world.crash(runtimes[1]!, 'b', true);
  await world.clock.advance(15_000);
  const again = await world.start('b', { listen: 'mem://b:1' });
  again.spawn(add);
  await world.wait(again.connect('mem://a:1'));
  const found = await world.wait(runtimes[0]!.locate(adder, { timeout: 1_000 }));
  assert.notEqual(found.runtime, old.runtime);
  await world.close();
});

test('runtimes are located by name: this one, one that is here, one that comes later', async () => {
  const { world, runtimes } = await machines(2);
  const a = runtimes[0]!;
  assert.equal((await world.wait(a.locatePeer('a'))).id, a.id);
  assert.equal((await world.wait(a.locatePeer('b'))).addresses[0], 'mem://b:1');
  const later = a.locatePeer('c', { timeout: 5_000 });
  const c = await world.start('c');
  await world.wait(c.connect('mem://a:1'));
  assert.equal((await world.wait(later)).id, c.id);
  await assert.rejects(world.wait(a.locatePeer('d', { timeout: 50 })), /known are 'b', 'c'/);
  await world.close();
});

test('a search is given up by its signal, and nothing of it is left at the peers', async () => {
  const { world, runtimes } = await machines(2);
  const stop = new AbortController();
  const search = runtimes[0]!.locate('x', { signal: stop.signal });
  await world.clock.advance(100);
  stop.abort(new Error('enough'));
  await assert.rejects(world.wait(search), /enough/);
  await world.clock.advance(100);
  assert.equal(runtimes[0]!.kernel.requests.size, 0);
  await world.close();
  await world.clock.advance(60_000);
  assert.equal(world.clock.pending, 0);
});

test('options are checked by name, and late ones are not possible: a runtime is started explicitly', async () => {
  const world = new World({ seed: 1 });
  await assert.rejects(Runtime.start({ discovery: true } as never, world.environment('a')), /Did you mean 'discover'/);
  await assert.rejects(Runtime.start({ family: 5 as never }, world.environment('a')), { code: 'ERR_OPTION_INVALID' });
  await assert.rejects(Runtime.start({ udpPort: 0 }, world.environment('a')), { code: 'ERR_OPTION_INVALID' });
  await assert.rejects(Runtime.start({ secret: ['a', 'b', 'c'] }, world.environment('a')), /At most 2 secrets/);
});

test('a search at one place says that this was asked, and nobody else', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b] = runtimes as [Runtime, Runtime];
  const why = async (at: string): Promise<string> =>
    await world.wait(
      a.locate('nowhere', { at, timeout: 300 }).then(
        () => '',
        (error: Error) => error.message,
      ),
    );
  assert.match(await why('mem://b:1'), /: asked 'b'[^,]*\.$/);
  assert.match(await why(b.id), /: asked 'b'[^,]*\.$/);
  assert.match(await why(a.id), /: it is this runtime's own place/);
  await world.close();
});

test('a search without a timeout says in the log who does not know the name, after 5 s and every 30 s', async () => {
  const lines: string[] = [];
  const log = { debug() {}, info() {}, warn: (text: string) => void lines.push(text), error() {} };
  const { world, runtimes } = await machines(2, { runtime: { log } });
  const stop = new AbortController();
  const search = runtimes[0]!.locate('nowhere', { signal: stop.signal });
  search.catch(() => {});
  await world.clock.advance(4_900);
  assert.deepEqual(lines, []);
  await world.clock.advance(61_000);
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /Still looking for the task 'nowhere': asked 'b'/);
  stop.abort();
  await world.close();
});

test('a name of a runtime that would act on a terminal is refused, and one that a peer sends all the same is shown as text', async () => {
  await assert.rejects(Runtime.start({ name: 'a\u001b[31mb' }), /'name' must be a text of at most 256 letters, without control characters/);
  assert.equal(labelOf('a\n\u001b[31mb'), 'a??[31mb');
  const open = { token: 't', echo: undefined, received: 0, before: 0, name: `evil\r\n${'x'.repeat(9_000)}`, addresses: [] };
  const frame = openFrame(open);
  const read = readOpen(frame, frame.length - encodeValue(open).length, frame.length);
  assert.match(read.name, /^evil\?\?x{200,250}$/);
});
