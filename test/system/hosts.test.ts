// Hosts and schedulers as daemons: how they find each other, whom they serve, how they end, what they refuse and say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { lineLog } from '../../src/base/index.ts';
import { serveHost } from '../../src/cluster/index.ts';
import { Client, Runtime, type Task } from '../../src/index.ts';
import { nodeEnvironment } from '../../src/kernel/index.ts';
import { BIN, FLOTILLA, type Program, runToEnd, start, tempFolder, untilNoneMarked, writeProgram } from '../support/processes.ts';

type T = { after(fn: () => unknown): void };
let marks = 1;

interface Net {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly mark: string;
  readonly udp: string;
  host(args: readonly string[], more?: Record<string, string>): Program;
  scheduler(args?: readonly string[]): Promise<{ program: Program; address: string }>;
  program(text: string, env?: Record<string, string>): Program;
}

// A network of its own on loopback: its secret, its port of announcements.
function net(t: T): Net {
  const folder = tempFolder(t);
  const mark = `hosts-${process.pid}-${marks++}`;
  const udp = String(20_000 + ((process.pid * 7 + marks * 131) % 20_000));
  const env = { HOME: folder, TMPDIR: folder, FLOTILLA_TEST_MARK: mark };
  const daemon = (words: readonly string[], more: Record<string, string> = {}): Program =>
    start(t, [BIN, ...words], { env: { ...env, ...more }, input: 'pipe' });
  return {
    folder,
    env,
    mark,
    udp,
    host: (args, more) => daemon(['host', 'tcp://127.0.0.1:0', '-u', udp, '--pulse', '0.5', ...args], more),
    async scheduler(args = []) {
      const program = daemon(['scheduler', 'tcp://127.0.0.1:0', '-u', udp, '--pulse', '0.5', ...args]);
      const [, address] = await program.until(/listens at (tcp:\S+?)[,;]/);
      return { program, address: address as string };
    },
    program: (text, more = {}) =>
      start(t, [BIN, 'run', writeProgram(folder, `program-${marks++}.ts`, text.replaceAll("'flotilla'", `'${FLOTILLA}'`))], {
        env: { ...env, ...more },
      }),
  };
}

// A client that connects, says where it ran, and waits for a file before it leaves.
const stay = (folder: string, options: string, name = 'leave'): string => `
import { existsSync } from 'node:fs';
import { Client, current } from 'flotilla';
const client = await Client.connect({ pulse: 500, listen: 'tcp://127.0.0.1:0', warn: (text) => console.log('warning:', text), ${options} });
console.log('ran on', await client.run(() => current()!.worker.name));
while (!existsSync('${join(folder, name)}')) await new Promise((resolve) => setTimeout(resolve, 50));
await client.close();
console.log('left');
process.exit(0);
`;
const say = (program: Program, line: string): void => void program.child.stdin?.write(`${line}\n`);

test("scheduler: 'auto' takes every host that answers; the next program gets them when the first has left", async (t) => {
  const n = net(t);
  const hosts = ['north', 'south'].map((name) => n.host(['--cpus', '1', '--name', name]));
  for (const host of hosts) await host.until(/listens at/);
  const options = `scheduler: 'auto', local: false, udpPort: ${n.udp}`;
  const first = n.program(stay(n.folder, options));
  await first.until(/ran on (north|south)\/1/);
  for (const host of hosts) await host.until(/Works for the client/);
  const second = n.program(stay(n.folder, `${options}, timeout: 20_000`, 'leave-2'));
  writeFileSync(join(n.folder, 'leave'), '');
  await first.until(/left/);
  await second.until(/ran on (north|south)\/1/);
  writeFileSync(join(n.folder, 'leave-2'), '');
  await second.until(/left/);
});

test('a scheduler that is found on the network is used, and takes hosts that come and go', async (t) => {
  const n = net(t);
  const { program } = await n.scheduler();
  const host = n.host(['--cpus', '1', '--name', 'found']);
  await host.until(/Works for the scheduler/);
  const client = n.program(stay(n.folder, `scheduler: 'auto', local: false, udpPort: ${n.udp}`));
  await client.until(/ran on found\/1/);
  await program.until(/client '.*' is here/);
  writeFileSync(join(n.folder, 'leave'), '');
  await client.until(/left/);
});

