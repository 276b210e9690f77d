// A scheduler and hosts as processes of their own, and what happens when they are killed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, marked, type Program, ROOT, runToEnd, start, tempFolder, untilNoneMarked, writeProgram } from '../support/processes.ts';

const PULSE = ['--pulse', '0.5'];
let nextMark = 1;

interface Cluster {
  readonly env: Record<string, string>;
  readonly mark: string;
  readonly folder: string;
  readonly scheduler: Program;
  readonly hosts: readonly Program[];
}

async function cluster(t: { after(fn: () => unknown): void }, hosts: readonly string[]): Promise<Cluster> {
  const mark = `${process.pid}-${nextMark++}`;
  const folder = tempFolder(t);
  const base = { HOME: folder, FLOTILLA_TEST_MARK: mark, TMPDIR: folder };
  const scheduler = start(t, [BIN, 'scheduler', 'tcp://127.0.0.1:0', '--daemon', ...PULSE], { env: base });
  const [, address] = await scheduler.until(/listens at (tcp:\S+?)[,;]/);
  const env = { ...base, FLOTILLA_SCHEDULER: address as string };
  const started = hosts.map((name) =>
    start(t, [BIN, 'host', 'tcp://127.0.0.1:0', '--daemon', '--workers', '1', '--name', name, ...PULSE], { env }),
  );
  for (const host of started) await host.until(/Joined the scheduler/);
  return { env, mark, folder, scheduler, hosts: started };
}

const factor = (env: Record<string, string>, t: { after(fn: () => unknown): void }): Program =>
  start(t, [BIN, 'run', join(ROOT, 'examples/01-factor.ts')], { env });
// The example with more numbers, which says when the first result is there: the middle of a run that can be met.
function longFactor(c: Cluster, t: { after(fn: () => unknown): void }): Program {
  const source = readFileSync(join(ROOT, 'examples/01-factor.ts'), 'utf8')
    .replace('length: 1_000', 'length: 3_000')
    .replace("'./factor/factorize.ts'", `'${join(ROOT, 'examples/factor/factorize.ts')}'`)
    .replace("'flotilla'", `'${join(ROOT, 'dist/lib/index.js')}'`)
    .replace(
      'const number = numbers[checked++];',
      "const number = numbers[checked++];\n  if (checked === 100) console.log('in the middle');",
    );
  return start(t, [BIN, 'run', writeProgram(c.folder, 'long-factor.ts', source)], { env: c.env });
}

const pidOf = (mark: string, title: string): number | undefined => marked(mark).find((p) => p.title.startsWith(title))?.pid;

async function waitForWork(c: Cluster): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const status = runToEnd([BIN, 'status', '--json'], { env: c.env }).stdout;
    if (/"done": [1-9]/.test(status)) return;
  }
  throw new Error('no work was seen');
}

test('the example runs on the hosts of a shared scheduler, not a character changed, and its summary names them', async (t) => {
  const c = await cluster(t, ['north', 'south']);
  const program = factor(c.env, t);
  assert.equal((await program.exited).code, 0, program.output);
  assert.match(program.output, /1000 of 1000 results arrived and are right/);
  assert.match(program.output, /worker north\/1 on host north: \d+ items/);
  assert.match(program.output, /worker south\/1 on host south: \d+ items/);
  assert.match(program.output, /nothing was retried/);
});

/** How often each kill is repeated: `KILLS=20 node tools/test.js system/cluster` for a long look. */
const KILLS = Number(process.env['KILLS'] ?? 2);

for (let round = 1; round <= KILLS; round++) {
  test(`kill -9 of a worker in the middle: every result arrives once, and the summary says what was retried (${round})`, async (t) => {
    const c = await cluster(t, ['north', 'south']);
    const program = longFactor(c, t);
    await program.until(/in the middle/);
    process.kill(pidOf(c.mark, 'flotilla-worker:north')!, 'SIGKILL');
    assert.equal((await program.exited).code, 0, program.output);
    assert.match(program.output, /3000 of 3000 results arrived and are right/);
    assert.match(program.output, /north\/1 was lost \(it was killed.*\): \d+ items tried again/);
  });

  test(`kill -9 of a whole host in the middle: every result arrives once, on the other host (${round})`, async (t) => {
    const c = await cluster(t, ['north', 'south']);
    const program = longFactor(c, t);
    await program.until(/in the middle/);
    c.hosts[0]!.kill('SIGKILL');
    assert.equal((await program.exited).code, 0, program.output);
    assert.match(program.output, /3000 of 3000 results arrived and are right/);
    assert.match(program.output, /north\/1 was lost \(its host is lost.*\): \d+ items tried again/);
  });
}

test('kill -9 of the scheduler: the client goes on with what it was granted, and a new scheduler takes over', async (t) => {
  const c = await cluster(t, ['north']);
  const program = longFactor(c, t);
  await program.until(/in the middle/);
  c.scheduler.kill('SIGKILL');
  assert.equal((await program.exited).code, 0, program.output);
  assert.match(program.output, /3000 of 3000 results arrived and are right/);
  const address = c.env['FLOTILLA_SCHEDULER'] as string;
  const again = start(t, [BIN, 'scheduler', address, '--daemon', ...PULSE], { env: c.env });
  await again.until(/host 'north' is here/);
  assert.equal(runToEnd([BIN, 'run', join(ROOT, 'examples/03-talk.ts')], { env: c.env }).code, 0);
});

