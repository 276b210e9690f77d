// Workers as servers of what they hold in memory, each with a part; one is restarted to load its part anew. (dispycos_mem_servers)
//
//   npx flotilla run examples/12-memory-workers.ts
import { Client, here, setUpEach } from 'flotilla';

function load(from: number, to: number): void {
  const table = new Map<number, number>();
  for (let n = from; n < to; n++) table.set(n, n * n);
  here().worker.state['table'] = table;
}

const square = (n: number): number | undefined => (here().worker.state['table'] as Map<number, number>).get(n);
const spoil = (n: number): void => void (here().worker.state['table'] as Map<number, number>).set(n, -1);

const PART = 100;
const holders: string[] = []; // of each part, on whatever hosts they are
const client = await Client.connect({
  workers: 2,
  // Called in this process, for each worker as it comes.
  workerSetUp: setUpEach(load, ({ worker = '' }) => {
    if (!holders.includes(worker)) holders.push(worker);
    const part = holders.indexOf(worker);
    return [part * PART, (part + 1) * PART];
  }),
});
while (client.workers().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
const holder = (n: number): string => holders[Math.floor(n / PART)] ?? '';
const ask = (n: number): Promise<number | undefined> => client.with({ at: holder(n) }).run(square, n);
console.log(await ask(7), await ask(107));
await client.with({ at: holder(7) }).run(spoil, 7);
console.log(await ask(7));
await client.restartWorker(holder(7)); // a fresh process, set up as before
console.log(await ask(7));
await client.close();
// prints: 49 11449
// prints: -1
// prints: 49
