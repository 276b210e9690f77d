// A scheduler of one's own, made of status events and `at`: every worker gets its next job when it has done the last. (dispycos_client7)
//
//   npx flotilla run examples/14-custom-scheduler.ts
import { Client, type ClusterEvent, type Task } from 'flotilla';

const work = async (n: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 5 * (n % 3)));
  return n * n;
};

const jobs = [1, 2, 3, 4, 5, 6, 7, 8];
const results = new Map<number, number>();
let connecting: Promise<Client>;

async function feed(worker: string): Promise<void> {
  const client = await connecting; // the first worker may be there before it
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) results.set(job, await client.with({ at: worker }).run(work, job));
}

// The status task: it hears of every worker that comes, and feeds it.
const { Runtime } = await import('flotilla');
await using runtime = await Runtime.start();
const feeding: Promise<void>[] = [];
const status = runtime.spawn(async (self: Task<ClusterEvent>) => {
  for await (const event of self) {
    if (event.kind === 'worker-initialized') feeding.push(feed(event.worker));
    if (event.kind === 'client-closed') return;
  }
});
connecting = Client.connect({ workers: 2, statusTask: status });
const client = await connecting;
while (results.size < 8) await new Promise((resolve) => setTimeout(resolve, 10));
await Promise.all(feeding);
await client.close();
await status.result;
console.log(
  [...results]
    .sort(([a], [b]) => a - b)
    .map(([n, square]) => `${n}:${square}`)
    .join(' '),
);
// prints: 1:1 2:4 3:9 4:16 5:25 6:36 7:49 8:64