const BUSY = `import { Client } from 'flotilla';
const client = await Client.connect();
await client.run(() => 1);
console.log('ready');
KIND
`;
const KINDS: Record<string, string> = {
  'in busy loops': 'await Promise.all([client.run(() => { for (;;); }), client.run(() => { for (;;); })]);',
  'in execSync': "await client.run(async () => { const { execSync } = await import('node:child_process'); execSync('sleep 1000'); });",
  'with detached processes':
    "await client.run(async () => { const { spawn } = await import('node:child_process'); spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' }); for (;;); });",
};

for (const [kind, code] of Object.entries(KINDS)) {
  test(`private workers ${kind} are gone soon after their client: SIGKILL, Ctrl-C, and its end`, async (t) => {
    for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
      const mark = `${process.pid}-${nextMark++}`;
      const folder = tempFolder(t);
      const file = writeProgram(
        folder,
        'busy.mjs',
        BUSY.replace('KIND', code).replace("'flotilla'", `'${join(ROOT, 'dist/src/index.js')}'`),
      );
      const program = start(t, [file], { env: { HOME: folder, FLOTILLA_TEST_MARK: mark, TMPDIR: folder } });
      await program.until(/ready/);
      while (kind !== 'in busy loops' && !marked(mark).some((p) => p.title.includes('sleep 1000')))
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(marked(mark).length >= 3);
      program.kill(signal);
      const ms = await untilNoneMarked(mark, 2_000);
      t.diagnostic(`${signal}: gone after ${ms} ms`);
    }
  });

  test(`workers ${kind} on a host are gone after SIGKILL of the client, of the host, and the host's end`, async (t) => {
    const c = await cluster(t, ['north']);
    const file = writeProgram(
      c.folder,
      'busy.mjs',
      BUSY.replace('KIND', code).replace("'flotilla'", `'${join(ROOT, 'dist/src/index.js')}'`),
    );
    const begin = async (): Promise<Program> => {
      const program = start(t, [file], { env: c.env });
      await program.until(/ready/);
      return program;
    };
    const workers = (): number => marked(c.mark).filter((p) => /flotilla-worker:|sleep 1000/.test(p.title)).length;
    const first = await begin();
    while (workers() < (kind === 'in busy loops' ? 1 : 2)) await new Promise((resolve) => setTimeout(resolve, 20));
    first.kill('SIGKILL');
    // The client may come back until it has been silent for the limit: five pulses of half a second.
    for (let i = 0; i < 100 && workers() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(workers(), 0);
    const second = await begin();
    while (workers() < (kind === 'in busy loops' ? 1 : 2)) await new Promise((resolve) => setTimeout(resolve, 20));
    c.hosts[0]!.kill('SIGKILL');
    for (let i = 0; i < 40 && workers() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(workers(), 0);
    second.kill('SIGKILL');
    c.scheduler.kill('SIGTERM');
    await untilNoneMarked(c.mark, 2_000);
  });
}

test('a client that computes for longer than the silence limit is not lost', async (t) => {
  const c = await cluster(t, ['north']);
  const file = writeProgram(
    c.folder,
    'compute.mjs',
    `import { Client } from '${join(ROOT, 'dist/src/index.js')}';
const client = await Client.connect({ pulse: 500 });
const pid = await client.run(() => process.pid);
await new Promise((resolve) => setTimeout(resolve, 1500));
const end = Date.now() + 6000;
while (Date.now() < end);
console.log('same worker:', pid === await client.run(() => process.pid));
await client.close();
`,
  );
  const program = start(t, [file], { env: c.env });
  assert.equal((await program.exited).code, 0, program.output);
  assert.match(program.output, /same worker: true/);
});

test('two clients share the workers, and one that comes later gets its part', async (t) => {
  const c = await cluster(t, ['north', 'south']);
  const long = writeProgram(
    c.folder,
    'long.mjs',
    `import { Client } from '${join(ROOT, 'dist/src/index.js')}';
const client = await Client.connect({ name: 'long' });
const wait = (n) => { const end = Date.now() + 20; while (Date.now() < end); return n; };
let n = 0;
for await (const x of client.map(wait, Array.from({ length: 300 }, (_, i) => i))) if (x !== n++) throw new Error('order');
console.log('long done', n);
await client.close();
`,
  );
  const first = start(t, [long], { env: c.env });
  await waitForWork(c);
  const second = runToEnd([BIN, 'run', join(ROOT, 'examples/03-talk.ts')], { env: c.env, timeout: 20_000 });
  assert.equal(second.code, 0, second.stdout + second.stderr);
  assert.ok(!first.output.includes('long done'), 'it did not have to wait for the first to end');
  assert.equal((await first.exited).code, 0, first.output);
});

test('garbage to the ports of daemons harms nothing', async (t) => {
  const c = await cluster(t, ['north']);
  const ports = [c.env['FLOTILLA_SCHEDULER']!, /listens at (tcp:\S+?)[,;\s]/.exec(c.hosts[0]!.output)![1]!].map((a) =>
    Number(/:(\d+)$/.exec(a)![1]),
  );
  for (const port of ports) {
    for (let i = 0; i < 50; i++) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(Buffer.alloc(1 + i * 100, i));
          socket.end();
        });
        socket.on('error', () => {}).on('close', () => resolve());
      });
    }
  }
  assert.equal(runToEnd([BIN, 'run', join(ROOT, 'examples/03-talk.ts')], { env: c.env }).code, 0);
});
