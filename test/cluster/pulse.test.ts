// Signs of life: how often, and who has to give way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../../src/index.ts';
import { BIN, start, tempFolder } from '../support/processes.ts';

test('a client that wants signs of life more often than a host gives them is told, and adapts', async (t) => {
  const HOME = tempFolder(t);
  const env = { HOME, TMPDIR: HOME, FLOTILLA_SECRET: 'a secret for this test' };
  const scheduler = start(t, [BIN, 'scheduler', 'tcp://127.0.0.1:0', '--daemon', '--no-discovery'], { env });
  const [, address = ''] = await scheduler.until(/listens at (tcp:\S+?)[,;]/);
  const words = ['--min-pulse-interval', '3', '--max-pulse-interval', '4', '--cpus', '1', '--name', 'slow', '--scheduler', address];
  await start(t, [BIN, 'host', 'tcp://127.0.0.1:0', '--daemon', '--no-discovery', ...words], { env }).until(/Joined/);
  const warnings: string[] = [];
  const client = await Client.connect({ scheduler: address, pulse: 500, secret: env.FLOTILLA_SECRET, warn: (text) => warnings.push(text) });
  t.after(() => client.close());
  const gap = meanGap(client, 2);
  assert.equal(await client.run(() => 1), 1);
  assert.ok(
    warnings.some((text) => /Host 'slow' gives a sign of life every 3 s at most, not every 0.5 s/.test(text)),
    warnings.join('\n'),
  );
  assert.equal(client.runtime.hub.silenceMs, 15_000);
  assert.ok((await gap) > 2_500, 'how much is free is told at these intervals, too');
  await assert.rejects(Client.connect({ pulse: 10 }), /'pulse' must be a number, from 500 to 100000/);
});

test('how much of a host is free is told at the pulse that its client asks for', async (t) => {
  const client = await Client.connect({ scheduler: 'local', workers: 1, pulse: 500 });
  t.after(() => client.close());
  const gap = await meanGap(client, 4);
  assert.ok(gap < 1_500, `it was told every ${gap} ms`);
});

// Milliseconds between so many tellings of how much of a host is free.
async function meanGap(client: Client, count: number): Promise<number> {
  const times: number[] = [];
  for await (const event of client.events()) {
    if (event.kind === 'availability') times.push(performance.now());
    if (times.length === count) break;
  }
  return ((times.at(-1) as number) - (times[0] as number)) / (count - 1);
}
