import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, type ClusterEvent, current, type OutputLine, type Task, type TaskRef } from 'flotilla';
import { leakGate } from 'flotilla/testing';
import type * as stateful from '../fixtures/stateful.ts';
import { until } from '../support/until.ts';

const square = (n: number): number => n * n;

for (const inline of [false, true]) {
  describe(inline ? 'inline' : 'on worker processes', () => {
    let client: Client;
    const lines: OutputLine[] = [];
    before(async () => {
      client = await Client.connect({ inline, workers: 2, output: (line) => lines.push(line), warn: () => {} });
    });
    after(() => client.close());

    test('run gives what the function returns, or rejects with what it throws', async () => {
      assert.equal(await client.run((a: number, b: number) => a + b, 20, 22), 42);
      assert.equal(await client.run(async (text: string) => text.toUpperCase(), 'abc'), 'ABC');
      assert.deepEqual(await client.run((m: Map<string, Date>) => [...m.keys()], new Map([['k', new Date()]])), ['k']);
      await assert.rejects(
        client.run(() => {
          throw Object.assign(new TypeError('no'), { code: 'E_USER' });
        }),
        (error: any) => error.name === 'TypeError' && error.code === 'E_USER' && error.worker !== undefined,
      );
    });

    test('map gives results in order, from any iterable, with further arguments', async () => {
      const out: number[] = [];
      for await (const n of client.map(
        square,
        Array.from({ length: 500 }, (_, i) => i),
      ))
        out.push(n);
      assert.deepEqual(
        out,
        Array.from({ length: 500 }, (_, i) => i * i),
      );
      async function* numbers() {
        for (let i = 0; i < 20; i++) yield i;
      }
      assert.deepEqual(
        await client.map((n: number, k: number, s: string) => `${n * k}${s}`, numbers(), { args: [2, '!'] }).toArray(),
        Array.from({ length: 20 }, (_, i) => `${i * 2}!`),
      );
      assert.deepEqual(await client.map(square, new Set<number>()).toArray(), []);
    });

    test('map over an endless input takes no more than its window, and stops when left', async () => {
      let taken = 0;
      let closed = false;
      function* endless() {
        try {
          for (;;) yield taken++;
        } finally {
          closed = true;
        }
      }
      let read = 0;
      for await (const n of client.map(square, endless(), { window: 100 })) {
        assert.equal(n, read * read);
        if (++read === 50) break;
      }
      assert.ok(closed);
      assert.ok(taken <= 300, `${taken} were taken`);
    });

    test('the first error ends a map, naming index and item; outcomes() gives every end', async () => {
      const odd = (n: number): number => {
        if (n % 4 === 3) throw new RangeError(`bad ${n}`);
        return n;
      };
      const got: number[] = [];
      await assert.rejects(
        async () => {
          for await (const n of client.map(odd, [0, 1, 2, 3, 4, 5])) got.push(n);
        },
        (error: any) =>
          error.name === 'RangeError' && error.index === 3 && error.item === 3 && /bad 3 \(map item 3: 3\)/.test(error.message),
      );
      assert.deepEqual(got, [0, 1, 2]);
      const ends: string[] = [];
      for await (const { index, item, value, error } of client.map(odd, [0, 3, 4]).outcomes())
        ends.push(`${index}:${item}:${error ? error.message : value}`);
      assert.deepEqual(ends, ['0:0:0', '1:3:bad 3', '2:4:4']);
    });

    test('unordered map gives each result once', async () => {
      const out: number[] = [];
      for await (const n of client.map(
        square,
        Array.from({ length: 100 }, (_, i) => i),
        { unordered: true },
      ))
        out.push(n);
      assert.deepEqual(
        out.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, i) => i * i),
      );
    });

    test('an error of the input ends the map', async () => {
      function* broken() {
        yield 1;
        throw new Error('input broke');
      }
      await assert.rejects(client.map(square, broken()).toArray(), /input broke/);
    });

    test('a result or argument that cannot travel fails its own call, naming the path', async () => {
      await assert.rejects(
        client.run((f: unknown) => f, { a: () => {} }),
        { code: 'ERR_WIRE_CANNOT_TRAVEL', message: /^args\[0\]\.a cannot be sent/ },
      );
      await assert.rejects(client.run((() => ({ deep: [Symbol('x')] })) as () => unknown), {
        code: 'ERR_WIRE_CANNOT_TRAVEL',
        message: /^result\.deep\[0\]/,
      });
      const ends = [];
      for await (const end of client.map((n: number): unknown => (n === 1 ? () => n : n), [0, 1, 2]).outcomes())
        ends.push((end.error as any)?.code ?? end.value);
      assert.deepEqual(ends, [0, 'ERR_WIRE_CANNOT_TRAVEL', 2]);
    });

    test('an async generator gives its values as they come, and stops when left', async () => {
      async function* count(n: number) {
        for (let i = 0; i < n; i++) yield i;
      }
      const out: number[] = [];
      for await (const n of client.run(count, 200)) out.push(n);
      assert.deepEqual(
        out,
        Array.from({ length: 200 }, (_, i) => i),
      );
      let seen = 0;
      for await (const _ of client.run(count, 1e9)) if (++seen === 300) break;
      assert.equal(seen, 300);
      await assert.rejects(async () => {
        for await (const _ of client.run(async function* () {
          yield 1;
          throw new Error('in the middle');
        }))
          void _;
      }, /in the middle/);
      await until(() => client.counters.running === 0);
    });

    test('a spawned task talks, is closed, and returns; references work both ways', async () => {
      const means: number[] = [];
      const me = client.runtime.spawn(async (self: Task<number>) => {
        for await (const mean of self) means.push(mean);
      });
      const task = await client.spawn(async function average(self: Task<number>, to: typeof me) {
        let sum = 0;
        let n = 0;
        for await (const x of self) to.send((sum += x) / ++n);
        return n;
      }, me);
      task.send(3);
      await task.deliver(5);
      task.close();
      assert.equal(await task.result, 2);
      await until(() => means.length === 2);
      assert.deepEqual(means, [3, 4]);
    });

    test('a task that is terminated says so, after its finally', async () => {
      const task = await client.spawn(async (self: Task<never>) => {
        try {
          await self.receive();
        } finally {
          await Promise.resolve();
        }
      });
      task.terminate('test');
      assert.equal((await task.ended).kind, 'terminated');
    });

    test('with io several calls wait at once on a worker; current() knows which is which', async () => {
      const started = performance.now();
      const io = client.with({ io: 20 });
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          io.run(async (n: number) => {
            await new Promise((resolve) => setTimeout(resolve, 100));
            return [n, current()?.worker !== undefined] as const;
          }, i),
        ),
      );
      assert.deepEqual(
        all,
        Array.from({ length: 20 }, (_, i) => [i, true]),
      );
      assert.ok(performance.now() - started < 1_500, `${performance.now() - started} ms`);
    });

    test('a map with io gives every item its own call', async () => {
      const slow = async (n: number): Promise<number> => {
        await new Promise((resolve) => setTimeout(resolve, n % 3));
        return n;
      };
      const all = await client
        .with({ io: 5 })
        .map(
          slow,
          Array.from({ length: 100 }, (_, i) => i),
        )
        .toArray();
      assert.deepEqual(
        all,
        Array.from({ length: 100 }, (_, i) => i),
      );
    });

    test('progress of a call is heard', async () => {
      const heard: string[] = [];
      await client.with({ onProgress: (p) => heard.push(`${p.done}/${p.total} ${p.note}`) }).run(async () => {
        current()?.progress(1, 2, 'half');
      });
      assert.deepEqual(heard, ['1/2 half']);
    });

    test('what an asynchronous input gives is not held back until more comes', async () => {
      await client.map(square, [1, 2, 3]).toArray(); // now it is known that many could travel together
      let taken = (): void => {};
      const first = new Promise<void>((resolve) => {
        taken = resolve;
      });
      async function* input(): AsyncGenerator<number> {
        yield 1;
        yield 2;
        await first;
        yield 3;
      }
      const out: number[] = [];
      for await (const n of client.map(square, input())) {
        out.push(n);
        if (out.length === 2) taken();
      }
      assert.deepEqual(out, [1, 4, 9]);
    });

    test('functions made anew for every call are one function, however many', async () => {
      const all = await Promise.all(Array.from({ length: 5_000 }, (_, i) => client.run((n: number) => n + 1, i)));
      assert.equal(all[4_999], 5_000);
      const twice = (by: number): Promise<number>[] => [client.run((n: number) => n * 2, by), client.run((n: number) => n * 3, by)];
      assert.deepEqual(await Promise.all([...twice(1), ...twice(10)]), [2, 3, 20, 30]);
    });

    test('an aborted signal rejects at once with its reason; a cooperative call hears it', async () => {
      const abort = new AbortController();
      const call = client.with({ signal: abort.signal }).run(async () => {
        await new Promise((resolve) => current()?.signal.addEventListener('abort', resolve));
      });
      setTimeout(() => abort.abort(new Error('never mind')), 50);
      await assert.rejects(call, /never mind/);
      await assert.rejects(client.with({ signal: AbortSignal.abort(new Error('before')) }).run(square, 1), /before/);
      await assert.rejects(
        client.with({ timeout: 500 }).run(async () => new Promise(() => {})),
        { code: 'ERR_TIMEOUT', message: /was not done within 500 ms; it was stopped/ },
      );
      assert.equal(await client.run(square, 3), 9);
    });

    test('a place that there is not is an error at once, by every verb', async () => {
      const nowhere = client.with({ at: 'nowhere' });
      const unknown = { code: 'ERR_HOST_UNKNOWN', message: /no host or worker 'nowhere'\. There are / };
      await assert.rejects(nowhere.run(square, 1), unknown);
      await assert.rejects(nowhere.map(square, [1, 2, 3]).toArray(), unknown);
      await assert.rejects(
        nowhere.spawn(async (self: Task<never>) => self.receive()),
        unknown,
      );
      await assert.rejects(async () => {
        for await (const _ of nowhere.run(async function* () {
          yield 1;
        }));
      }, unknown);
      const [worker] = client.workers();
      assert.equal(await client.with({ at: worker!.name }).run(square, 3), 9);
      assert.equal(await client.with({ at: worker!.host }).run(square, 4), 16);
      await assert.rejects(client.with({ at: `${worker!.host}/99` }).run(square, 1), { code: 'ERR_HOST_UNKNOWN' });
    });

    test('a call that times out before it began says so', async (t) => {
      if (inline) return t.skip('one worker is always there');
      const names = client.workers().map(({ name }) => name);
      for (const name of names) client.suspendWorker(name);
      await assert.rejects(client.with({ timeout: 50 }).run(square, 1), { message: /was not begun within 50 ms: .*explain/ });
      for (const name of names) client.resumeWorker(name);
    });

    test('a module by URL, not loaded here', async () => {
      if (inline) return;
      const module = client.module<typeof stateful>(new URL('../fixtures/stateful.js', import.meta.url));
      assert.equal(await module.increase(0), 0);
    });

    test('wrong use is a clear error', () => {
      assert.throws(() => client.with({ retires: 1 } as never), { code: 'ERR_OPTION_UNKNOWN', message: /Did you mean 'retries'/ });
      assert.throws(() => client.map(square, 5 as never), { code: 'ERR_OPTION_INVALID' });
      assert.throws(() => client.run('x' as never), { code: 'ERR_OPTION_INVALID' });
      assert.throws(() => client.with({ timeout: -1 }), { code: 'ERR_OPTION_INVALID' });
    });
  });
}