test('an exclusive client has the cluster alone, in its turn; who waits is told why', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  const host = n.host(['--cpus', '2', '--name', 'only', '--scheduler', address]);
  await host.until(/Joined the scheduler/);
  const FLOTILLA_SCHEDULER = address;
  const first = n.program(stay(n.folder, `name: 'first', workers: 1`, 'a'), { FLOTILLA_SCHEDULER });
  await first.until(/ran on only/);
  const alone = n.program(stay(n.folder, `name: 'alone', exclusive: true`, 'b'), { FLOTILLA_SCHEDULER });
  await alone.until(/warning: still waiting for a worker .* not this client's turn/, 15_000);
  const late = n.program(stay(n.folder, `name: 'late'`, 'c'), { FLOTILLA_SCHEDULER });
  await late.until(/warning: still waiting for a worker .* not this client's turn/, 15_000);
  const why = runToEnd([BIN, 'explain', 'alone', '--scheduler', address], { env: n.env }).stdout;
  assert.match(why, /waits for its turn: it wants the whole cluster, and 'first' must end first/);
  assert.doesNotMatch(late.output, /ran on/);
  writeFileSync(join(n.folder, 'a'), '');
  await alone.until(/ran on only/);
  assert.doesNotMatch(late.output, /ran on/);
  assert.match(
    runToEnd([BIN, 'explain', 'late', '--scheduler', address], { env: n.env }).stdout,
    /'alone' has the whole cluster until it ends/,
  );
  writeFileSync(join(n.folder, 'b'), '');
  await late.until(/ran on only/);
  writeFileSync(join(n.folder, 'c'), '');
  await late.until(/left/);
});

test('allocations decide in the client which hosts are used; the others are named with the reason', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler(['--quota', 'small=1']);
  for (const name of ['alpha', 'alpha-2', 'beta']) await n.host(['--cpus', '2', '--name', name, '--scheduler', address]).until(/Joined/);
  const text = (hosts: string, more = ''): string => `
import { Client, current } from 'flotilla';
const ignored = [];
const client = await Client.connect({ hosts: ${hosts}, onStatus: (e) => e.kind === 'host-ignored' && ignored.push(e.host + ': ' + e.reason), ${more} });
while (client.hosts().reduce((sum, h) => sum + h.ready, 0) < ${more.includes('small') ? 1 : 2}) await new Promise((resolve) => setTimeout(resolve, 20));
console.log('hosts', client.hosts().map((h) => h.name + '=' + h.granted).sort().join());
console.log('ignored', ignored.sort().join(' | '));
await client.close();
process.exit(0);`;
  const env = { FLOTILLA_SCHEDULER: address };
  await n.program(text(`['alpha']`), env).until(/hosts alpha=2\nignored alpha-2: no allocation matches.*beta: no allocation/s);
  await n
    .program(
      text(
        `[{ host: 'alpha*', platform: 'linux.*x86_64', allocate: (offer) => (offer.name === 'alpha' ? -1 : 1) }, { host: 'alpha', allocate: () => 1 }]`,
      ),
      env,
    )
    .until(/hosts alpha-2=1,alpha=1|hosts alpha=1,alpha-2=1/);
  await n
    .program(text(`[{ workers: 99 }]`, 'timeout: 300').replace('await Client', 'await Client') + '', env)
    .until(/ERR_CLUSTER_NO_WORKERS|No worker was granted/);
  await n.program(text(`['*']`, `name: 'small'`), env).until(/hosts (alpha|alpha-2|beta)=1\n/);
});

