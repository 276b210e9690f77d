// An external program, fed by one task and read by another: its checksum and ours.
//
//   npx flotilla run examples/05-checksum-pipe.ts
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Runtime, type Task } from 'flotilla';

await using runtime = await Runtime.start({ name: 'pipe' });
const child = spawn('sha256sum', { stdio: ['pipe', 'pipe', 'inherit'] });
const feeder = runtime.spawn(async (_self: Task<never>) => {
  const hash = createHash('sha256');
  for (let i = 0; i < 200; i++) {
    const block = Buffer.alloc(10_000, i);
    hash.update(block);
    if (!child.stdin.write(block)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  return hash.digest('hex');
});
const reader = runtime.spawn(async (_self: Task<never>) => {
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  return text.split(' ')[0];
});
console.log(`checksums ${(await feeder.result) === (await reader.result) ? 'agree' : 'differ'}`);
// prints: checksums agree
