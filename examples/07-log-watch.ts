// Whoever comes is put to work: on every runtime that appears, a service filters a log, and sends back the lines that match.
//
//   npx flotilla run examples/07-log-watch.ts
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type PeerStatus, Runtime, service, type Task, type TaskRef } from 'flotilla';
import { startOther } from './support/other.ts';

const watchLog = service('watch-log', async (self: Task<never>, file: string, pattern: string, to: TaskRef<string>) => {
  const tail = spawn('tail', ['-n', '+1', '-F', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  const stop = (): void => void tail.kill();
  self.signal.addEventListener('abort', stop);
  process.once('exit', stop);
  for await (const line of createInterface({ input: tail.stdout })) if (line.includes(pattern)) to.send(line);
});

if (process.argv[2] === 'server') {
  const runtime = await Runtime.start({ name: 'logs', listen: 'tcp://127.0.0.1:0' });
  runtime.serve(watchLog);
  console.log(runtime.location);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-logs-'));
  const file = join(folder, 'auth.log');
  appendFileSync(file, 'session opened\nauthentication failure: ann\nsession closed\n');
  {
    using server = await startOther(import.meta.url, 'server');
    await using runtime = await Runtime.start({ name: 'watcher', seeds: [server.line] });
    const reader = runtime.spawn(async (self: Task<string>) => {
      for (let i = 0; i < 2; i++) console.log(await self.receive());
    });
    const watches: TaskRef<never>[] = [];
    const finder = runtime.with({ daemon: true }).spawn(async (self: Task<PeerStatus>) => {
      for await (const { status, peer } of self) {
        if (status !== 'online') continue;
        const there = await runtime.locate(watchLog, { at: peer.id, timeout: 5_000 });
        watches.push(await there.spawn(file, 'failure', reader));
        appendFileSync(file, 'authentication failure: bob\n');
      }
    });
    runtime.peerStatus(finder);
    await reader.result;
    for (const watch of watches) watch.terminate();
    await Promise.all(watches.map((watch) => watch.ended)); // and their `tail` with them
  }
  rmSync(folder, { recursive: true });
}
// prints: authentication failure: ann
// prints: authentication failure: bob
