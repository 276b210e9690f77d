// What workers print, to the last byte, however busy those are who take it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, ROOT, start, tempFolder, writeProgram } from '../support/processes.ts';

const FLOTILLA = join(ROOT, 'dist/lib/index.js');

// Programs whose threads compute while their workers print and return, and which close at once.
const PROGRAM = `
import { Client } from '${FLOTILLA}';
const [, , how, lines] = process.argv;
const busy = (ms) => { for (const end = Date.now() + ms; Date.now() < end; ); };
const print = (lines) => { for (let i = 0; i < lines; i++) console.log('x'.repeat(1_999)); };
for (const count of lines.split(',').map(Number)) {
  let bytes = 0;
  const client = await Client.connect({ workers: 1, warn: () => {}, output: ({ text }) => void (bytes += text.length + 1) });
  await client.run(print, 1);
  const call = client.run(print, count);
  await new Promise((resolve) => setTimeout(resolve, 1));
  busy(900);
  await call;
  if (how === 'given back') for (const { name } of client.workers()) void client.closeWorker(name, { restart: false });
  const closed = client.close();
  if (how === 'busy') { await new Promise((resolve) => setTimeout(resolve, 1)); busy(2_500); }
  await closed;
  const short = (count + 1) * 2_000 - bytes;
  console.log(how, count, short === 0 ? 'whole' : 'short by ' + short);
}
console.log('over');
process.exit(0);
`;

for (const where of ['this machine', 'a host'] as const) {
  test(`what was printed before a call returned is taken before close() resolves, by workers of ${where}`, {
    timeout: 120_000,
  }, async (t) => {
    const folder = tempFolder(t);
    const env: Record<string, string> = { HOME: folder, TMPDIR: folder };
    if (where === 'a host') {
      const scheduler = start(t, [BIN, 'scheduler', 'tcp://127.0.0.1:0', '--no-discovery'], { env });
      const [, address = ''] = await scheduler.until(/listens at (tcp:\S+?)[,;]/);
      const host = start(t, [BIN, 'host', 'tcp://127.0.0.1:0', '--cpus', '2', '--no-discovery', '--scheduler', address], { env });
      await host.until(/Joined/);
      env['FLOTILLA_SCHEDULER'] = address;
    }
    const file = writeProgram(folder, 'prints.mjs', PROGRAM);
    // What fits into the pipe of a worker, and beside that what fits between a host and its client until the host is held back.
    for (const [how, lines] of [
      ['at once', '60,4120'],
      ['busy', '4120'],
      ['given back', '60'],
    ] as const) {
      const program = start(t, [file, how, lines], { env });
      await program.until(/over/, 60_000);
      assert.doesNotMatch(program.output, /short/);
    }
  });
}
