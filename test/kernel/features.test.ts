import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime, Task, TaskEnded, TaskRef } from '../../src/kernel/index.ts';
import { machines, refIn } from '../support/worlds.ts';

test('ask sends a question that carries where to answer, here and across runtimes, with a deadline', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  interface Question {
    readonly n: number;
    readonly reply: TaskRef<number>;
  }
  const squares = a.spawn(async (self: Task<Question>) => {
    for await (const { n, reply } of self) {
      if (n === 13) reply.throw(new RangeError('not thirteen'));
      else if (n !== 99) reply.send(n * n);
    }
  });
  for (const ref of [squares, refIn(b, a, squares)]) {
    assert.equal(await world.wait(ref.ask<number>((reply) => ({ n: 7, reply }))), 49);
    await assert.rejects(world.wait(ref.ask<number>((reply) => ({ n: 13, reply }))), /not thirteen/);
    await assert.rejects(world.wait(ref.ask<number>((reply) => ({ n: 99, reply }), { timeout: 300 })), { code: 'ERR_TIMEOUT' });
  }
  const left = refIn(b, a, squares).ask<number>((reply) => ({ n: 99, reply }));
  await world.clock.advance(10);
  squares.terminate();
  await assert.rejects(world.wait(left), { code: 'ERR_TASK_INTERRUPTED' });
  assert.equal(b.kernel.windows !== undefined, true);
  await world.close();
});

test('a monitor gets one notice, however often it asked, for every way of ending, here and across runtimes', async () => {
  const { world, runtimes } = await machines(3);
  const [a, b, c] = runtimes as [Runtime, Runtime, Runtime];
  const watchTwice = async (watched: (on: Runtime) => TaskRef<never, unknown>, at: Runtime, act?: () => void): Promise<TaskEnded[]> => {
    const heard: TaskEnded[] = [];
    const watcher = at.spawn(async (self: Task<TaskEnded>) => {
      const ref = watched(at);
      await self.monitor(ref);
      await self.monitor(ref);
      for await (const notice of self) heard.push(notice);
    });
    await world.clock.advance(100);
    act?.();
    await world.clock.advance(60_000);
    watcher.close();
    await world.wait(watcher.ended);
    return heard;
  };
  const waits = async (self: Task<string>) => {
    if ((await self.receive()) === 'throw') throw new TypeError('told to');
    return 'done';
  };
  for (const at of [a, b]) {
    const one = a.spawn(waits);
    const ends = await watchTwice(
      (on) => (on === a ? one : refIn(on, a, one)) as TaskRef<never>,
      at,
      () => one.send('end'),
    );
    assert.deepEqual(
      ends.map(({ kind, end }) => [kind, end.kind]),
      [['task-ended', 'returned']],
    );
    const two = a.spawn(waits);
    const threw = await watchTwice(
      (on) => (on === a ? two : refIn(on, a, two)) as TaskRef<never>,
      at,
      () => two.send('throw'),
    );
    assert.deepEqual(
      threw.map(({ end }) => end.kind),
      ['threw'],
    );
    const three = a.spawn(waits);
    const stopped = await watchTwice(
      (on) => (on === a ? three : refIn(on, a, three)) as TaskRef<never>,
      at,
      () => three.terminate(),
    );
    assert.deepEqual(
      stopped.map(({ end }) => end.kind),
      ['terminated'],
    );
  }
  const far = c.spawn(waits);
  const lost = await watchTwice(
    (on) => refIn(on, c, far) as TaskRef<never>,
    b,
    () => world.crash(c, 'c', false),
  );
  assert.deepEqual(
    lost.map(({ end }) => end.kind),
    ['host-lost'],
  );
  assert.equal(b.kernel.watches.size, 0);
  await world.close();
});

test('notify makes another task, wherever it is, a monitor of this one', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const watcher = b.spawn(async (self: Task<TaskEnded>) => (await self.receive()).end);
  const short = a.spawn(async (self: Task<never>) => {
    await self.ref.notify(refIn(a, b, watcher));
    await self.sleep(50);
    return 5;
  });
  await world.wait(short.ended);
  assert.deepEqual(await world.wait(watcher.result), { kind: 'returned', value: 5 });
  await world.close();
});

