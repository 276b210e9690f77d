import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Runtime, type Task } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';
import { tcpNetwork, unixNetwork } from '../../src/transport/index.ts';
import { start, tempFolder } from '../support/processes.ts';

const secret = 'the secret of the address tests';
const quiet = { secret, logLevel: 'silent' } as const;

test('a runtime listens at several addresses, and tells others those it is to advertise, host and port, one for each', async () => {
  const v6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
  const second = v6 ? 'tcp://[::1]:0' : 'tcp://127.0.0.1:0';
  const runtime = await Runtime.start({ ...quiet, listen: ['tcp://127.0.0.1:0', second], advertise: ['gate.example.org:8000'] });
  assert.equal(runtime.locations[0], 'tcp://gate.example.org:8000');
  assert.match(runtime.locations[1]!, v6 ? /^tcp:\/\/\[::1\]:\d+$/ : /^tcp:\/\/127/);
  const other = await Runtime.start(quiet);
  assert.equal(await other.connect(runtime.locations[1]!), runtime.id);
  assert.deepEqual(other.peers()[0]!.addresses, runtime.locations);
  await Promise.all([runtime.close(), other.close()]);
});

test('no port means 9705, or any if it is used; a given port that is used is an error', async () => {
  const holder = createServer();
  const held = await new Promise<number>((resolve) =>
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port)),
  );
  await assert.rejects(Runtime.start({ ...quiet, listen: `tcp://127.0.0.1:${held}` }), { code: 'ERR_LINK_PORT_IN_USE' });
  holder.close();
  const runtimes = [
    await Runtime.start({ ...quiet, listen: 'tcp://127.0.0.1' }),
    await Runtime.start({ ...quiet, listen: 'tcp://127.0.0.1' }),
  ];
  assert.equal(new Set(runtimes.map((runtime) => runtime.location)).size, 2);
  assert.equal(runtimes[0]!.name, runtimes[0]!.location!.replace('tcp://', ''));
  await Promise.all(runtimes.map((runtime) => runtime.close()));
});

test('a unix socket carries a session; a path in use is refused, and nothing is left', async (t) => {
  const path = join(tempFolder(t), 'app.sock');
  const a = await Runtime.start({ ...quiet, listen: `unix://${path}` });
  const b = await Runtime.start(quiet);
  await b.connect(`unix://${path}`);
  const task = a.spawn(async (self: Task<Uint8Array>) => {
    await self.register('t');
    return (await self.receive()).length;
  });
  (await b.locate('t')).send(new Uint8Array(3_000_000));
  assert.equal(await task.result, 3_000_000);
  await assert.rejects(Runtime.start({ ...quiet, listen: `unix://${path}` }), { code: 'ERR_LINK_PORT_IN_USE' });
  await Promise.all([a.close(), b.close()]);
  assert.equal(existsSync(path), false);
  await assert.rejects(Runtime.start({ ...quiet, listen: 'unix:///nowhere/at/all.sock' }), { code: 'ERR_LINK_ADDRESS' });
  assert.throws(() => unixNetwork.parse(`unix:///${'x'.repeat(200)}`), { code: 'ERR_LINK_ADDRESS' });
});

test("what answers at an address of one's own machine says nothing of a peer on another", async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  const mem = world.network.at('a');
  const refusing = {
    ...world.environment('a'),
    networks: { mem, tcp: { ...tcpNetwork, dial: mem.dial }, unix: { ...unixNetwork, dial: mem.dial } },
  };
  const a = await world.wait(Runtime.start({ name: 'a', listen: 'mem://a:1', pulse: 500 }, refusing));
  // Two machines listen at what each calls its loopback; on a's own, nobody does.
  const far = await world.start('far', { pulse: 500 });
  await world.wait(far.connect('mem://a:1'));
  a.hub.reach(far.id, ['unix:///run/there.sock', 'tcp://127.0.0.1:9']);
  const session = a.hub.session(far.id)!;
  session.near = false;
  world.network.cut();
  await world.clock.advance(900); // refused here at once, again and again, were it asked
  assert.equal(session.ended, false);
  await world.clock.advance(10_000);
  assert.equal(a.peers().length, 1);
  assert.equal(a.hub.session(far.id), session, 'the same session went on');
  await world.wait(a.close());
  await world.close();
});

test('the socket file of a runtime that was killed is replaced by the next', async (t) => {
  const path = join(tempFolder(t), 'app.sock');
  const program = [
    "import { Runtime } from 'flotilla';",
    `await Runtime.start({ secret: '${secret}', listen: 'unix://${path}' });`,
    "process.stdout.write('listens\\n');",
  ].join('\n');
  const killed = start(t, ['--input-type=module', '--eval', program]);
  await killed.until(/listens/);
  killed.kill('SIGKILL');
  await killed.exited;
  assert.equal(existsSync(path), true, 'a killed process cannot remove it');
  const next = await Runtime.start({ ...quiet, listen: `unix://${path}` });
  const other = await Runtime.start(quiet);
  assert.equal(await other.connect(`unix://${path}`), next.id);
  await Promise.all([next.close(), other.close()]);
  assert.equal(existsSync(path), false);
});
