// A shared scheduler with two hosts, and two clients at once: each takes the hosts that its allocations choose. (dispycos_remote_scheduler)
//
//   npx flotilla run examples/14-shared-scheduler.ts
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Client, here } from 'flotilla';

// What other terminals, or other machines, would run: flotilla scheduler, flotilla host.
const bin = join(dirname(createRequire(import.meta.url).resolve('flotilla/package.json')), 'bin/flotilla.js');
const daemons: ChildProcess[] = [];
function daemon(words: readonly string[], until: RegExp): Promise<RegExpExecArray> {
  const child = spawn(process.execPath, [bin, ...words, '--daemon', '--no-discovery'], { stdio: ['ignore', 'pipe', 'inherit'] });
  daemons.push(child);
  let output = '';
  return new Promise((resolve) =>
    child.stdout?.on('data', (text: Buffer) => {
      output += text.toString();
      const match = until.exec(output);
      if (match) resolve(match);
    }),
  );
}

const where = (): string => here().host.name;
try {
  const [, scheduler = ''] = await daemon(['scheduler', 'tcp://127.0.0.1:0'], /listens at (tcp:\S+?)[,;]/);
  for (const name of ['small', 'large-1', 'large-2'])
    await daemon(['host', 'tcp://127.0.0.1:0', '--cpus', name === 'small' ? '1' : '2', '--name', name, '--scheduler', scheduler], /Joined/);
  await using picky = await Client.connect({
    scheduler,
    // Decided in this process, host by host: at least two workers there, and one of them.
    hosts: [{ host: 'large-*', workers: 2, allocate: () => 1 }],
  });
  await using modest = await Client.connect({ scheduler, hosts: ['small'] });
  console.log('modest runs on', await modest.run(where));
  while (picky.hosts().filter((host) => host.ready > 0).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  const places = await Promise.all(picky.hosts().map(({ name }) => picky.with({ at: name }).run(where)));
  console.log('picky runs on', places.sort().join(' and '));
  console.log(
    'it holds',
    picky
      .hosts()
      .map(({ granted }) => granted)
      .join(' and '),
    'workers',
  );
} finally {
  for (const child of daemons) child.kill();
}
// prints: modest runs on small
// prints: picky runs on large-1 and large-2
// prints: it holds 1 and 1 workers