test('generator tasks await what they yield, give way at a bare yield, and end at a yield with their finally run', async () => {
  const { world, runtimes } = await machines(1);
  const a = runtimes[0]!;
  const log: string[] = [];
  const sum = a.spawn(function* (self: Task<number>): Generator<Promise<number> | undefined, string, number> {
    const x = yield self.receive();
    yield;
    const y = yield self.receive();
    return `${x + y}`;
  });
  sum.send(1);
  sum.send(2);
  assert.equal(await world.wait(sum.result), '3');
  const endless = a.spawn(function* (_self: Task<never>): Generator<undefined, never, undefined> {
    try {
      for (;;) yield;
    } finally {
      log.push('cleaned');
      yield;
      log.push('and waited');
    }
  });
  await world.clock.advance(0);
  endless.terminate('enough');
  assert.equal((await world.wait(endless.ended)).kind, 'terminated');
  assert.deepEqual(log, ['cleaned', 'and waited']);
  const stream = a.spawn(async function* (self: Task<never>): AsyncGenerator<number, string, undefined> {
    try {
      for (let i = 0; ; i++) {
        yield i;
        await self.sleep(10);
      }
    } finally {
      log.push('stream cleaned');
    }
  });
  await world.clock.advance(100);
  stream.terminate();
  assert.equal((await world.wait(stream.ended)).kind, 'terminated');
  assert.equal(log.at(-1), 'stream cleaned');
  const failing = a.spawn(function* (_self: Task<never>): Generator<Promise<number>, string, number> {
    try {
      yield Promise.reject(new Error('no luck'));
    } catch (error) {
      return `caught ${(error as Error).message}`;
    }
    return '';
  });
  assert.equal(await world.wait(failing.result), 'caught no luck');
  await world.close();
});

test('a suspended task goes on with the value it is resumed with, or with the alarm value', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const got: unknown[] = [];
  const task = a.spawn(async (self: Task<never>) => {
    got.push(await self.suspend());
    got.push(await self.suspend({ timeout: 100, alarm: 'late' }));
    got.push(await self.suspend({ timeout: 0, alarm: 'at once' }));
    got.push(await self.sleep(50));
    got.push(await self.sleep(50, 'rang'));
    await self.suspend();
  });
  await world.clock.advance(10);
  const ref = refIn(b, a, task);
  assert.equal(await world.wait(ref.resume({ x: 1 })), true);
  await world.clock.advance(1_000);
  assert.deepEqual(got, [{ x: 1 }, 'late', 'at once', undefined, 'rang']);
  task.terminate();
  assert.equal((await world.wait(task.ended)).kind, 'terminated');
  assert.equal(await world.wait(ref.resume(1)), false);
  await world.close();
});

test('an error is thrown into the present wait of a task, or its next', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const seen: string[] = [];
  const task = a.spawn(async (self: Task<string>) => {
    for (let i = 0; i < 3; i++) {
      try {
        await self.receive();
      } catch (error) {
        seen.push((error as Error).message);
        await new Promise<void>((resolve) => world.clock.after(100, resolve)); // not a wait of the task's
      }
    }
  });
  const ref = refIn(b, a, task);
  ref.throw(new Error('one'));
  await world.clock.advance(50);
  ref.throw(new Error('two'));
  await world.clock.advance(500);
  ref.throw(new RangeError('three'));
  await world.wait(task.ended);
  assert.deepEqual(seen, ['one', 'two', 'three']);
  await world.close();
});

test('finish waits for tasks that are not daemons; join says whether they ended in time; hooks run by priority', async () => {
  const { world, runtimes } = await machines(1);
  const a = runtimes[0]!;
  const order: string[] = [];
  a.with({ daemon: true, name: 'forever' }).spawn(async (self: Task<never>) => self.receive());
  a.spawn(async (self: Task<never>) => {
    await self.sleep(1_000);
    order.push('work');
  });
  a.onClose(() => order.push('low'), -1);
  a.onClose(() => order.push('high'), 5);
  const removed = a.onClose(() => order.push('removed'));
  removed();
  assert.equal(await world.wait(a.join({ timeout: 100 })), false);
  await world.wait(a.finish());
  assert.deepEqual(order, ['work', 'high', 'low']);
  await world.close();
});

