// Every job has a worker as it was in the beginning: the job closes its own worker, which is started anew. (dispycos_client10)
//
//   npx flotilla run examples/12-fresh-workers.ts
import { Client, here } from 'flotilla';

async function job(n: number): Promise<string> {
  const { state, close } = here().worker;
  const before = state['used'] ?? 0;
  state['used'] = Number(before) + 1;
  await close({ restart: true }); // when this job has ended, and nothing else runs here
  return `job ${n}: used ${before} times before`;
}

await using client = await Client.connect({ workers: 1, restartWorkers: true });
for (const n of [1, 2, 3]) console.log(await client.run(job, n));
// prints: job 1: used 0 times before
// prints: job 2: used 0 times before
// prints: job 3: used 0 times before
