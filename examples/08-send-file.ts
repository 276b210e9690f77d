// A file is sent to another process, verified by its hash, sent again, changed, and deleted.
//
//   npx flotilla run examples/08-send-file.ts
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from 'flotilla';
import { startOther } from './support/other.ts';

if (process.argv[2] === 'server') {
  const filesDir = mkdtempSync(join(tmpdir(), 'flotilla-inbox-'));
  const runtime = await Runtime.start({ name: 'server', listen: 'tcp://127.0.0.1:0', filesDir });
  console.log(`${runtime.location} ${filesDir}`);
} else {
  using server = await startOther(import.meta.url, 'server');
  const [location, inbox] = server.line.split(' ') as [string, string];
  await using runtime = await Runtime.start({ name: 'client' });
  await runtime.connect(location);
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-outbox-'));
  const file = join(folder, 'data.csv');
  writeFileSync(file, 'x,y\n'.repeat(100_000));
  const show = (outcome: { kind: string; bytes?: number }): void => console.log(outcome.kind, outcome.bytes ?? '');
  show(await runtime.sendFile(location, file, { dir: 'inbox' }));
  show(await runtime.sendFile(location, file, { dir: 'inbox' }));
  appendFileSync(file, 'and more\n');
  show(await runtime.sendFile(location, file, { dir: 'inbox' }));
  show(await runtime.sendFile(location, file, { dir: 'inbox', overwrite: true }));
  await runtime.sendFile(location, file, { dir: '../elsewhere' }).catch((error: { code: string }) => console.log(error.code));
  console.log(`deleted: ${await runtime.deleteFile(location, 'data.csv', { dir: 'inbox' })}`);
  for (const one of [folder, inbox]) rmSync(one, { recursive: true, force: true });
}
// prints: sent 400000
// prints: present ...
// prints: differs ...
// prints: sent 400009
// prints: ERR_FILE_PATH
// prints: deleted: true
