import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Runtime, type ServiceRef, service, serviceName, type Task, type TaskEnded } from '../../src/kernel/index.ts';
import { machines } from '../support/worlds.ts';

async function multiply(_self: Task<never>, a: number, b: number): Promise<number> {
  if (a < 0) throw new RangeError('negative');
  return a * b;
}
const product = service('product', multiply);

test('a service is called and spawned by its definition, with typed arguments and results, here and across runtimes', async () => {
  const { world, runtimes } = await machines(3);
  runtimes[0]!.serve(product);
  for (const runtime of runtimes) {
    const ref = await world.wait(runtime.locate(product));
    assert.equal(await world.wait(ref.call(6, 7)), 42);
    const task = await world.wait(ref.spawn(2, 3));
    assert.equal(await world.wait(task.result), 6);
    await assert.rejects(world.wait(ref.call(-1, 1)), { name: 'RangeError', message: 'negative' });
  }
  const byName = serviceName<typeof multiply>('product');
  assert.equal(await world.wait((await world.wait(runtimes[1]!.locate(byName))).call(3, 3)), 9);
  await world.close();
});

test('two services of one runtime are located and called; fast tasks lose no result', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const now = service('now', (_self: Task<never>) => 1);
  a.serve(product);
  a.serve(now);
  const one = await world.wait(b.locate(product));
  const two = await world.wait(b.locate(now));
  const results = await world.wait(Promise.all(Array.from({ length: 500 }, (_, i) => (i % 2 ? one.call(i, 1) : two.call()))));
  assert.deepEqual(
    results,
    Array.from({ length: 500 }, (_, i) => (i % 2 ? i : 1)),
  );
  const tasks = await world.wait(Promise.all(Array.from({ length: 50 }, () => two.spawn())));
  assert.deepEqual(await world.wait(Promise.all(tasks.map((task) => task.finish({ timeout: 100 })))), Array(50).fill(1));
  await world.close();
});

test('wrong arguments, a closed service and a vanished one answer so, and harm nobody else', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const served = a.serve(product);
  const checked = service('checked', async (_self: Task<never>, n: number) => n, {
    check: (n) => (Number.isInteger(n) ? undefined : 'it must be a whole number'),
  });
  a.serve(checked);
  const ref = await world.wait(b.locate(product));
  await assert.rejects(world.wait((ref.call as (...args: number[]) => Promise<number>)(1)), /takes 2 arguments; it was given 1/);
  const strict = await world.wait(b.locate(checked));
  await assert.rejects(world.wait(strict.call(1.5)), { code: 'ERR_SERVICE_ARGUMENTS' });
  assert.equal(await world.wait(strict.call(2)), 2);
  served.close();
  await assert.rejects(world.wait(ref.call(1, 2)), { code: 'ERR_SERVICE_CLOSED' });
  await assert.rejects(world.wait(b.locate(product, { timeout: 0 })), { code: 'ERR_NAME_UNKNOWN' });
  const pending = strict.call(3);
  world.crash(a, 'a', true);
  await assert.rejects(world.wait(pending), { code: 'ERR_SESSION_LOST' });
  assert.throws(() => service('x', 5 as never), { code: 'ERR_OPTION_INVALID' });
  await world.close();
});

test('what cannot travel back is told to the caller, and the service goes on', async () => {
  const { world, runtimes } = await machines(2);
  const odd = service('odd', async (_self: Task<never>, n: number): Promise<unknown> => (n === 1 ? { handle: Symbol('x') } : n));
  runtimes[0]!.serve(odd);
  const ref = await world.wait(runtimes[1]!.locate(odd));
  await assert.rejects(world.wait(ref.call(1)), /result\.handle cannot be sent/);
  assert.equal(await world.wait(ref.call(2)), 2);
  await world.close();
});

test('a timeout or signal ends a call and its task there; closing a reference ends or detaches its tasks', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  let ended = 0;
  const wait = service('wait', async (self: Task<string>) => {
    try {
      return await self.receive();
    } finally {
      ended++;
    }
  });
  a.serve(wait);
  const ref = await world.wait(b.locate(wait));
  await assert.rejects(world.wait(ref.with({ timeout: 100 }).call()), { code: 'ERR_TIMEOUT' });
  await world.clock.advance(100);
  assert.equal(ended, 1);
  await world.wait(ref.spawn());
  await world.wait(ref.close());
  await world.clock.advance(100);
  assert.equal(ended, 2);
  await assert.rejects(ref.call(), { code: 'ERR_SERVICE_CLOSED' });
  const second = await world.wait(b.locate(wait));
  const kept = await world.wait(second.spawn());
  await world.wait(second.close({ running: 'detach' }));
  kept.send('still here');
  assert.equal(await world.wait(kept.result), 'still here');
  const third = await world.wait(b.locate(wait));
  await world.wait(third.spawn());
  world.crash(b, 'b', false);
  await world.clock.advance(30_000);
  assert.equal(ended, 4, 'a caller that vanishes leaves no task behind');
  assert.equal(a.kernel.tasks.size, 0);
  await world.close();
});

test('a monitor of a reference hears of each task started through it', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  a.serve(product);
  const ref = await world.wait(b.locate(product));
  const heard: (string | number)[] = [];
  const watcher = b.spawn(async (self: Task<TaskEnded<number>>) => {
    for await (const { end } of self) heard.push(end.kind === 'returned' ? end.value : end.kind);
  });
  const off = ref.monitor(watcher);
  await world.wait(ref.spawn(2, 2));
  await world.wait(ref.spawn(-2, 2));
  assert.equal(await world.wait(ref.call(3, 3)), 9);
  await world.clock.advance(100);
  off();
  await world.wait(ref.spawn(4, 4));
  await world.clock.advance(100);
  assert.deepEqual(heard, [4, 'threw', 9]);
  await world.close();
});

test('a service that comes home is the one that is served, and is located as that again and again, also after it was given up', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const half = service('half', async (_self: Task<never>, n: number) => n / 2);
  const echo = service('echo', async (_self: Task<never>, ref: ServiceRef<never, [number], number>) => ref);
  const { ref } = a.serve(half);
  b.serve(echo);
  assert.equal(await a.locate(half), ref);
  const far = await world.wait(a.locate(echo));
  assert.equal(await world.wait(far.call(ref)), ref);
  const located = await a.locate(half);
  assert.equal(await world.wait(located.call(4)), 2);
  await world.wait(located.close());
  assert.equal(await world.wait((await a.locate(half)).call(6)), 3);
  await world.close();
});

test('each reference to a service of another runtime has its own tasks: who gives one up ends nothing of another', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const wait = service('wait', (self: Task<string>) => self.receive());
  a.serve(wait);
  const one = await world.wait(b.locate(wait));
  const two = await world.wait(b.locate(wait));
  assert.equal(one.id, two.id);
  const ended = await world.wait(one.spawn());
  const goesOn = await world.wait(two.spawn());
  await world.wait(one.close());
  assert.equal((await world.wait(ended.ended)).kind, 'terminated');
  goesOn.send('still here');
  assert.equal(await world.wait(goesOn.result), 'still here');
  await world.wait(two.close());
  await world.close();
});