test('close gives tasks the grace period, in which messages still work', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const saved = b.spawn(async (self: Task<string>) => self.receive());
  const best = refIn(a, b, saved);
  a.spawn(async (self: Task<never>) => {
    try {
      await self.receive();
    } finally {
      await new Promise<void>((resolve) => world.clock.after(1_000, resolve));
      await best.deliver('the best so far');
    }
  });
  await world.wait(a.close());
  assert.equal(await world.wait(saved.result), 'the best so far');
  await world.close();
});

test('a swappable task takes another function at its next wait, mailbox and names kept; one that catches the error refuses', async () => {
  const { world, runtimes } = await machines(1);
  const a = runtimes[0]!;
  const seen: string[] = [];
  const second = async (self: Task<string>, by: string): Promise<string> => {
    for await (const text of self) seen.push(`${by} ${text}`);
    return by;
  };
  const first = async (self: Task<string>): Promise<string> => {
    await self.register('swapped');
    self.swappable = true;
    for await (const text of self) {
      seen.push(`first ${text}`);
      await new Promise<void>((resolve) => world.clock.after(10, resolve));
    }
    return 'first';
  };
  const task = a.spawn(first);
  for (const text of ['a', 'b', 'c']) task.send(text);
  await world.clock.advance(5);
  assert.equal(await world.wait(a.swap(task, second, 'second')), true);
  task.send('d');
  task.close();
  assert.equal(await world.wait(task.result), 'second');
  assert.deepEqual(seen, ['first a', 'second b', 'second c', 'second d']);
  const stubborn = a.spawn(async (self: Task<string>) => {
    self.swappable = true;
    for (;;) {
      try {
        return await self.receive();
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_TASK_SWAPPED') throw error;
      }
    }
  });
  assert.equal(await world.wait(a.swap(stubborn, second, 'x')), false);
  stubborn.send('still me');
  assert.equal(await world.wait(stubborn.result), 'still me');
  assert.equal(await world.wait(a.swap(stubborn, second, 'x').catch((error) => (error as { code: string }).code)), 'ERR_TASK_UNKNOWN');
  const later = a.spawn(async (self: Task<string>) => {
    await self.receive();
    self.swappable = true;
    await self.receive();
  });
  const offered = a.swap(later, second, 'later');
  later.send('go');
  assert.equal(await world.wait(offered), true, 'an offer waits until the task is swappable');
  later.terminate();
  await world.close();
});

test('messages are read apart by category, and by priority within one', async () => {
  const { world, runtimes } = await machines(1);
  const a = runtimes[0]!;
  type Message = { readonly kind: 'order' | 'chat'; readonly n: number; readonly urgent?: boolean };
  const task = a.spawn(async (self: Task<Message>) => {
    const end = self.categorize((message) => (message.kind === 'chat' ? 'chat' : undefined));
    self.prioritize((message) => (message.urgent ? 1 : 0));
    await self.sleep(10);
    const got: string[] = [];
    for (let i = 0; i < 2; i++) got.push(`chat ${(await self.receive({ category: 'chat' })).n}`);
    for (let i = 0; i < 3; i++) got.push(`order ${(await self.receive()).n}`);
    got.push(await self.receive({ timeout: 0 }).then(String, (error) => (error as { code: string }).code));
    end();
    got.push(`any ${(await self.receive()).n}`, `match ${(await self.receive({ match: (message) => message.n === 9 })).n}`);
    return got;
  });
  task.send({ kind: 'order', n: 1 });
  task.send({ kind: 'chat', n: 2 });
  task.send({ kind: 'order', n: 3, urgent: true });
  task.send({ kind: 'chat', n: 4 });
  task.send({ kind: 'order', n: 5 });
  task.send({ kind: 'chat', n: 6 });
  await world.clock.advance(20);
  task.send({ kind: 'order', n: 8 });
  task.send({ kind: 'order', n: 9 });
  assert.deepEqual(await world.wait(task.result), ['chat 2', 'chat 4', 'order 3', 'order 1', 'order 5', 'ERR_TIMEOUT', 'any 6', 'match 9']);
  await world.close();
});

