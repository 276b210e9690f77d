import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../../src/cluster/index.ts';
import { Runtime } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';

const refused = async (options: object): Promise<string> => {
  const world = new World({ seed: 1 });
  const error = await Runtime.start(options as never, world.environment('a')).then(
    (runtime) => runtime.close().then(() => new Error(`taken: ${JSON.stringify(options)}`)),
    (thrown: Error & { code?: string }) => thrown,
  );
  assert.match(
    (error as { code?: string }).code ?? error.stack!,
    /^ERR_(OPTION_INVALID|LINK_ADDRESS)$/,
    `${JSON.stringify(options)}: ${error.stack}`,
  );
  return error.message;
};

test('every option of a runtime is checked, and a wrong one says what it must be', async () => {
  assert.match(await refused({ name: 7 }), /^Runtime\.start: 'name' must be a text; it is 7\.$/);
  assert.match(await refused({ name: '' }), /'name' must be a text; it is ''/);
  assert.match(await refused({ discover: 'yes' }), /'discover' must be true or false; it is 'yes'/);
  assert.match(await refused({ seeds: ['x:port'] }), /'x:port' is no address/);
  assert.match(await refused({ seeds: 'mem://b:1' }), /'seeds' must be an array, each element a text/);
  assert.match(await refused({ seeds: [undefined] }), /'seeds' must be an array/);
  assert.match(await refused({ listen: 'mem://a:1', advertise: ['x', 'y'] }), /'advertise' .* 2 of them, and 1 address is listened at/);
  assert.match(await refused({ advertise: 'x' }), /0 addresses are listened at/);
  assert.match(await refused({ listen: 'mem://a:1', advertise: 'x:port' }), /is no address/);
  assert.match(await refused({ filesDir: 5 }), /'filesDir' must be a text; it is 5/);
  for (const wrong of [
    { listen: 9705 },
    { listen: [9705] },
    { ignorePeers: 1 },
    { multicast: 'yes' },
    { multicast: { group: '239.0.0.1' } },
    { multicast: { group4: '10.0.0.1' } },
    { multicast: { group6: '239.0.0.1' } },
    { multicast: { hops: 0 } },
    { udpPort: '9705' },
    { udpPort: 1.5 },
    { family: '6' },
    { secret: 5 },
    { secret: '' },
    { secret: [] },
    { secret: ['good enough a secret', 5] },
    { certfile: true },
    { certfile: 'c', keyfile: 1 },
    { maxFileSize: '1m' },
    { pulse: Number.NaN },
    { answerTimeout: '5' },
    { encrypt: true },
    { log: console.log },
    { log: { info() {} } },
    { logLevel: 'loud' },
  ])
    await refused(wrong);
  const world = new World({ seed: 1 });
  for (const wrong of [null, 'name', 7])
    await assert.rejects(Runtime.start(wrong as never, world.environment('a')), { code: 'ERR_OPTION_INVALID' });
  const runtime = await Runtime.start(
    {
      name: 'all',
      listen: ['mem://a:1'],
      advertise: ['b:2'],
      seeds: [],
      ignorePeers: false,
      multicast: { hops: 2 },
      filesDir: '/in',
      log: console,
    },
    world.environment('a'),
  );
  await runtime.close();
});

test('an unknown option is told what it is called here; options of our own are not listed', async () => {
  const world = new World({ seed: 1 });
  const told = (options: object): Promise<string> =>
    Runtime.start(options as never, world.environment('a')).then(
      () => 'taken',
      (error: Error & { code?: string }) => `${error.code} ${error.message}`,
    );
  const here: Record<string, string> = {
    tcp_port: 'listen',
    node: 'listen',
    host: 'listen',
    ext_ip_addr: 'advertise',
    ext_host: 'advertise',
    udp_port: 'udpPort',
    socket_family: 'family',
    ipv4_udp_multicast: 'multicast',
    discover_peers: 'discover',
    dest_path: 'filesDir',
    max_file_size: 'maxFileSize',
  };
  for (const [there, name] of Object.entries(here))
    assert.match(
      await told({ [there]: 1 }),
      new RegExp(`^ERR_OPTION_UNKNOWN Runtime\\.start has no option '${there}'\\. Here it is '${name}'\\.`),
    );
  assert.match(await told({ discovery: true }), /Did you mean 'discover'/);
  assert.match(await told({ toString: 1 }), /has no option 'toString'/);
  assert.doesNotMatch(await told({ nothing: 1 }), /role/);
});

test('the options of a task are checked where they are given', async () => {
  const world = new World({ seed: 1 });
  const runtime = await world.start('a');
  assert.throws(() => runtime.with({ name: 7 as never }), {
    code: 'ERR_OPTION_INVALID',
    message: /^runtime\.with: 'name' must be a text; it is 7\.$/,
  });
  assert.throws(() => runtime.with({ demon: true } as never), { code: 'ERR_OPTION_UNKNOWN', message: /Did you mean 'daemon'/ });
  assert.equal(
    await runtime
      .with({ name: 'sum', daemon: true })
      .spawn(() => 2)
      .finish(),
    2,
  );
  await world.close();
});

test('the options of a client and of its calls are checked alike', async () => {
  const told = (options: object): Promise<string> =>
    Client.connect(options as never).then(
      (client) => client.close().then(() => 'taken'),
      (error: Error) => error.message,
    );
  assert.match(await told({ name: 7 }), /^Client\.connect: 'name' must be a text; it is 7\.$/);
  assert.match(await told({ local: 'no' }), /'local' must be true or false; it is 'no'/);
  assert.match(await told({ scheduler: 9705 }), /'scheduler' must be a text/);
  assert.match(await told({ signal: 'now' }), /'signal' must be an AbortSignal/);
  assert.match(await told({ onStatus: true }), /'onStatus' must be a function/);
  assert.match(await told({ statusTask: {} }), /'statusTask' must be a reference to a task/);
  assert.match(await told({ workerSetUp: 'setUp' }), /'workerSetUp' must be a function, or made by setUp/);
  assert.match(await told({ nodes: [] }), /Here it is 'hosts'/);
  assert.match(await told({ pulse_interval: 1 }), /Here it is 'pulse'/);
  const client = await Client.connect({ inline: true });
  assert.throws(() => client.with({ at: 7 as never }), /client\.with: 'at' must be a text/);
  assert.throws(() => client.map((n: number) => n, [1], { progress: 'yes' as never }), /client\.map: 'progress' must be true or false/);
  assert.throws(() => void client.close({ terminate: 1 as never }), /client\.close: 'terminate' must be true or false/);
  await client.close();
});
