// A monitor of a service hears how each task started through its reference ended: with a value, or with what it threw.
//
//   npx flotilla run examples/07-service-monitor.ts
import { Runtime, service, type Task, type TaskEnded } from 'flotilla';
import { startOther } from './support/other.ts';

const root = service('root', async (self: Task<never>, x: number) => {
  await self.sleep(10 * Math.abs(x));
  if (x < 0) throw new RangeError(`${x} has no root`);
  return Math.sqrt(x);
});

if (process.argv[2] === 'server') {
  const runtime = await Runtime.start({ name: 'server', listen: 'tcp://127.0.0.1:0' });
  runtime.serve(root);
  console.log(runtime.location);
} else {
  using server = await startOther(import.meta.url, 'server');
  await using runtime = await Runtime.start({ name: 'client', seeds: [server.line] });
  const roots = await runtime.locate(root, { timeout: 10_000 });
  const watcher = runtime.spawn(async (self: Task<TaskEnded<number>>) => {
    for (let i = 0; i < 3; i++) {
      const { end } = await self.receive();
      console.log(end.kind === 'returned' ? `returned ${end.value}` : `${end.kind}: ${end.error.message}`);
    }
  });
  roots.monitor(watcher);
  for (const x of [4, 9, -16]) await roots.spawn(x);
  await watcher.result;
  await roots.close();
}
// prints: returned 2
// prints: returned 3
// prints: threw: -16 has no root