test("the host's console tells, closes a client, waits for what runs, and ends; a second quit does not wait", async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  const host = n.host(['--cpus', '1', '--name', 'seaside', '--scheduler', address]);
  await host.until(/Joined/);
  const talk = `
import { Client } from 'flotilla';
const client = await Client.connect({ name: 'talker', restartWorkers: false });
const task = await client.spawn(async (self) => {
  try { await self.receive(); } catch (error) { await new Promise((resolve) => setTimeout(resolve, 300)); return 'saved: ' + error.code; }
});
console.log('started');
console.log(await task.result.catch((error) => error.code));
console.log(client.hosts().length, 'hosts');
await new Promise((resolve) => setTimeout(resolve, 100_000));`;
  const client = n.program(talk, { FLOTILLA_SCHEDULER: address });
  await client.until(/started/);
  const asking = setInterval(() => say(host, 'status'), 200);
  t.after(() => clearInterval(asking));
  await host.until(/1: process \d+ for 'talker', 0 calls, 1 tasks/);
  clearInterval(asking);
  say(host, 'nonsense');
  await host.until(/'nonsense' is no command: status \| close/);
  say(host, 'close talker');
  await client.until(/saved: ERR_TASK_INTERRUPTED/);
  await host.until(/closed/);
  client.kill();
  await client.exited;
  const second = n.program(talk, { FLOTILLA_SCHEDULER: address });
  await second.until(/started/);
  say(host, 'quit');
  await host.until(/ends when what runs has ended/);
  assert.equal(host.child.exitCode, null);
  say(host, 'quit');
  await second.until(/saved: ERR_TASK_INTERRUPTED/);
  assert.equal((await host.exited).code, 0);
});

test('a host that serves one client ends when that has left', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  const host = n.host(['--cpus', '1', '--serve', '1', '--scheduler', address]);
  await host.until(/Joined/);
  const client = n.program(stay(n.folder, ''), { FLOTILLA_SCHEDULER: address });
  await client.until(/ran on/);
  writeFileSync(join(n.folder, 'leave'), '');
  assert.equal((await host.exited).code, 0);
  assert.match(host.output, /1 served/);
});

test('folders of clients are under --dest, and gone with them; a second host there is refused, or replaced with --clean', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  const dest = join(n.folder, 'dest');
  const args = ['--cpus', '1', '--name', 'kept', '--dest', dest, '--scheduler', address];
  const host = n.host(args);
  await host.until(/Joined/);
  const client = n.program(stay(n.folder, ''), { FLOTILLA_SCHEDULER: address });
  await client.until(/ran on kept\/1/);
  const [own] = readdirSync(dest).filter((name) => name.startsWith('host-'));
  assert.equal(readdirSync(join(dest, own!)).length, 1);
  writeFileSync(join(n.folder, 'leave'), '');
  await client.until(/left/);
  assert.equal(readdirSync(join(dest, own!)).length, 0);
  const refused = n.host(args);
  await refused.until(/Another host \(process \d+\) uses .*dest.*--clean/);
  assert.equal((await refused.exited).code, 1);
  const cleaner = n.host([...args, '--clean']);
  await cleaner.until(/Joined/);
  assert.notEqual((await host.exited).code, null);
  say(cleaner, 'terminate');
  await cleaner.exited;
  assert.ok(existsSync(dest));
  assert.deepEqual(
    readdirSync(dest).filter((name) => name.startsWith('host')),
    [],
  );
});

test('only what is installed runs on a host with --only-registered, memory is limited, and idle workers are closed', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  const env = { FLOTILLA_SCHEDULER: address };
  const strict = n.host(['--cpus', '1', '--name', 'strict', '--only-registered', '--scheduler', address]);
  await strict.until(/Joined/);
  const program = `
import { Client } from 'flotilla';
const client = await Client.connect({});
console.log(await client.run(() => 1).catch((error) => error.code));
const { format } = client.module('acorn');
console.log(await client.module('acorn').isNewLine(10), await client.module('no-such-package').x().catch((error) => error.code));
await client.close();
process.exit(0);`;
  await n.program(program, env).until(/ERR_CODE_REFUSED\ntrue ERR_CODE_PACKAGE_ABSENT/);
  say(strict, 'terminate');
  await strict.exited;
  const small = n.host(['--cpus', '1', '--name', 'small', '--memory', '300m', '--zombie-period', '1', '--scheduler', address]);
  await small.until(/Joined/);
  const hungry = `
import { Client } from 'flotilla';
const client = await Client.connect({ onStatus: (e) => e.kind === 'worker-closed' && console.log('closed:', e.reason) });
console.log(await client.with({ retries: 0 }).run(async () => {
  const all = [];
  for (let i = 0; i < 100; i++) { all.push(Buffer.alloc(16 << 20, 1)); await new Promise((resolve) => setTimeout(resolve, 50)); }
  return all.length;
}).catch((error) => error.message));
await client.run(() => 1);
await new Promise((resolve) => setTimeout(resolve, 6_000));
console.log('again', await client.run(() => 2));
await client.close();
process.exit(0);`;
  const eater = n.program(hungry, env);
  await eater.until(/it used \d+ MiB of memory with what it started; the host allows 300/);
  await eater.until(/closed: it had no work for 1 s/);
  await eater.until(/again 2/);
});

