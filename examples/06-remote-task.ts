// A task is found by its name in another process, and sent to.
//
//   npx flotilla run examples/06-remote-task.ts
import { Runtime, type Task, taskName } from 'flotilla';
import { startOther } from './support/other.ts';

const adder = taskName<number, number>('adder');

if (process.argv[2] === 'server') {
  const runtime = await Runtime.start({ name: 'server', listen: 'tcp://127.0.0.1:0' });
  runtime.spawn(async (self: Task<number>) => {
    await self.register(adder.name);
    let sum = 0;
    for await (const n of self) sum += n;
    return sum;
  });
  console.log(runtime.location);
} else {
  using server = await startOther(import.meta.url, 'server');
  await using runtime = await Runtime.start({ name: 'client', seeds: [server.line] });
  const task = await runtime.locate(adder, { timeout: 10_000 });
  for (let n = 1; n <= 100; n++) task.send(n);
  task.close();
  console.log(`the sum there: ${await task.result}`);
}
// prints: the sum there: 5050