describe('what breaks', () => {
  test('a worker that ends in a call costs that call its tries, then an error with the reason; the rest goes on', async (t) => {
    const gate = leakGate(5_000);
    const events: ClusterEvent[] = [];
    const lines: OutputLine[] = [];
    const client = await Client.connect({ workers: 2, output: (line) => lines.push(line), warn: () => {}, heap: 64 });
    t.after(() => client.close({ timeout: 0 }));
    client.onEvent((event) => events.push(event));
    const exit = client.run(() => {
      console.log('last words');
      process.exit(7);
    });
    const others = client
      .map(
        square,
        Array.from({ length: 200 }, (_, i) => i),
      )
      .toArray();
    await assert.rejects(
      exit,
      (error: any) =>
        error.code === 'ERR_CALL_KILLS_WORKERS' &&
        /lost with its worker 3 times.*exited with code 7/s.test(error.message) &&
        /last words/.test(error.message),
    );
    assert.equal((await others).length, 200);
    assert.ok(lines.some((line) => line.text === 'last words' && /\/\d$/.test(line.worker)));
    assert.ok(events.some((event) => event.kind === 'worker-lost'));
    await assert.rejects(
      client.with({ retries: 0 }).run(() => {
        const hog: unknown[] = [];
        for (;;) hog.push(new Array(1_000).fill(Math.random()));
      }),
      (error: any) => error.code === 'ERR_WORKER_LOST' && /memory/.test(error.message),
    );
    const item = client
      .map(
        (n: number) => (n === 5 ? process.exit(1) : n),
        Array.from({ length: 10 }, (_, i) => i),
      )
      .outcomes();
    const bad: number[] = [];
    for await (const { index, error } of item) if (error) bad.push(index);
    assert.deepEqual(bad, [5], 'only the item that kills fails');
    const spawned = await client.spawn(async (self: Task<number>) => process.exit(await self.receive()));
    spawned.send(2);
    assert.equal((await spawned.ended).kind, 'worker-lost');
    assert.equal(await client.run(square, 5), 25);
    await client.close();
    await gate();
  });

  test('cancelling stops a computing call within a second, and its worker is replaced', async (t) => {
    const client = await Client.connect({ workers: 1, output: 'ignore', warn: () => {} });
    t.after(() => client.close({ timeout: 0 }));
    const abort = new AbortController();
    const pid = await client.run(() => process.pid);
    let begins = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begins = resolve;
    });
    const call = client.with({ signal: abort.signal, onProgress: () => begins() }).run(() => {
      current()?.progress(0);
      for (;;);
    });
    await begun;
    abort.abort(new Error('stop'));
    await assert.rejects(call, /stop/);
    await until(
      () => {
        try {
          process.kill(pid, 0);
          return false;
        } catch {
          return true;
        }
      },
      () => 'the process that computed is still there',
      2_000,
    ); // twice what is promised: this machine runs other tests, too
    assert.notEqual(await client.run(() => process.pid), pid);
    await client.close();
  });

  test('the last lines of a worker that was lost are cut where they are long', async () => {
    const talkative = (): void => {
      for (let i = 0; i < 20; i++) process.stderr.write(`${i} ${'x'.repeat(9_000)}\n`);
      process.exit(3);
    };
    await using client = await Client.connect({ workers: 1, output: 'ignore', warn: () => {} });
    const error = await client
      .with({ retries: 0 })
      .run(talkative)
      .catch((caught: Error) => caught.message);
    assert.match(String(error), /19 x+ \.\.\./);
    assert.ok(String(error).length < 10_000, `${String(error).length} characters`);
  });

  test('messages to a task are accepted while it computes', async (t) => {
    const client = await Client.connect({ workers: 1, output: 'ignore' });
    t.after(() => client.close({ timeout: 0 }));
    const task = await client.spawn(async (self: Task<number>) => {
      await self.receive();
      const end = Date.now() + 600;
      while (Date.now() < end);
      return end;
    });
    for (let i = 0; i < 5; i++) await task.deliver(i);
    const accepted = Date.now();
    assert.ok(accepted < (await task.result), 'the first starts a computation; the others do not wait for its end');
    await client.close();
  });

  test('what a task sends leaves at once, though it computes next', async (t) => {
    const client = await Client.connect({ workers: 1, output: 'ignore' });
    t.after(() => client.close({ timeout: 0 }));
    const heard = client.runtime.spawn(async (self: Task<number>) => {
      const times: number[] = [];
      for (let i = 0; i < 3; i++) times.push(Date.now() - (await self.receive()));
      return times;
    });
    const task = await client.spawn(async (_self: Task<never>, to: TaskRef<number>) => {
      for (let i = 0; i < 3; i++) {
        to.send(Date.now());
        const end = Date.now() + 500;
        while (Date.now() < end);
      }
    }, heard);
    for (const late of await heard.result) assert.ok(late < 450, `it was heard after ${late} ms`);
    await task.result;
    await client.close();
  });

  test('a closed client says so, and a wrong option suggests the right one', async () => {
    const client = await Client.connect({ inline: true });
    await client.close();
    await client.close();
    assert.throws(() => client.run(square, 1), { code: 'ERR_CLOSED' });
    await assert.rejects(Client.connect({ worker: 2 } as never), { code: 'ERR_OPTION_UNKNOWN', message: /Did you mean 'workers'/ });
    await assert.rejects(Client.connect({ workers: 0 }), { code: 'ERR_OPTION_INVALID' });
    await assert.rejects(Client.connect({ scheduler: 'tcp://127.0.0.1:1' }), { code: 'ERR_CLUSTER_NO_SCHEDULER' });
    await assert.rejects(Client.connect({ scheduler: 'nonsense://x' }), { code: 'ERR_LINK_ADDRESS' });
    for (const option of ['signal', 'onStatus', 'warn'])
      await assert.rejects(Client.connect({ inline: true, [option]: {} } as never), {
        code: 'ERR_OPTION_INVALID',
        message: new RegExp(`'${option}'`),
      });
    const open = await Client.connect({ inline: true });
    for (const option of ['signal', 'onProgress'])
      assert.throws(() => open.with({ [option]: 'x' } as never), { code: 'ERR_OPTION_INVALID', message: new RegExp(`'${option}'`) });
    assert.throws(() => open.map(square, [1], { signal: new AbortController() } as never), {
      code: 'ERR_OPTION_INVALID',
      message: /'signal'/,
    });
    await open.close();
  });
});