test('options are saved without addresses and secrets, loaded from JSON and TypeScript, and overruled by the command line', (t) => {
  const folder = tempFolder(t);
  const env = { HOME: folder, TMPDIR: folder };
  const file = join(folder, 'options.json');
  const words = [
    '--cpus',
    '2',
    '-s',
    'a long enough secret',
    '--name',
    'x',
    '--zombie_period',
    '7',
    '--no-cleanup',
    '--max_file_size',
    '2m',
  ];
  const saved = runToEnd([BIN, 'host', ...words, '--save-config', file], { env });
  assert.match(saved.stdout, /The options are in/);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { cpus: 2, zombiePeriod: 7, maxFileSize: 2 << 20, noCleanup: true });
  const again = join(folder, 'again.ts');
  writeFileSync(join(folder, 'in.ts'), 'enum Size { two = 2 }\nexport default { cpus: Size.two, clientTimeout: 9 };\n');
  runToEnd([BIN, 'host', '--config', join(folder, 'in.ts'), '--cpus', '1', '--save-config', again], { env });
  assert.match(readFileSync(again, 'utf8'), /export default \{\s+"cpus": 1,\s+"clientTimeout": 9/);
  writeFileSync(file, '{ "cpu": 2 }');
  assert.match(runToEnd([BIN, 'host', '--config', file], { env }).stderr, /no option 'cpu'. Did you mean 'cpus'\? \[ERR_CONFIG_FILE\]/);
  writeFileSync(file, '{ "cpus": "many" }');
  assert.match(runToEnd([BIN, 'host', '--config', file], { env }).stderr, /'cpus': --cpus must be a number/);
  assert.match(runToEnd([BIN, 'host', '--service-start', '25:00', '--service-end', '1:00'], { env }).stderr, /must be a time of day/);
  assert.match(runToEnd([BIN, 'host', '--service-start', '10:00'], { env }).stderr, /need an end/);
  assert.match(runToEnd([BIN, 'host', '--cpus', '-999'], { env }).stderr, /leaves no core/);
});

test('status and top show hosts, workers and clients, as text and as JSON', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  await n.host(['--cpus', '2', '--name', 'shown', '--scheduler', address]).until(/Joined/);
  const client = n.program(stay(n.folder, `name: 'me', workers: 1`), { FLOTILLA_SCHEDULER: address });
  await client.until(/ran on shown\/\d/);
  const ask = (...words: string[]): string => runToEnd([BIN, ...words, '--scheduler', address], { env: n.env }).stdout;
  let status = JSON.parse(ask('status', '--json'));
  for (
    const end = Date.now() + 10_000;
    !(status.hosts[0].availability?.memory > 0 && status.clients[0].counters?.done >= 1) && Date.now() < end;
  )
    status = JSON.parse(ask('status', '--json'));
  assert.equal(status.hosts[0].slots.length, 1);
  assert.equal(status.hosts[0].slots[0].clientName, 'me');
  assert.match(ask('status'), /HOST +GRANTED +CPU FREE +MEMORY FREE.*shown +1\/2.*me +1 +1 +1/s);
  assert.match(ask('top', '--times', '1'), /WORKER +PROCESS +CLIENT.*shown\/\d +\d+ +me/s);
  assert.equal(ask('top', '--times', '2', '--interval', '0.1', '--json').trim().split('\n').length, 2);
  assert.match(ask('explain'), /client 'me' holds 1 worker and wants 1/);
  writeFileSync(join(n.folder, 'leave'), '');
  await client.until(/left/);
});

