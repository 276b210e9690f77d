// Calls and their results: each runs on whatever worker is free, all of them at once. (dispycos_client1, dispycos_client2)
//
//   npx flotilla run examples/11-hello.ts
import { Client, type FlotillaError, here } from 'flotilla';

async function greet(name: string, ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (name === '') throw new RangeError('nobody to greet');
  return `hello ${name}, from a worker of ${here().host.name ? 'a host' : 'nobody'}`;
}

await using client = await Client.connect({ workers: 2 });
const names = ['Ada', 'Grace', '', 'Barbara'];
// Each settles by itself: a value, or the error of the function with its stack in this file.
const ends = await Promise.allSettled(names.map((name, i) => client.run(greet, name, 40 - i * 10)));
for (const end of ends) {
  if (end.status === 'fulfilled') console.log(end.value);
  else console.log(`${(end.reason as FlotillaError).name}: ${(end.reason as Error).message}`);
}
const { done, failed } = client.counters;
console.log(`${done} done, ${failed} failed`);
// prints: hello Ada, from a worker of a host
// prints: hello Grace, from a worker of a host
// prints: RangeError: nobody to greet
// prints: hello Barbara, from a worker of a host
// prints: 3 done, 1 failed
