// A long search that is asked to end has the grace period to save the best it has found. (dispycos_kbd_int)
//
//   npx flotilla run examples/14-graceful-shutdown.ts
import { Client, type Task, type TaskRef } from 'flotilla';

async function search(self: Task<never>, found: TaskRef<{ best: number; ended: string }>): Promise<void> {
  let best = 0;
  try {
    for (let n = 1; ; n++) {
      best = Math.max(best, (n * 7_919) % 1_000);
      if (n % 1_000 === 0) await self.sleep(1); // a wait: here the end can be heard
    }
  } catch (error) {
    await found.deliver({ best, ended: (error as { code?: string }).code ?? 'unknown' }); // messages still work
  }
}

const client = await Client.connect({ workers: 1 });
const found = client.runtime.spawn(async (self: Task<{ best: number; ended: string }>) => self.receive());
await client.spawn(search, found);
const closing = client.close(); // interrupts every task; each has 5 s
const { best, ended } = await found.result;
await closing;
console.log(`best ${best}, ended by ${ended}`);
// prints: best 999, ended by ERR_TASK_INTERRUPTED
