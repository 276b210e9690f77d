// The function of a running task is replaced; its mailbox stays. The task says when it may be, and can refuse.
//
//   npx flotilla run examples/03-hot-swap.ts
import { Runtime, type Task } from 'flotilla';

async function plain(self: Task<number>): Promise<void> {
  self.swappable = true;
  for await (const n of self) console.log(`plain ${n}`);
}

async function squared(self: Task<number>): Promise<void> {
  self.swappable = true;
  let refusals = 0;
  for (;;) {
    try {
      const n = await self.receive();
      console.log(`squared ${n * n}`);
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_TASK_SWAPPED' && refusals++ === 0) continue; // not the first time
      throw error;
    }
  }
}

await using runtime = await Runtime.start({ name: 'swap' });
const task = runtime.spawn(plain);
await task.deliver(2);
await new Promise(setImmediate);
console.log(`taken: ${await runtime.swap(task, squared)}`);
await task.deliver(3);
await new Promise(setImmediate);
console.log(`taken: ${await runtime.swap(task, plain)}`);
console.log(`taken: ${await runtime.swap(task, plain)}`);
await task.deliver(4);
await new Promise(setImmediate);
// prints: plain 2
// prints: taken: true
// prints: squared 9
// prints: taken: false
// prints: taken: true
// prints: plain 4
