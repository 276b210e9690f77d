// A hundred thousand tasks at once: each sleeps, adds itself up, and ends.
//
//   npx flotilla run examples/03-many-tasks.ts
import { Runtime, type Task } from 'flotilla';

const COUNT = 100_000;
await using runtime = await Runtime.start({ name: 'many' });
const before = process.memoryUsage().rss;
let done = 0;
const sleeper = async (self: Task<never>, ms: number): Promise<void> => {
  await self.sleep(ms);
  done++;
};
for (let i = 0; i < COUNT; i++) runtime.spawn(sleeper, 200 + (i % 300));
const bytes = (process.memoryUsage().rss - before) / COUNT;
console.log(`${COUNT} tasks sleep, ${bytes < 5_000 ? 'less' : 'more'} than 5 kB each`);
await runtime.join();
console.log(`${done} tasks are done`);
// prints: 100000 tasks sleep, less than 5 kB each
// prints: 100000 tasks are done
