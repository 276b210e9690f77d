// Hosts and workers as a client has them: set up, told of, suspended, closed, restarted; what is sent ahead, and what comes back.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Client, type ClientOptions, type ClusterEvent, current, setUp, setUpEach, type Task } from '../../src/index.ts';
import { grow, Point, prepare, read, store, sum } from '../fixtures/shapes.ts';
import { late, lateTask } from '../fixtures/slow.ts';
import { tempFolder } from '../support/processes.ts';

async function connect(t: { after(fn: () => unknown): void }, options: ClientOptions = {}): Promise<Client> {
  const client = await Client.connect({ scheduler: 'local', workers: 2, output: 'ignore', warn: () => {}, ...options });
  t.after(() => client.close({ timeout: 1_000 }));
  return client;
}

// Collects events from the first on; resolves when one of a kind has come so often.
function follow(client: Client): { all: ClusterEvent[]; until(kind: ClusterEvent['kind'], times?: number): Promise<void> } {
  const all: ClusterEvent[] = [];
  const waiting = new Set<() => void>();
  void (async () => {
    for await (const event of client.events()) {
      all.push(event);
      for (const look of waiting) look();
    }
  })();
  return {
    all,
    until: (kind, times = 1) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no ${times} ${kind} in ${kinds(all).join(', ')}`)), 15_000);
        const look = (): void => {
          if (all.filter((event) => event.kind === kind).length < times) return;
          waiting.delete(look);
          clearTimeout(late);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

const kinds = (events: readonly ClusterEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'availability' || event.kind.startsWith('task') ? [] : [event.kind]));

test('each change is told once and in order: hosts before their workers, ends after theirs, client-closed last', async (t) => {
  const client = await connect(t, { workers: 1 });
  const seen = follow(client);
  assert.equal(await client.run(() => 1), 1);
  await client.close();
  await seen.until('client-closed');
  assert.deepEqual(kinds(seen.all), [
    'host-discovered',
    'host-initialized',
    'worker-discovered',
    'worker-initialized',
    'worker-closed',
    'host-closed',
    'client-closed',
  ]);
});

test('calls and tasks are told of as they begin and end; items of a map only when asked for', async (t) => {
  const client = await connect(t);
  const seen = follow(client);
  await client.run((a: number) => a, 7);
  const task = await client.spawn(async (self: Task<number>) => self.receive());
  assert.equal(client.tasks().filter((one) => one.task).length, 1);
  task.send(5);
  assert.equal(await task.result, 5);
  await client.map((n: number) => n, [1, 2, 3]).toArray();
  assert.equal(seen.all.filter((event) => event.kind === 'item-ended').length, 0);
  await client.map((n: number) => n, [4, 5], { itemStatus: true }).toArray();
  await seen.until('item-ended', 2);
  await seen.until('task-ended', 2);
  const created = seen.all.filter((event) => event.kind === 'task-created');
  const ended = seen.all.filter((event) => event.kind === 'task-ended');
  assert.deepEqual(
    created.map((event) => event.info.args),
    [[7], []],
  );
  assert.deepEqual(
    ended.map((event) => event.end),
    [
      { kind: 'returned', value: 7 },
      { kind: 'returned', value: 5 },
    ],
  );
  assert.match(created[0]!.info.worker, /\/\d$/);
});

test('who comes later is told of what runs; events have a time and a number, and name tasks as tasks() does', async (t) => {
  const client = await connect(t);
  const before = Date.now();
  const first = follow(client);
  await first.until('worker-initialized', 2);
  const task = await client.spawn(async (self: Task<number>) => self.receive());
  const call = client.run((ms: number) => new Promise<string>((resolve) => setTimeout(() => resolve('done'), ms)), 1_000);
  await first.until('task-created', 2);
  const second = follow(client);
  await second.until('task-created', 2);
  const running = client.tasks().map(({ id }) => id);
  for (const { all } of [first, second])
    assert.deepEqual(all.flatMap((event) => (event.kind === 'task-created' ? [event.id] : [])).sort(), running.sort());
  task.send(1);
  assert.equal(await call, 'done');
  await Promise.all([first.until('task-ended', 2), second.until('task-ended', 2)]);
  assert.deepEqual(
    new Set(second.all.flatMap((event) => (event.kind === 'task-ended' ? [event.id, event.info.id] : []))),
    new Set(running),
  );
  await client.map((n: number) => n, [1], { itemStatus: true }).toArray();
  await first.until('item-ended');
  const [item] = first.all.flatMap((event) => (event.kind === 'item-ended' ? [event] : []));
  assert.ok(client.workers().some(({ name, host }) => name === item!.worker && host === item!.host));
  await client.close();
  await Promise.all([first.until('client-closed'), second.until('client-closed')]);
  for (const { all } of [first, second]) {
    assert.ok(all.every(({ time }) => time >= before && time <= Date.now() + 1));
    const changes = all.filter(({ sequence }, i) => i > 0 && sequence !== all[i - 1]!.sequence);
    assert.ok(changes.every(({ sequence }, i) => i === 0 || sequence > changes[i - 1]!.sequence));
  }
  // What both were told has the same number for both.
  const numbers = new Map(first.all.map((event) => [event.sequence, event.kind]));
  for (const { sequence, kind } of second.all.slice(-5)) assert.equal(numbers.get(sequence), kind);
  const closed = first.all.find(({ kind }) => kind === 'host-closed');
  assert.ok(closed?.kind === 'host-closed' && closed.info.disk > 0 && closed.info.disk >= (closed.info.availability?.disk ?? 0));
  assert.ok(closed.info.swap >= (closed.info.availability?.swap ?? 0));
  assert.ok(first.all.some((event) => event.kind === 'worker-closed' && event.location.endsWith(event.worker.slice(-2))));
});

test('what was submitted, runs, is done, failed and was cancelled is counted by client, host and worker', async (t) => {
  const client = await connect(t);
  const odd = (n: number): number => {
    if (n % 2) throw new Error('odd');
    return n;
  };
  let failed = 0;
  for await (const { error } of client
    .map(
      odd,
      Array.from({ length: 101 }, (_, i) => i),
    )
    .outcomes())
    if (error) failed++;
  assert.equal(failed, 50);
  await client.run(odd, 1).catch(() => {});
  const stop = new AbortController();
  const long = client
    .with({ signal: stop.signal })
    .run(() => new Promise((resolve) => current()!.signal.addEventListener('abort', resolve)));
  long.catch(() => {});
  while (client.counters.running === 0) await new Promise((resolve) => setImmediate(resolve));
  const counts = { submitted: 103, running: 1, done: 51, failed: 51, cancelled: 0 };
  assert.deepEqual(client.counters, { ...counts, waiting: 0, retried: 0 });
  assert.deepEqual(client.hosts()[0]!.counts, counts);
  stop.abort();
  await assert.rejects(long);
  assert.deepEqual(client.hosts()[0]!.counts, { ...counts, running: 0, cancelled: 1 });
  const sum = (name: 'submitted' | 'done' | 'failed' | 'cancelled'): number =>
    client.workers().reduce((all, worker) => all + worker.counts[name], 0);
  assert.deepEqual([sum('submitted'), sum('done'), sum('failed'), sum('cancelled')], [103, 51, 51, 1]);
});

test('a status task is sent every change', async (t) => {
  const { Runtime } = await import('../../src/index.ts');
  await using runtime = await Runtime.start();
  const seen: string[] = [];
  const status = runtime.spawn(async (self: Task<ClusterEvent>) => {
    for await (const event of self) {
      seen.push(event.kind);
      if (event.kind === 'client-closed') return seen.length;
    }
    return 0;
  });
  const client = await connect(t, { statusTask: status, workers: 1 });
  await client.run(() => 1);
  await client.close();
  await status.result;
  assert.equal(seen.at(-1), 'client-closed');
  assert.equal(seen.filter((kind) => kind === 'worker-initialized').length, 1);
});

test('a host is set up once, before its workers; all of them read what that returned', async (t) => {
  const client = await connect(t, { hostSetUp: setUp(prepare, 100_000) });
  const seen = follow(client);
  const sums = await Promise.all(client.workers().length > 0 ? [] : [client.run(sum), client.run(sum)]);
  for (const { total, note } of sums) {
    assert.equal(total, 150_000);
    assert.equal(note, 'made in 0');
  }
  await seen.until('worker-initialized', 2);
  for (const { name } of client.workers()) assert.equal((await client.with({ at: name }).run(sum)).total, 150_000);
  assert.equal(seen.all.filter((event) => event.kind === 'host-initialized').length, 1);
});

test('a set-up that throws is told with its reason, and the host is not used', async (t) => {
  const client = await connect(t, { hostSetUp: setUp(prepare, -1) });
  await assert.rejects(client.run(sum), (error: any) => error.code === 'ERR_HOST_SET_UP' && /no table of that size/.test(error.message));
});

for (const option of ['hostSetUp', 'workerSetUp'] as const)
  test(`a process that ends in its ${option} is told at once, with its exit code and what it printed last`, async (t) => {
    const client = await connect(t, {
      workers: 1,
      [option]: () => {
        console.log('no licence here');
        process.exit(7);
      },
    });
    const started = Date.now();
    await assert.rejects(
      client.run(() => 1),
      (error: any) => error.code === 'ERR_HOST_SET_UP' && /exited with code 7.*no licence here/s.test(error.message),
    );
    assert.ok(Date.now() - started < 8_000, 'no silence is waited for'); // which would be ten seconds
  });

test('a worker is set up before its first call, and again after it was lost; set-up and jobs share a module', async (t) => {
  const client = await connect(t, { workers: 1, workerSetUp: setUpEach(store, ({ worker }) => [`for ${worker?.split('/').at(-1)}`]) });
  assert.equal(await client.run(read), 'for 1');
  const seen = follow(client);
  await client
    .with({ retries: 0 })
    .run(() => process.exit(3))
    .catch(() => {});
  assert.equal(await client.run(read), 'for 1');
  await seen.until('worker-lost');
});

test('disabled hosts and workers are set up when they are enabled, with the arguments given then', async (t) => {
  const client = await connect(t, {
    disableHosts: true,
    disableWorkers: true,
    hostSetUp: setUp(prepare, 1),
    workerSetUp: setUp(store, 'default'),
    workers: 2,
  });
  const names: string[] = [];
  let enabled = 0;
  for await (const event of client.events()) {
    if (event.kind === 'host-discovered') client.enableHost(event.host, 1_000);
    if (event.kind === 'worker-discovered') {
      client.enableWorker(event.worker, `mine ${++enabled}`);
      names.push(event.worker);
    }
    if (event.kind === 'worker-initialized' && client.workers().length === 2) break;
  }
  assert.equal((await client.run(sum)).total, 1_500);
  assert.equal(await client.with({ at: names[0]! }).run(read), 'mine 1');
  assert.equal(await client.with({ at: names[1]! }).run(read), 'mine 2');
});

test('a suspended worker is given nothing, and a host whose last worker is suspended is too', async (t) => {
  const client = await connect(t);
  await Promise.all([client.run(() => 1), client.run(() => 1)]);
  const seen = follow(client);
  await seen.until('worker-initialized', 2);
  const [first, second] = client.workers().map(({ name }) => name) as [string, string];
  const host = client.hosts()[0]!.name;
  client.suspendWorker(first);
  const where = await client.map(() => current()!.worker.name, Array.from({ length: 20 })).toArray();
  assert.deepEqual([...new Set(where)], [second]);
  client.suspendWorker(second);
  await seen.until('host-suspended');
  const waiting = client.run(() => 'ran');
  assert.match(client.explain().join('\n'), /is suspended: client.resumeHost/);
  while (client.counters.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  client.resumeHost(host);
  assert.equal(await waiting, 'ran');
  await seen.until('worker-resumed', 2);
  assert.deepEqual(
    kinds(seen.all).filter((kind) => /suspended|resumed/.test(kind)),
    ['worker-suspended', 'worker-suspended', 'host-suspended', 'worker-resumed', 'worker-resumed', 'host-resumed'],
  );
});

test('a worker that is restarted has a fresh process; one that is closed is not replaced', async (t) => {
  const client = await connect(t);
  const seen = follow(client);
  await seen.until('worker-initialized', 2);
  const [first, second] = client.workers().map(({ name }) => name) as [string, string];
  const at = client.with({ at: first });
  await at.run(store, 'old');
  const before = await at.run(() => process.pid);
  await client.restartWorker(first);
  assert.equal(await at.run(read), 'nothing');
  assert.notEqual(await at.run(() => process.pid), before);
  await client.closeWorker(second);
  assert.equal(client.hosts()[0]!.granted, 1);
  await assert.rejects(
    client.with({ at: second, timeout: 300 }).run(() => 1),
    { code: 'ERR_TIMEOUT' },
  );
  await client.closeHost(client.hosts()[0]!.name);
  assert.deepEqual(client.hosts(), []);
  await seen.until('host-closed');
  assert.throws(() => client.suspendHost('nowhere'), { code: 'ERR_HOST_UNKNOWN' });
});

test('a worker that was closed stays closed, whatever waits, and no other takes its place, until it is asked for', async (t) => {
  const client = await connect(t);
  const seen = follow(client);
  await seen.until('worker-initialized', 2);
  const [first, second] = client
    .workers()
    .map(({ name }) => name)
    .sort() as [string, string];
  const names = async (): Promise<string[]> => {
    const slow = (ms: number): Promise<string> => new Promise((resolve) => setTimeout(() => resolve(current()!.worker.name), ms));
    return [...new Set(await Promise.all(Array.from({ length: 12 }, () => client.run(slow, 100))))].sort();
  };
  await client.closeWorker(first);
  assert.deepEqual(await names(), [second]);
  assert.equal(client.hosts()[0]!.granted, 1);
  const behind = client.with({ at: first, timeout: 300 }).run(() => 1);
  let explained = '';
  const off = setInterval(() => {
    explained += client.explain().join();
  }, 20);
  await assert.rejects(behind, { code: 'ERR_TIMEOUT' });
  clearInterval(off);
  assert.match(explained, /it was closed: client.restartWorker/);
  await client.restartWorker(first);
  await seen.until('worker-initialized', 3);
  assert.deepEqual(await names(), [first, second]);
  await client.with({ at: first }).run(() => void current()!.worker.close());
  await seen.until('worker-closed', 2);
  assert.deepEqual(await names(), [second]);
  await client.allocate('nobody');
  assert.deepEqual(await names(), [second]);
  await client.allocate('*');
  await seen.until('worker-initialized', 4);
  assert.deepEqual(await names(), [first, second]);
  await Promise.all([client.closeWorker(first), client.closeWorker(second)]);
  await seen.until('host-closed');
  const waiting = client.run(() => current()!.worker.name);
  await new Promise((resolve) => setTimeout(resolve, 1_200)); // twice the time after which a client asks again for what it has work for
  assert.deepEqual(client.hosts(), []);
  await client.restartWorker(second);
  assert.equal(await waiting, second);
});

test('with restartWorkers a worker that is closed is started anew', async (t) => {
  const client = await connect(t, { workers: 1, restartWorkers: true });
  const before = await client.run(() => process.pid);
  await client.closeWorker(client.workers()[0]!.name);
  assert.notEqual(await client.run(() => process.pid), before);
  assert.equal(client.hosts()[0]!.granted, 1);
});

test('closing waits for a task, or with terminate interrupts it, which has the grace period', async (t) => {
  const client = await connect(t, { workers: 1 });
  const task = await client.spawn(async (self: Task<string>) => {
    try {
      await self.receive();
      return 'message';
    } catch {
      return `interrupted, ${self.signal.aborted}`;
    }
  });
  const name = client.workers()[0]!.name;
  const order: string[] = [];
  const ended = task.ended.then(() => order.push('the task has ended'));
  const closing = client.closeWorker(name).then(() => order.push('the worker is closed'));
  await client.closeWorker(name, { terminate: true });
  assert.equal(await task.result, 'interrupted, true');
  await Promise.all([ended, closing]);
  assert.deepEqual(order, ['the task has ended', 'the worker is closed']);
});

test('tasks close and restart their own worker, and find state and files there', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'note.txt'), 'a note');
  writeFileSync(join(folder, 'plugin.mjs'), 'export const name = "plugin";');
  const client = await connect(t, { workers: 1, components: [join(folder, 'note.txt'), join(folder, 'plugin.mjs')] });
  const seen = follow(client);
  writeFileSync(join(folder, 'job.mjs'), "export const job = async (name) => (await import('./' + name + '.mjs')).name;");
  const found = await client.run(async () => {
    const { readFileSync } = await import('node:fs');
    const here = current()!;
    here.worker.state['count'] = 1;
    const { name } = (await here.import('plugin.mjs')) as { name: string };
    return [readFileSync(here.file('note.txt'), 'utf8'), name, process.cwd().endsWith('/1')];
  });
  assert.deepEqual(found, ['a note', 'plugin', true]);
  // What shipped code imports by a name that it makes up is found in the same places.
  const { job } = client.module<{ job(name: string): Promise<string> }>(pathToFileURL(join(folder, 'job.mjs')));
  assert.equal(await job('plugin'), 'plugin');
  await assert.rejects(
    client.run(() => current()!.file('none')),
    { code: 'ERR_FILE_UNKNOWN' },
  );
  await client.run(() => void current()!.worker.close({ restart: true }));
  await seen.until('worker-closed');
  assert.equal(await client.run(() => current()!.worker.state['count']), undefined);
});

test('a folder is a component: it lands with all that is in it, by its name', async (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'kit', 'deep', 'er'), { recursive: true });
  writeFileSync(join(folder, 'kit', 'top.txt'), 'top');
  writeFileSync(join(folder, 'kit', 'deep', 'er', 'low.txt'), 'low');
  const client = await connect(t, { workers: 1, components: [join(folder, 'kit')] });
  const found = await client.run(async () => {
    const { readFileSync } = await import('node:fs');
    return ['kit/top.txt', 'kit/deep/er/low.txt'].map((name) => readFileSync(current()!.file(name), 'utf8'));
  });
  assert.deepEqual(found, ['top', 'low']);
});

test('files go to hosts and workers, and come back to the client', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'in.txt'), 'sent');
  const client = await connect(t, { workers: 1 });
  client.runtime.filesDir = join(folder, 'back');
  await client.run(() => 1);
  await client.sendFile('*', join(folder, 'in.txt'));
  await client.sendFile(client.workers()[0]!.name, join(folder, 'in.txt'), { name: 'own.txt' });
  const outcome = await client.run(async () => {
    const { readFileSync, writeFileSync: write } = await import('node:fs');
    write('out.txt', `${readFileSync(current()!.file('in.txt'), 'utf8')} and ${readFileSync('own.txt', 'utf8')}`);
    return current()!.sendFile('out.txt');
  });
  assert.equal(outcome.kind, 'sent');
  const { readFileSync } = await import('node:fs');
  assert.equal(readFileSync(join(folder, 'back', 'out.txt'), 'utf8'), 'sent and sent');
});

test('a task that cannot be interrupted costs its worker, and the calls beside it no try', async (t) => {
  const client = await connect(t, { workers: 1, workerSetUp: setUp(store, 'set up again') });
  const seen = follow(client);
  const stubborn = await client.with({ io: 5 }).spawn(async (self: Task<never>) => {
    for (;;) await new Promise((resolve) => setTimeout(resolve, self.signal.aborted ? 10 : 5));
  });
  const beside = client.with({ io: 5, retries: 1 }).run(
    async (mark: string) => {
      const { existsSync, writeFileSync: write } = await import('node:fs');
      if (existsSync(mark)) return read();
      write(mark, '');
      return new Promise<never>(() => {}); // its worker is killed
    },
    join(tempFolder(t), 'begun'),
  );
  await seen.until('worker-initialized');
  while (client.counters.running === 0) await new Promise((resolve) => setImmediate(resolve));
  stubborn.terminate('no longer needed');
  assert.equal((await stubborn.ended).kind, 'terminated');
  await seen.until('worker-lost');
  assert.equal(await beside, 'set up again');
});

test('a call that stops when it is told to costs its worker nothing, whatever its client does next', async (t) => {
  const client = await connect(t, { workers: 1, workerSetUp: setUp(store, 'set up') });
  const seen = follow(client);
  const untilStopped = async (): Promise<void> => {
    const { progress, signal } = current() as NonNullable<ReturnType<typeof current>>;
    const stopped = new Promise<void>((stop) => signal.addEventListener('abort', () => stop()));
    progress(0);
    await stopped;
  };
  for (let i = 0; i < 10; i++) {
    const abort = new AbortController();
    const begun = new Promise<void>((onProgress) => {
      client
        .with({ io: 1, signal: abort.signal, onProgress: () => onProgress() })
        .run(untilStopped)
        .catch(() => {});
    });
    await begun;
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    for (const end = performance.now() + 20; performance.now() < end; );
    await new Promise((resolve) => setImmediate(resolve));
  }
  // As long as a call that does not stop would be waited for, and longer.
  assert.equal(await client.run((ms: number) => new Promise<string>((resolve) => setTimeout(() => resolve('there'), ms)), 1_000), 'there');
  assert.ok(!kinds(seen.all).includes('worker-lost'), kinds(seen.all).join(', '));
});

test('a worker that was stopped while a call ends is not ended for it: the time does not count, and the task beside goes on', async (t) => {
  const client = await connect(t, { workers: 1 });
  const sum = async (self: Task<number>): Promise<number> => (await self.receive()) + (await self.receive());
  const task = await client.with({ io: 2 }).spawn(sum);
  const pid = await client.with({ io: 2 }).run(() => process.pid);
  task.send(1);
  const stop = new AbortController();
  let heard: () => void = () => {};
  const ends = async (): Promise<void> => {
    const { progress, signal } = current() as NonNullable<ReturnType<typeof current>>;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    progress(0);
    await stopped;
    for (let i = 0; i < 15; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const call = client
    .with({
      io: 2,
      signal: stop.signal,
      onProgress: () => heard(),
    })
    .run(ends);
  call.catch(() => {});
  await new Promise<void>((resolve) => {
    heard = resolve;
  });
  stop.abort();
  await assert.rejects(call);
  // Longer than a call is waited for that does not end.
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.kill(pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  process.kill(pid, 'SIGCONT');
  assert.equal(await client.with({ io: 2 }).run(() => process.pid), pid, 'given when the call has ended');
  task.send(2);
  assert.equal(await task.result, 3);
});

test('what is cancelled before it begins costs its worker nothing, and the call that computes there no try', async (t) => {
  const client = await connect(t, { workers: 1 });
  const seen = follow(client);
  const compute = (ms: number): number => {
    for (const end = performance.now() + ms; performance.now() < end; );
    return process.pid;
  };
  const pid = await client.run(compute, 0);
  for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 500 }, () => client.run(compute, 0)));
  const abort = new AbortController();
  const cancelled = client.with({ signal: abort.signal });
  const computes = client.run(compute, 1_500);
  const behind = cancelled.run(compute, 0).catch((error: Error) => error.name);
  while (client.counters.running < 2) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  assert.equal(await behind, 'AbortError');
  assert.equal(await computes, pid);
  // Its function, or that of a task, loads for a while.
  for (const start of [(caller: typeof cancelled) => caller.run(late), (caller: typeof cancelled) => caller.spawn(lateTask)]) {
    const { counters } = client;
    const stop = new AbortController();
    const given = start(client.with({ io: 2, signal: stop.signal }) as typeof cancelled).catch((error: Error) => error.name);
    while (client.counters.running === counters.running) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    assert.equal(await given, 'AbortError');
  }
  assert.equal(await client.run((ms: number) => new Promise((resolve) => setTimeout(() => resolve(process.pid), ms)), 1_000), pid);
  assert.ok(!kinds(seen.all).includes('worker-lost'), kinds(seen.all).join(', '));
  assert.equal(client.counters.retried, 0);
});

test('what is called after a call that had to be stopped is not lost with its worker', async (t) => {
  const client = await connect(t, { workers: 1 });
  const compute = (): never => {
    for (;;);
  };
  async function* three(): AsyncGenerator<number> {
    yield* [1, 2, 3];
  }
  for (let i = 0; i < 3; i++) {
    const { counters } = client;
    await assert.rejects(client.with({ timeout: 300 }).run(compute), { code: 'ERR_TIMEOUT' });
    if (i === 0) assert.equal(await client.with({ retries: 0 }).run(() => 'once'), 'once');
    if (i === 1) assert.equal(await (await client.spawn(async (_self: Task<never>) => 'a task')).result, 'a task');
    if (i === 2) {
      const all: number[] = [];
      for await (const value of client.run(three)) all.push(value);
      assert.deepEqual(all, [1, 2, 3]);
    }
    assert.equal(client.counters.retried, counters.retried);
  }
});

test('close() stops calls with io unless they are waited for, and with terminate all', async (t) => {
  const wait = (ms: number): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('done'), ms));
  const first = await connect(t);
  const io = first.with({ io: 4 }).run(wait, 1_000);
  const plain = first.run(wait, 300);
  io.catch(() => {});
  while (first.counters.running < 2) await new Promise((resolve) => setImmediate(resolve));
  await first.close();
  assert.equal(await plain, 'done');
  await assert.rejects(io, { code: 'ERR_CLOSED' });
  const second = await connect(t);
  const awaited = second.with({ io: 4 }).run(wait, 500);
  while (second.counters.running < 1) await new Promise((resolve) => setImmediate(resolve));
  await second.close({ awaitIo: true });
  assert.equal(await awaited, 'done');
  const third = await connect(t);
  const long = third.run(wait, 100_000);
  long.catch(() => {});
  while (third.counters.running < 1) await new Promise((resolve) => setImmediate(resolve));
  await third.close({ terminate: true });
  await assert.rejects(long, { code: 'ERR_CLOSED' });
});

test('a host is restarted with its set-up, of before or with other arguments; a task closes its host', async (t) => {
  const client = await connect(t, { workers: 1, hostSetUp: setUp(prepare, 10) });
  const seen = follow(client);
  assert.equal((await client.run(sum)).total, 15);
  const host = client.hosts()[0]!.name;
  const pid = await client.run(() => process.pid);
  await client.restartHost(host, { args: [20] });
  assert.equal((await client.run(sum)).total, 30);
  await client.restartHost(host);
  assert.equal((await client.run(sum)).total, 30);
  assert.notEqual(await client.run(() => process.pid), pid);
  assert.equal(seen.all.filter(({ kind }) => kind === 'host-initialized').length, 1);
  assert.equal(client.tasks(host).length, 0);
  assert.throws(() => client.tasks('nowhere'), { code: 'ERR_HOST_UNKNOWN' });
  await client.run(() => current()!.host.close());
  await seen.until('host-closed');
});

test('a rule that is added lets in hosts that were refused', async (t) => {
  let ignored: () => void = () => {};
  const refused = new Promise<void>((resolve) => {
    ignored = resolve;
  });
  const onStatus = (event: ClusterEvent): void => void (event.kind === 'host-ignored' && ignored());
  const client = await connect(t, { workers: 1, hosts: ['nobody'], disableHosts: true, onStatus });
  const seen = follow(client);
  await refused;
  assert.deepEqual(client.hosts(), []);
  await client.allocate({ host: '*', allocate: ({ workers }) => workers });
  await seen.until('host-discovered');
  client.enableHost(client.hosts()[0]!.name);
  assert.equal(await client.run(() => 1), 1);
});

test('objects of classes that modules export travel both ways with their methods', async (t) => {
  const client = await connect(t, { workers: 1 });
  const grown = await client.run(grow, new Point(3, 4), 1);
  assert.ok(grown instanceof Point);
  assert.deepEqual([grown.x, grown.y, Math.round(grown.norm())], [4, 5, 6]);
});

class Own {
  value: number;
  constructor(value: number) {
    this.value = value;
  }
  twice(): number {
    return this.value * 2;
  }
}

test("a class of the program's own file travels when it is a component", async (t) => {
  const client = await connect(t, { workers: 1, components: [Own] });
  const back = await client.run((own: Own) => new Own(own.twice()), new Own(21));
  assert.ok(back instanceof Own);
  assert.equal(back.value, 42);
});

test('what is wrong with components and options is said before anything starts', async () => {
  await assert.rejects(Client.connect({ components: ['/no/such/file'] }), /cannot be sent.*ENOENT/);
  await assert.rejects(Client.connect({ components: [42 as never] }), /components\[0\] must be a function/);
  await assert.rejects(Client.connect({ hosts: [{ hots: 'x' } as never] }), /no option 'hots'.*'host'/s);
  await assert.rejects(Client.connect({ hosts: [{ platform: '(' }] }), /no regular expression/);
  await assert.rejects(Client.connect({ hostSetUp: 'x' as never }), /hostSetUp.*must be a function/);
  await assert.rejects(Client.connect({ hostSetup: () => 1 } as never), /Did you mean 'hostSetUp'/);
});

test('100,000 queued and 100 running calls are cancelled within a second', async (t) => {
  const client = await connect(t);
  await Promise.all([client.run(() => 1), client.run(() => 1)]);
  const abort = new AbortController();
  const forever = client.with({ signal: abort.signal, io: 50 });
  const running = Array.from({ length: 100 }, () =>
    forever.run(() => new Promise((resolve) => current()!.signal.addEventListener('abort', resolve))),
  );
  const queued = client.with({ signal: abort.signal });
  const long = (n: number): Promise<number> => new Promise((resolve) => setTimeout(() => resolve(n), 100_000));
  const waiting = Array.from({ length: 100_000 }, (_, i) => queued.run(long, i));
  while (client.counters.waiting < 99_000 || client.counters.running < 100) await new Promise((resolve) => setImmediate(resolve));
  const started = performance.now();
  const before = process.cpuUsage();
  abort.abort(new Error('enough'));
  const ends = await Promise.allSettled([...running, ...waiting]);
  const took = performance.now() - started;
  assert.ok(ends.every((end) => end.status === 'rejected' && end.reason.message === 'enough'));
  const { user, system } = process.cpuUsage(before);
  // On a machine that does other things at the same time, what this process itself needed.
  assert.ok(Math.min(took, (user + system) / 1_000) < 1_000, `it took ${took} ms`);
  assert.equal(await client.run(() => 'free'), 'free');
  t.diagnostic(`${Math.round(took)} ms`);
});

test('items that are few are shared out among all workers, though one could do them at a time', async (t) => {
  const client = await connect(t, { workers: 4 });
  const seen = follow(client);
  await seen.until('worker-initialized', 4);
  const compute = (n: number): number => {
    for (const end = performance.now() + 0.2; performance.now() < end; );
    return n && process.pid;
  };
  await client.map(compute, new Array<number>(500).fill(1)).toArray(); // now it is known how long one takes
  const pids = new Set(await client.map(compute, new Array<number>(16).fill(1)).toArray());
  assert.equal(pids.size, 4);
});

test('what waits behind a slow call is recalled and runs elsewhere, once', async (t) => {
  const client = await connect(t);
  const seen = follow(client);
  await seen.until('worker-initialized', 2);
  const work = (ms: number): string => {
    const end = performance.now() + ms;
    while (performance.now() < end);
    return current()!.worker.name;
  };
  // Quick ones first, so that the next are given ahead.
  await Promise.all(Array.from({ length: 200 }, () => client.run(work, 0)));
  const started = performance.now();
  const names = await Promise.all([1_500, ...Array.from({ length: 200 }, () => 0)].map((ms) => client.run(work, ms)));
  const took = performance.now() - started;
  assert.ok(took < 2_500);
  assert.ok(new Set(names.slice(1)).size <= 2);
});