test('events, locks, conditions and semaphores serve in order, end every wait, and give back what an ended task held', async () => {
  const { world, runtimes } = await machines(1);
  const a = runtimes[0]!;
  const log: string[] = [];
  const lock = a.lock();
  const work = async (self: Task<never>, name: string, ms: number) => {
    using held = await lock.acquire({ owner: self });
    using again = await lock.acquire({ owner: self }); // the same task, once more
    log.push(name);
    await self.sleep(ms);
    assert.ok(held.open && again.open);
  };
  const tasks = ['x', 'y', 'z'].map((name) => a.spawn(work, name, 10));
  await world.wait(Promise.all(tasks.map((task) => task.result)));
  assert.deepEqual(log, ['x', 'y', 'z']);
  assert.equal(lock.locked, false);
  const holder = a.spawn(async (self: Task<never>) => {
    await lock.acquire({ owner: self });
    await self.suspend();
  });
  await assert.rejects(world.wait(lock.acquire({ timeout: 50 })), { code: 'ERR_TIMEOUT' });
  const waiting = a.spawn(async (self: Task<never>) => void (await lock.acquire({ owner: self })));
  await world.clock.advance(1);
  waiting.terminate();
  assert.equal((await world.wait(waiting.ended)).kind, 'terminated');
  holder.terminate();
  const held = await world.wait(lock.acquire({ timeout: 50 }));
  held.release();
  assert.throws(() => held.release(), { code: 'ERR_LOCK_NOT_HELD' });

  const event = a.event();
  await assert.rejects(world.wait(event.wait({ timeout: 10 })), { code: 'ERR_TIMEOUT' });
  const both = Promise.all([event.wait(), event.wait()]);
  event.set();
  await world.wait(both);
  await world.wait(event.wait({ timeout: 0 }));

  const condition = a.condition();
  const items: number[] = [];
  const taken: number[] = [];
  const takers = [1, 2].map(() =>
    a.spawn(async (self: Task<never>) => {
      using mine = await condition.lock.acquire({ owner: self });
      while (items.length === 0) await condition.wait(mine);
      taken.push(items.shift() as number);
    }),
  );
  await world.clock.advance(1);
  for (const n of [7, 8]) {
    using mine = await world.wait(condition.lock.acquire());
    items.push(n);
    condition.notify();
    assert.ok(mine.open);
  }
  await world.wait(Promise.all(takers.map((task) => task.result)));
  assert.deepEqual(taken, [7, 8]);
  await assert.rejects(condition.wait(held), { code: 'ERR_LOCK_NOT_HELD' });

  const places = a.semaphore(2);
  let most = 0;
  let now = 0;
  const crowd = Array.from({ length: 6 }, () =>
    a.spawn(async (self: Task<never>) => {
      using place = await places.acquire({ owner: self });
      most = Math.max(most, ++now);
      await self.sleep(10);
      now--;
      assert.ok(place.open);
    }),
  );
  await world.wait(Promise.all(crowd.map((task) => task.result)));
  assert.equal(most, 2);
  assert.equal(places.free, 2);
  await world.close();
});

test('a delivery and a message sent after it arrive in that order', async () => {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const got: number[] = [];
  const task = a.spawn(async (self: Task<number>) => {
    for await (const n of self) got.push(n);
  });
  const ref = refIn(b, a, task);
  const deliveries: Promise<void>[] = [];
  for (let i = 0; i < 100; i += 2) {
    deliveries.push(ref.deliver(i));
    ref.send(i + 1);
  }
  await world.wait(Promise.all(deliveries));
  ref.close();
  await world.wait(ref.ended);
  assert.deepEqual(
    got,
    Array.from({ length: 100 }, (_, i) => i),
  );
  await world.close();
});