test('a scheduler closes a client whose workers were all idle for its zombie period', async (t) => {
  const n = net(t);
  const { program, address } = await n.scheduler(['--zombie-period', '2']);
  await n.host(['--cpus', '1', '--scheduler', address]).until(/Joined/);
  const text = `
import { Client } from 'flotilla';
const client = await Client.connect({ name: 'sleeper', warn: (text) => console.log('warning:', text), onStatus: (e) => console.log(e.kind) });
await client.run(() => 1);
while (true) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  if (sleeping()) break;
}
console.log(await client.run(() => 2).catch((error) => error.code));
process.exit(0);
function sleeping() { return client.hosts().length === 0; }`;
  const client = n.program(text, { FLOTILLA_SCHEDULER: address });
  await client.until(/warning: the scheduler has closed this client: its workers had no work for 2 s.*client-closed/s, 20_000);
  await program.until(/Client 'sleeper' is closed: its workers had no work for 2 s/);
  await client.until(/ERR_C\w+/);
});

test('doctor finds what is there, what is not, another secret, and whether it is reached back', async (t) => {
  const n = net(t);
  const host = n.host(['--cpus', '1', '--name', 'patient']);
  const [, port = ''] = await host.until(/listens at tcp:\/\/127\.0\.0\.1:(\d+)/);
  const ask = (...words: string[]): string => runToEnd([BIN, 'doctor', ...words, '-u', n.udp], { env: n.env }).stdout;
  const seen = ask(`127.0.0.1:${port}`);
  assert.match(seen, /ok +node .*ok +the secret is in .*ok +tcp to 127\.0\.0\.1:\d+: the host 'patient' answers, with our secret/s);
  assert.match(seen, /ok +udp to .*the host 'patient' answered/);
  assert.match(seen, /ok +tcp back: 'patient' reaches this machine/);
  const nobody = ask('127.0.0.1:9');
  assert.match(nobody, /FAIL tcp to 127\.0\.0\.1:9: .*\n +fix: nothing listens there: run 'flotilla host' on 127\.0\.0\.1/);
  const other = runToEnd([BIN, 'doctor', `127.0.0.1:${port}`], { env: { ...n.env, FLOTILLA_SECRET: 'quite another secret' } }).stdout;
  assert.match(other, /FAIL tcp to .*\n +fix: the secrets differ/);
});

test('ports of workers, what others are told and peers are as the options say', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler(['--no-discovery']);
  const port = 10_000 + ((process.pid * 3) % 9_000); // below those that systems give to whoever wants any
  const place = ['--ip-addr', '127.0.0.1', '--tcp-ports', `${port}-${port + 1}`, '--advertise', 'localhost'];
  const host = start(t, [BIN, 'host', ...place, '--cpus', '2', '--name', 'ported', '--peer', address, '--no-discovery', '--daemon'], {
    env: { ...n.env, FLOTILLA_LOG: 'info' },
  });
  await host.until(new RegExp(`listens at tcp://localhost:${port} `));
  await host.until(/Works for the scheduler/);
  const client = n.program(stay(n.folder, 'workers: 2'), { FLOTILLA_SCHEDULER: address });
  await client.until(/ran on ported/);
  for (const own of [port + 1, port + 2]) {
    const socket = connect(own, '127.0.0.1');
    await once(socket, 'connect'); // rejects where nothing listens
    socket.destroy();
  }
  const status = JSON.parse(runToEnd([BIN, 'status', '--json'], { env: { ...n.env, FLOTILLA_SCHEDULER: address } }).stdout) as {
    hosts: { addresses: string[] }[];
  };
  assert.deepEqual(status.hosts[0]?.addresses, [`tcp://localhost:${port}`]);
  writeFileSync(join(n.folder, 'leave'), '');
  await client.until(/left/);
});

test('a peer that can be no address is refused', (t) => {
  const { env } = net(t);
  const { code, stderr } = runToEnd([BIN, 'host', 'tcp://127.0.0.1:0', '--no-discovery', '--peer', 'nonsense:port'], { env });
  assert.equal(code, 1);
  assert.match(stderr, /'nonsense:port' is no address: it is not HOST:PORT.*\[ERR_LINK_ADDRESS\]/);
});

