// A task that computes without a pause still takes messages, and is still alive to all who watch it. (dispycos_client8)
//
//   npx flotilla run examples/13-blocking.ts
import { Client, type Task } from 'flotilla';

async function compute(self: Task<number>, ms: number): Promise<number[]> {
  const end = performance.now() + ms;
  while (performance.now() < end); // nothing else runs on this thread; the kernel has one of its own
  const taken: number[] = [];
  for await (const n of self) taken.push(n);
  return taken;
}

await using client = await Client.connect({ workers: 1 });
const task = await client.spawn(compute, 1_500);
const started = performance.now();
for (const n of [1, 2, 3]) await task.deliver(n); // resolves when it is in the mailbox
console.log(`delivered while it computes: ${performance.now() - started < 1_000}`);
task.close();
console.log(`taken afterwards: ${(await task.result).join(', ')}`);
// prints: delivered while it computes: true
// prints: taken afterwards: 1, 2, 3
