// Several clients of one scheduler, with real processes: whoever comes has its share, at once, whatever the others do.
import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { after, before, test } from 'node:test';
import { SCHEDULER } from '../../src/cluster/protocol.ts';
import { Client, type ClientOptions, Runtime, type Task } from '../../src/index.ts';
import { BIN, type Program, start, tempFolder } from '../support/processes.ts';
import { until } from '../support/until.ts';

const SECRET = 'a secret of the tests of sharing';
const MOST_MS = 10_000;
const PAIRS = Number(process.env['FLOTILLA_TEST_PAIRS'] ?? 5);

/** A scheduler with three hosts of two workers, for all that is tested here. */
class Shared {
  readonly #ends: (() => unknown)[] = [];
  address = '';
  scheduler: Program | undefined;

  async begin(): Promise<void> {
    const t = { after: (end: () => unknown): void => void this.#ends.unshift(end) };
    const folder = tempFolder(t);
    const env = { HOME: folder, TMPDIR: folder, FLOTILLA_SECRET: SECRET };
    const words = ['tcp://127.0.0.1:0', '--daemon', '--no-discovery'];
    const scheduler = start(t, [BIN, 'scheduler', ...words, '--quota', 'small=1'], { env });
    this.scheduler = scheduler;
    this.address = (await scheduler.until(/listens at (tcp:\S+?)[,;]/))[1] as string;
    const hosts = ['x', 'y', 'z'].map((name) =>
      start(t, [BIN, 'host', ...words, '--cpus', '2', '--name', name, '--scheduler', this.address], { env }),
    );
    for (const host of hosts) await host.until(/Joined the scheduler/);
  }

  async connect(t: { after(fn: () => unknown): void }, name: string, options: ClientOptions = {}): Promise<Client> {
    const common = { secret: SECRET, scheduler: this.address, output: 'ignore', timeout: MOST_MS } as const;
    const client = await Client.connect({ name, warn: () => {}, ...common, ...options });
    t.after(() => client.close({ terminate: true }));
    return client;
  }

  async end(): Promise<void> {
    for (const end of this.#ends) await end();
  }
}

const shared = new Shared();
before(() => shared.begin());
after(() => shared.end());

const ready = (client: Client): number => client.hosts().reduce((sum, host) => sum + host.ready, 0);

async function untilShares(clients: readonly Client[], shares: readonly number[]): Promise<void> {
  const all = (): string => clients.map(ready).join(':');
  await until(
    () => all() === shares.join(':'),
    () => `shares are ${all()}, not ${shares.join(':')}`,
    MOST_MS,
  );
}

test('of clients that connect in the same instant each has its share', async (t) => {
  for (let pair = 0; pair < PAIRS; pair++) {
    const clients = await Promise.all([shared.connect(t, 'a'), shared.connect(t, 'b')]);
    await untilShares(clients, [3, 3]);
    await Promise.all(clients.map((client) => client.close()));
  }
});

test('weights hold for clients that connect in the same instant', async (t) => {
  const clients = await Promise.all([1, 2, 3].map((weight) => shared.connect(t, `weighs-${weight}`, { weight })));
  await untilShares(clients, [1, 2, 3]);
});

test('quotas hold for clients that connect in the same instant, and the rest is for the others', async (t) => {
  const clients = await Promise.all([shared.connect(t, 'small'), shared.connect(t, 'large'), shared.connect(t, 'small')]);
  await untilShares(clients, [1, 4, 1]);
});

async function holds(self: Task<number>): Promise<number> {
  return self.receive();
}

test('a client that comes has the workers that are idle, not those on which tasks of others run', async (t) => {
  const first = await shared.connect(t, 'first');
  await untilShares([first], [6]);
  const tasks = [];
  for (let i = 0; i < 4; i++) tasks.push(await first.spawn(holds));
  const second = await shared.connect(t, 'second');
  await untilShares([first, second], [4, 2]);
  assert.equal(await second.run((n: number) => n * 2, 21), 42);
  // What runs there is let end, and then the shares are right.
  for (const task of tasks) assert.ok(task.send(7));
  assert.deepEqual(await Promise.all(tasks.map((task) => task.result)), [7, 7, 7, 7]);
  await untilShares([first, second], [3, 3]);
});

test('a scheduler that is silent past the limit takes nothing from its clients: tasks go on, and who was silent to it is the same client', async (t) => {
  const warnings: string[] = [];
  const client = await shared.connect(t, 'waits', { pulse: 500, warn: (text) => warnings.push(text) });
  await untilShares([client], [6]);
  const lost: string[] = [];
  t.after(client.onEvent(({ kind }) => /-(lost|closed)$/.test(kind) && lost.push(kind)));
  const task = await client.spawn(holds);
  shared.scheduler?.kill('SIGSTOP');
  await until(
    () => warnings.some((text) => /scheduler at .* is silent/.test(text)),
    () => 'not so: the silence is noticed',
    MOST_MS,
  );
  assert.equal(await client.run((n: number) => n + 1, 1), 2, 'work goes on');
  shared.scheduler?.kill('SIGCONT');
  // It grants, and takes back, as before: what the task does not run on.
  const other = await shared.connect(t, 'other');
  await untilShares([client, other], [3, 3]);
  assert.ok(task.send(5));
  assert.equal(await task.result, 5);
  assert.deepEqual(
    lost.filter((kind) => /lost/.test(kind)),
    [],
  );
});

// A way to an address that lets nothing pass before it is opened.
async function closedWay(t: { after(fn: () => unknown): void }, to: string): Promise<{ address: string; open(): void }> {
  const { hostname, port } = new URL(to);
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = createServer((near) => {
    near.on('error', () => {});
    void opened.then(() => pipeline(near, connect(Number(port), hostname), near, () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, open };
}

test('clients that want the cluster alone have it in the order in which they asked, also if the first is heard last', async (t) => {
  const first = await shared.connect(t, 'first');
  const turns: string[] = [];
  const alone = async (name: string, options: ClientOptions = {}): Promise<void> => {
    const onStatus: ClientOptions['onStatus'] = ({ kind }) => kind === 'client-scheduled' && turns.push(name);
    const client = await shared.connect(t, name, { exclusive: true, onStatus, ...options });
    await client.close();
  };
  const asking = await Runtime.start({ secret: SECRET });
  t.after(() => asking.close());
  const scheduler = await asking.connect(shared.address);
  const untilHeard = async (...names: readonly string[]): Promise<void> => {
    for (const end = Date.now() + MOST_MS; ; ) {
      const { clients } = await asking.kernel.at(scheduler, SCHEDULER).status();
      if (names.every((name) => clients.some((client) => client.name === name))) return;
      assert.ok(Date.now() < end, `the scheduler hears of ${names.join(' and ')}`);
    }
  };
  const way = await closedWay(t, shared.address);
  const far = alone('far', { scheduler: way.address });
  await new Promise((resolve) => setTimeout(resolve, 100)); // so much later the other one asks
  const near = alone('near');
  await untilHeard('near');
  way.open();
  await untilHeard('near', 'far');
  await first.close();
  await Promise.all([far, near]);
  assert.deepEqual(turns, ['far', 'near']);
});