test('a host that is free announces itself again and again with --ping-interval', { timeout: 60_000 }, async (t) => {
  const n = net(t);
  const heard = createSocket({ type: 'udp4', reuseAddr: true });
  t.after(() => heard.close());
  const often = new Promise<void>((resolve) => {
    let count = 0;
    heard.on('message', () => ++count === 12 && resolve()); // without, it is 5 times when it starts
  });
  heard.bind(Number(n.udp));
  n.host(['--cpus', '1', '--ping-interval', '1']);
  await often;
});

test('a host waits for an answer as long as --msg-timeout says', async (t) => {
  const n = net(t);
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const host = n.host(['--cpus', '1', '--msg-timeout', '1', '--scheduler', `tcp://127.0.0.1:${port}`]);
  await host.until(/cannot be joined: .* did not complete the handshake within (1|0\.9\d*) s/);
  const wrong = runToEnd([BIN, 'host', '--msg-timeout', '0.5'], { env: { HOME: n.folder } });
  assert.match(wrong.stderr, /msg-timeout/);
});

test('a client that is silent for longer than --client-timeout is given up, and all it had', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  const host = n.host(['--cpus', '1', '--client-timeout', '1', '--scheduler', address]);
  await host.until(/Joined/);
  const client = n.program(stay(n.folder, ''), { FLOTILLA_SCHEDULER: address });
  await client.until(/ran on/);
  client.kill('SIGSTOP');
  await host.until(/A client has fallen silent; it is waited for, for 1 s/);
  await host.until(/Client .* has left; 1 served/);
});

test('a host whose disk is full says so, leaves nothing there that is not whole, and goes on with what fits', {
  skip: process.getuid?.() !== 0,
}, async (t) => {
  const unmount = (): unknown => spawnSync('umount', ['-l', dest]);
  t.after(unmount); // before its folder is removed
  const n = net(t);
  const dest = tempFolder(t);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', dest]);
  if (mounted.status !== 0) return t.skip('no file system can be mounted here');
  const { address } = await n.scheduler();
  const host = n.host(['--cpus', '1', '--name', 'full', '--scheduler', address, '--dest', dest]);
  await host.until(/Joined/);
  const text = `
import { Client } from 'flotilla';
const fits = () => 'fits';
const client = await Client.connect();
await client.run(() => '${'x'.repeat(600_000)}'.length).catch(({ code, message }) => console.log(code, message));
console.log(await client.run(fits));
await client.close();
process.exit(0);`;
  const client = n.program(text, { FLOTILLA_SCHEDULER: address });
  await client.until(/ERR_FILE_SYSTEM Host 'full' cannot keep the code of its client: the disk is full. Free some space there/);
  await client.until(/fits/);
  for (const name of readdirSync(join(dest, 'store'))) assert.match(name, /^[0-9a-f]{64}\.mjs$/);
});

test('a worker that prints more than its client takes waits: nothing is lost, and its host does not grow', {
  timeout: 60_000,
}, async (t) => {
  const n = net(t);
  const { address } = await n.scheduler(['--pulse', '2']);
  const host = n.host(['--cpus', '1', '--pulse', '2', '--scheduler', address]);
  await host.until(/Joined/);
  const text = `
import { Client } from 'flotilla';
let bytes = 0;
const client = await Client.connect({ pulse: 2_000, output: ({ text }) => void (bytes += text.length) });
const print = (lines: number) => { for (let i = 0; i < lines; i++) console.log('x'.repeat(2_000)); };
await client.run(print, 1);
const all = client.run(print, 100_000);
console.log('prints');
await all;
await client.close();
console.log('taken', bytes);`;
  const client = n.program(text, { FLOTILLA_SCHEDULER: address });
  await client.until(/prints/);
  client.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // in which it would print all
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))?.[1]) / 1024;
  client.kill('SIGCONT');
  await client.until(/taken 200002000/);
  assert.ok(resident < 200, `${Math.round(resident)} MiB`);
  t.diagnostic(`${Math.round(resident)} MiB with 200 MB to come`);
});

