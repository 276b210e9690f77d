// What cannot travel, or cannot be read where it arrives, is told to the one it concerns, and harms nobody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Runtime, service, type Task, type TaskEnded } from '../../src/kernel/index.ts';
import { machines, refIn } from '../support/worlds.ts';

class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
}

// Two runtimes of which only the second knows the class, or reads its objects badly.
async function two(): Promise<{ world: Awaited<ReturnType<typeof machines>>['world']; a: Runtime; b: Runtime }> {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  b.registerClass(Point);
  return { world, a, b };
}

test('a task whose result cannot travel threw, with that error; its host lives, and is not taken for lost', async () => {
  const { world, a, b } = await two();
  const task = b.spawn(async (self: Task<number>) => {
    await self.receive();
    return { made: { by: () => 1 } };
  });
  const ref = refIn(a, b, task);
  const watcher = a.spawn(async (self: Task<TaskEnded>) => {
    await self.monitor(ref);
    return (await self.receive()).end.kind;
  });
  await world.wait(ref.deliver(1));
  const end = await world.wait(ref.ended);
  assert.equal(end.kind, 'threw');
  await assert.rejects(ref.result, { code: 'ERR_WIRE_CANNOT_TRAVEL', message: /made\.by cannot be sent: it is a function/ });
  assert.equal(await world.wait(watcher.result), 'threw');
  await assert.rejects(world.wait(ref.deliver(2)), { code: 'ERR_TASK_ENDED' });
  assert.equal((await world.wait(task.ended)).kind, 'returned');
  await world.close();
});

test('a task of which nothing is known any more is told as unknown, not as lost with its host', async () => {
  const { world, a, b } = await two();
  const task = b.spawn(async (_self: Task<number>) => 1);
  const ref = refIn(a, b, task);
  for (let i = 0; i < 1_001; i++) b.spawn(async (_self: Task<never>) => {});
  const end = await world.wait(ref.ended);
  assert.equal(end.kind, 'threw');
  await assert.rejects(ref.result, { code: 'ERR_TASK_UNKNOWN' });
  await world.close();
});

test('a message that cannot be read here harms none of those that came with it, and costs its sender no room', async () => {
  const { world, a, b } = await two();
  const counts = a.spawn(async (self: Task<number | Point>) => {
    const got: (number | Point)[] = [];
    for await (const one of self) got.push(one);
    return got;
  });
  const ref = refIn(b, a, counts);
  for (let n = 0; n < 3_000; n++) {
    if (!ref.send(n % 3 === 0 ? n : new Point(n))) await world.wait(ref.room());
  }
  ref.close();
  assert.deepEqual(
    await world.wait(counts.result),
    Array.from({ length: 1_000 }, (_, i) => i * 3),
  );
  await world.close();
});

test('whoever waits for what cannot be read is told why', async () => {
  const { world, a, b } = await two();
  const unknown = { code: 'ERR_WIRE_CLASS_UNKNOWN' };
  const point = service('point', async (_self: Task<never>, x: number) => new Point(x));
  b.serve(point);
  const calls = a.locate(point, { timeout: 5_000 });
  await assert.rejects(world.wait((await world.wait(calls)).call(1)), unknown);
  const task = refIn(
    a,
    b,
    b.spawn(async (_self: Task<never>) => new Point(2)),
  );
  assert.equal((await world.wait(task.ended)).kind, 'threw');
  await assert.rejects(task.result, unknown);
  const waits = a.spawn(async (self: Task<Point | number>) => self.receive());
  const ref = refIn(b, a, waits);
  for (let i = 0; i < 2_000; i++) await assert.rejects(world.wait(ref.deliver(new Point(3))), unknown);
  await world.wait(ref.deliver(4));
  assert.equal(await world.wait(waits.result), 4);
  await world.close();
});
