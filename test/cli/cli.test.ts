import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, runToEnd, start, tempFolder, writeProgram } from '../support/processes.ts';

const flotilla = (args: readonly string[], env: Record<string, string> = {}) => runToEnd([BIN, ...args], { env });

test('--help teaches: verbs, examples, where the secret is', () => {
  const { code, stdout } = flotilla(['--help']);
  assert.equal(code, 0);
  for (const word of ['run', 'host', 'scheduler', 'status', 'secret', '$ flotilla run factor.ts', 'same secret'])
    assert.ok(stdout.includes(word), word);
  assert.match(flotilla(['host', '--help']).stdout, /--cpus <n>.*worker processes to offer/s);
});

test('a misspelt verb or option suggests the right one', () => {
  assert.match(flotilla(['hots']).stderr, /Did you mean host/);
  assert.match(flotilla(['host', '--cpu', '2']).stderr, /Did you mean --cpus/);
  assert.match(flotilla(['host', '--workers', 'many']).stderr, /cpus must be a number from -10000 to 10000/);
  assert.notEqual(flotilla(['host', '--cpus', 'many']).code, 0);
});

test('the secret is made once, readable by its owner only, shown, and refused when others can read it', (t) => {
  const HOME = tempFolder(t);
  const first = flotilla(['secret'], { HOME });
  assert.match(first.stdout, /made just now.*scp -p/s);
  const path = join(HOME, '.flotilla/secret');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const shown = flotilla(['secret', 'show'], { HOME }).stdout.trim();
  assert.equal(readFileSync(path, 'utf8').trim(), shown);
  assert.equal(flotilla(['secret', 'where'], { HOME }).stdout.trim(), path);
  assert.match(flotilla(['secret', 'create'], { HOME }).stdout, /There is a secret already/);
  const key = /key is (\w+)/.exec(flotilla(['secret'], { HOME }).stdout)![1];
  assert.match(flotilla(['secret'], { HOME: tempFolder(t), FLOTILLA_SECRET: shown }).stdout, new RegExp(`key is ${key}`));
  chmodSync(path, 0o644);
  const open = flotilla(['secret'], { HOME });
  assert.equal(open.code, 1);
  assert.match(open.stderr, /can be read by others.*chmod 600.*ERR_SECRET_FILE/s);
});

test('a port in use names the port and what to do', async (t) => {
  const HOME = tempFolder(t);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { code, stderr } = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const program = start(t, [BIN, 'scheduler', `tcp://127.0.0.1:${port}`], { env: { HOME } });
    void program.exited.then(({ code: exit }) => resolve({ code: exit, stderr: program.output }));
  });
  server.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`Port ${port} .*is used by another program.*--port.*ERR_LINK_PORT_IN_USE`, 's'));
});

test('without a scheduler, status and connect say what was tried and what to do', (t) => {
  const HOME = tempFolder(t);
  const status = flotilla(['status', '--scheduler', 'tcp://127.0.0.1:1'], { HOME });
  assert.equal(status.code, 1);
  assert.match(status.stderr, /No scheduler answers at tcp:\/\/127\.0\.0\.1:1.*flotilla scheduler.*ERR_CLUSTER_NO_SCHEDULER/s);
});

test('another secret is said on both sides, and a client without hosts is told every few seconds', async (t) => {
  const HOME = tempFolder(t);
  const scheduler = start(t, [BIN, 'scheduler', 'tcp://127.0.0.1:0', '--daemon'], { env: { HOME } });
  const [, address] = await scheduler.until(/listens at (tcp:\S+?)[,;]/);
  const other = flotilla(['status', '--scheduler', address!], { HOME: tempFolder(t) });
  assert.equal(other.code, 1);
  assert.match(other.stderr, /does not share our secret.*flotilla secret.*ERR_LINK_WRONG_SECRET/s);
  await scheduler.until(/does not share our secret/);
  const host = start(t, [BIN, 'host', 'tcp://127.0.0.1:0', '--daemon', '--scheduler', address!], { env: { HOME: tempFolder(t) } });
  await host.until(/cannot be joined: .*does not share our secret/);
  const file = writeProgram(
    HOME,
    'p.mjs',
    `import { Client } from '${new URL('../../src/index.js', import.meta.url).pathname}'; await Client.connect({ timeout: 6500 });`,
  );
  const client = start(t, [BIN, 'run', file], { env: { HOME, FLOTILLA_SCHEDULER: address! } });
  await client.until(/still waiting for a worker after 5 s: no host has joined the scheduler/);
  await client.exited;
  assert.match(client.output, /ERR_CLUSTER_NO_WORKERS/);
});

test('run says which file is missing, and gives the program its own arguments', (t) => {
  assert.match(flotilla(['run', '.']).stderr, /'\.' is a folder\. Name the program in it/);
  assert.match(flotilla(['run', 'nowhere.ts']).stderr, /there is no file 'nowhere.ts'/);
  const folder = tempFolder(t);
  const file = writeProgram(
    folder,
    'args.ts',
    'enum Kind { A = 7 }\nconst show: string = process.argv.slice(2).join(" ");\nconsole.log(show, Kind.A satisfies number);\n',
  );
  assert.equal(flotilla(['run', file, '--x', '1']).stdout, '--x 1 7\n');
});

test('a secret file that cannot be made is a clear error', (t) => {
  const HOME = tempFolder(t);
  mkdirSync(join(HOME, '.flotilla'));
  writeFileSync(join(HOME, '.flotilla/secret'), '');
  chmodSync(join(HOME, '.flotilla/secret'), 0o600);
  assert.match(flotilla(['secret'], { HOME }).stderr, /is empty.*ERR_SECRET_FILE/s);
});