test('a program that ends without closing says goodbye: what it had is free at once', { timeout: 60_000 }, async (t) => {
  const n = net(t);
  const { address } = await n.scheduler(['--pulse', '20']);
  const host = n.host(['--cpus', '1', '--pulse', '20', '--scheduler', address]);
  await host.until(/Joined/);
  for (const [i, end] of ['process.exit(3)', "throw new Error('not caught')"].entries()) {
    const client = n.program(
      `
import { Client } from 'flotilla';
const client = await Client.connect({ pulse: 20_000 });
await client.run(() => 1);
void client.run(() => { for (;;); }).catch(() => {});
console.log('has it');
setTimeout(() => { ${end}; }, 10);`,
      { FLOTILLA_SCHEDULER: address },
    );
    await client.until(/has it/);
    await client.exited;
    await host.until(new RegExp(`Client .* has left; ${i + 1} served`), 5_000);
  }
  // Over an encrypted connection, too.
  const secret = 'a secret of this test alone';
  await using runtime = await Runtime.start({ listen: 'tcp://127.0.0.1:0', secret, encrypt: 'always', pulse: 20_000 });
  const events = runtime.peerEvents();
  n.program(`
import { Runtime } from 'flotilla';
const runtime = await Runtime.start({ secret: '${secret}', encrypt: 'always', pulse: 20_000 });
await runtime.connect('${runtime.location}');
process.exit(0);`);
  const seen: string[] = [];
  for await (const { status } of events) {
    seen.push(status);
    if (status === 'offline') break;
  }
  assert.deepEqual(seen, ['online', 'offline']);
});

test('within its hours a host serves; then clients are asked to leave, and at the end they are ended', async (t) => {
  const folder = tempFolder(t);
  for (const until of ['stop', 'end'] as const) {
    // A wall clock that shows five seconds to three.
    const environment = nodeEnvironment();
    const shift = new Date(2026, 5, 1, 2, 59, 55).getTime() - Date.now();
    const clock = { ...environment.clock, wall: () => Date.now() + shift };
    const said: string[] = [];
    const daemon = await serveHost(
      {
        listen: ['tcp://127.0.0.1:0'],
        name: 'hourly',
        cpus: 1,
        discovery: false,
        secret: 'a secret of this test alone',
        dest: join(folder, until),
        serviceStart: '01:00',
        ...(until === 'stop' ? { serviceStop: '03:00' } : { serviceEnd: '03:00' }),
        log: lineLog((line) => said.push(line), 'info'),
      },
      { ...environment, clock },
    );
    t.after(() => daemon.close('terminate'));
    const port = Number(/:(\d+)$/.exec(daemon.locations[0] as string)?.[1]);
    const client = await Client.connect({
      hosts: [{ host: '127.0.0.1', port }],
      local: false,
      secret: 'a secret of this test alone',
      output: 'ignore',
      warn: () => {},
    });
    t.after(() => client.close({ timeout: 0 }));
    const ends: string[] = [];
    const left = (async () => {
      for await (const event of client.events()) if (/host-(closed|lost)/.test(event.kind)) return void ends.push(event.kind);
    })();
    const task = await client.spawn(async (self: Task<string>) => {
      try {
        return await self.receive();
      } catch {
        return 'interrupted';
      }
    });
    if (until === 'stop') {
      while (!said.some((line) => /asked to leave/.test(line))) await new Promise((resolve) => setImmediate(resolve));
      await task.deliver('done'); // what runs may end
      assert.equal(await task.result, 'done');
    } else assert.equal(await task.result, 'interrupted');
    await left;
    assert.equal(daemon.status()[0]?.endsWith('takes nobody now'), true);
    await client.close({ timeout: 0 });
    await daemon.close('terminate');
  }
});

test('nothing is left of a host that is killed with its client, and of a client that is killed', async (t) => {
  const n = net(t);
  const { address } = await n.scheduler();
  const FLOTILLA_TEST_MARK = `${n.mark}-doomed`;
  const host = n.host(['--cpus', '2', '--scheduler', address], { FLOTILLA_TEST_MARK });
  await host.until(/Joined/);
  const client = n.program(stay(n.folder, `name: 'doomed'`), { FLOTILLA_SCHEDULER: address, FLOTILLA_TEST_MARK });
  await client.until(/ran on/);
  client.kill();
  await host.until(/Client .* has left; 1 served/, 15_000);
  say(host, 'status');
  await host.until(/0 of 2 workers granted/);
  host.kill();
  await host.exited;
  await untilNoneMarked(FLOTILLA_TEST_MARK, 2_000);
});
