// Agents of one client on two hosts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BIN, FLOTILLA, start, tempFolder, writeProgram } from '../support/processes.ts';

const AGENTS = (hosts: string): string => `
import { Client, taskName, type Task } from '${FLOTILLA}';

async function agent(self: Task<string>, own: string, other: string): Promise<string> {
  await self.register(own);
  const found = await self.locate(taskName<string>(other), { timeout: 20_000 });
  for (let i = 0; i < 100; i++) await found.deliver(own);
  const heard = new Set<string>();
  for (let i = 0; i < 100; i++) heard.add(await self.receive());
  return self.host.name + ' heard ' + [...heard];
}

const client = await Client.connect({ hosts: ${hosts}, local: false, warn: (text) => console.log('warning:', text) });
const north = await client.with({ at: 'north' }).spawn(agent, 'anna', 'bert');
const south = await client.with({ at: 'south' }).spawn(agent, 'bert', 'anna');
console.log(await north.result);
console.log(await south.result);
await client.close();
process.exit(0);
`;

test('tasks of one client on two hosts find each other by name, though neither host knows the other', async (t) => {
  const folder = tempFolder(t);
  const env = { HOME: folder, TMPDIR: folder };
  const udp = String(21_000 + (process.pid % 20_000));
  const hosts: string[] = [];
  for (const name of ['north', 'south']) {
    const args = [BIN, 'host', 'tcp://127.0.0.1:0', '--name', name, '--cpus', '1', '-u', udp];
    const host = start(t, args, { env: { ...env, FLOTILLA_CONSOLE: '1' }, input: 'pipe' });
    hosts.push(((await host.until(/listens at (tcp:\S+?)[,;.]?\s/))[1] as string).replace('tcp://', ''));
  }
  const allocations = JSON.stringify(hosts.map((at) => ({ host: at.split(':')[0], port: Number(at.split(':')[1]) })));
  const program = start(t, [BIN, 'run', writeProgram(folder, 'agents.ts', AGENTS(allocations))], { env });
  await program.exited;
  assert.equal(program.output, 'north heard bert\nsouth heard anna\n');
});