test('objects of registered classes travel with their methods; an unknown class is named', async () => {
  class Point {
    readonly x: number;
    readonly y: number;
    constructor(x: number, y: number) {
      this.x = x;
      this.y = y;
    }
    get length(): number {
      return Math.hypot(this.x, this.y);
    }
  }
  class Secretive {
    #value: number;
    constructor(value: number) {
      this.#value = value;
    }
    get value(): number {
      return this.#value;
    }
    toWire(): number {
      return this.#value;
    }
    static fromWire(data: number): Secretive {
      return new Secretive(data);
    }
  }
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const echo = a.spawn(async (self: Task<{ point: Point; secret: Secretive; reply: TaskRef<unknown> }>) => {
    for await (const { point, secret, reply } of self) reply.send([point.length, secret.value, point]);
  });
  const ref = refIn(b, a, echo);
  for (const runtime of [a, b]) {
    runtime.registerClass(Point);
    runtime.registerClass(Secretive, 'app.Secretive');
  }
  const point = new Point(3, 4);
  const back = (await world.wait(ref.ask<unknown>((reply) => ({ point, secret: new Secretive(9), reply })))) as [number, number, Point];
  assert.equal(back[0], 5);
  assert.equal(back[1], 9);
  assert.ok(back[2] instanceof Point);
  assert.throws(() => a.registerClass(class Other {}, 'Point'), { code: 'ERR_NAME_TAKEN' });
  class Unknown {
    readonly z = 1;
  }
  b.registerClass(Unknown);
  await assert.rejects(world.wait(ref.deliver({ point: new Unknown() } as never)), { code: 'ERR_WIRE_CLASS_UNKNOWN' });
  await world.close();
});

test('a task that catches its interruption and returns has returned, of whatever kind its function is; else it is terminated', async () => {
  const { world, runtimes } = await machines(1);
  const [runtime] = runtimes as [Runtime];
  const kinds = {
    plain: async (self: Task<never>) => self.receive().catch(() => 'saved'),
    stream: async function* (self: Task<never>) {
      yield;
      return await self.receive().catch(() => 'saved');
    },
  };
  for (const fn of Object.values(kinds)) {
    const task = runtime.spawn(fn as (self: Task<never>) => Promise<string>);
    await world.clock.advance(10);
    task.terminate();
    assert.deepEqual(await world.wait(task.ended), { kind: 'returned', value: 'saved' });
  }
  const passing = runtime.spawn(async (self: Task<never>) => self.receive());
  const yielding = runtime.spawn(function* (_self: Task<never>) {
    for (;;) yield;
  });
  const failing = runtime.spawn(async (self: Task<never>) =>
    self.receive().catch(() => {
      throw new RangeError('while saving');
    }),
  );
  await world.clock.advance(10);
  for (const [task, kind] of [
    [passing, 'terminated'],
    [yielding, 'terminated'],
    [failing, 'threw'],
  ] as const) {
    task.terminate();
    assert.equal((await world.wait(task.ended)).kind, kind);
  }
  await world.wait(runtime.close());
});

test('a function of the task that throws loses no message: the wait gets the error, the message stays', async () => {
  const { world, runtimes } = await machines(1);
  const [runtime] = runtimes as [Runtime];
  const seen: (number | string)[] = [];
  const task = runtime.spawn(async (self: Task<number>) => {
    const told = async (): Promise<void> => {
      try {
        seen.push(await self.receive());
      } catch (error) {
        seen.push((error as Error).message);
      }
    };
    await self.sleep(10); // 1, 2 and 3 wait
    self.prioritize((n) => {
      if (n === 2) throw new RangeError('not two');
      return n;
    });
    for (let i = 0; i < 4; i++) await told();
    await told(); // 2 arrives while it is waited for
    await told();
    self.prioritize(() => 0);
    await assert.rejects(
      self.receive({
        match: (n) => {
          if (n === 5) throw new TypeError('five');
          return n === 6;
        },
      }),
      /five/,
    );
    for (let i = 0; i < 2; i++) await told();
  });
  for (const n of [1, 2, 3]) task.send(n);
  await world.clock.advance(20);
  task.send(2);
  await world.clock.advance(5);
  task.send(5);
  task.send(6);
  await world.wait(task.result);
  assert.deepEqual(seen, ['not two', 3, 1, 2, 'not two', 2, 5, 6]);
  await world.close();
});

test('an offer to swap a task that is never swappable is answered, and taken back', async () => {
  const { world, runtimes } = await machines(1);
  const [runtime] = runtimes as [Runtime];
  const task = runtime.spawn(async (self: Task<string>) => {
    const first = await self.receive();
    self.swappable = true;
    return `${first} ${await self.receive()}`;
  });
  const answer = runtime.swap(task, async () => 'other');
  assert.equal(await world.wait(answer, 12_000), false);
  task.send('still');
  task.send('itself');
  assert.equal(await world.wait(task.result), 'still itself');
  await world.close();
});
