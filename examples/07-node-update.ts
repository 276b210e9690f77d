// A script is sent to another machine and run there, for those who also know a password of this service's own.
//
//   npx flotilla run examples/07-node-update.ts
import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime, service, type Task, type TaskRef } from 'flotilla';
import { startOther } from './support/other.ts';

const password = 'known to administrators';
const prove = (challenge: string): string => createHmac('sha256', password).update(challenge).digest('hex');

// The task asks its caller to prove itself before it does anything.
const update = service(
  'update',
  async (self: Task<string>, folder: string, script: string, asker: TaskRef<{ challenge: string; to: TaskRef<string> }>) => {
    const challenge = randomBytes(20).toString('hex');
    asker.send({ challenge, to: self.ref });
    const proof = await self.receive({ timeout: 5_000 });
    const expected = prove(challenge);
    if (proof.length !== expected.length || !timingSafeEqual(Buffer.from(proof), Buffer.from(expected))) throw new Error('wrong password');
    return execFileSync('sh', [join(folder, script)], { encoding: 'utf8' }).trim();
  },
);

if (process.argv[2] === 'server') {
  const filesDir = mkdtempSync(join(tmpdir(), 'flotilla-update-'));
  const runtime = await Runtime.start({ name: 'node', listen: 'tcp://127.0.0.1:0', filesDir });
  runtime.serve(update);
  console.log(`${runtime.location} ${filesDir}`);
} else {
  using server = await startOther(import.meta.url, 'server');
  const [location, there] = server.line.split(' ') as [string, string];
  await using runtime = await Runtime.start({ name: 'admin' });
  await runtime.connect(location);
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-script-'));
  writeFileSync(join(folder, 'update.sh'), 'echo updated; expr 6 \\* 7\n');
  console.log((await runtime.sendFile(location, join(folder, 'update.sh'))).kind);
  const node = await runtime.locate(update, { timeout: 10_000 });
  for (const known of [true, false]) {
    const asker = runtime.spawn(async (self: Task<{ challenge: string; to: TaskRef<string> }>) => {
      const { challenge, to } = await self.receive();
      to.send(known ? prove(challenge) : 'a guess');
    });
    console.log(await node.call(there, 'update.sh', asker).catch((error: Error) => error.message));
  }
  await runtime.deleteFile(location, 'update.sh');
  for (const one of [folder, there]) rmSync(one, { recursive: true, force: true });
}
// prints: sent
// prints: updated
// prints: 42
// prints: wrong password
