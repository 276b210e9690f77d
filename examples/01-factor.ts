// The main job: factor 1,000 large numbers on all cores of all hosts.
//
//   npm start                                          on this machine's cores
//   FLOTILLA_SCHEDULER=tcp://127.0.0.1:9705 npx flotilla run examples/01-factor.ts      on a cluster
import { Client } from 'flotilla';
import { factorize } from './factor/factorize.ts';

const numbers = Array.from({ length: 1_000 }, (_, i) => 999_999_999_999 + 2 * i);
const started = performance.now();

await using client = await Client.connect();
const losses: string[] = [];
client.onEvent((event) => {
  if (event.kind === 'worker-lost') losses.push(`${event.worker} was lost (${event.reason}): ${event.retried} items tried again`);
});

let checked = 0;
for await (const factors of client.map(factorize, numbers, { progress: true })) {
  const number = numbers[checked++];
  if (factors.reduce((product, factor) => product * factor, 1) !== number)
    throw new Error(`the factors of ${number} are wrong: ${factors}`);
}

const seconds = (performance.now() - started) / 1_000;
console.log(`${checked} of ${numbers.length} results arrived and are right, in ${seconds.toFixed(2)} s`);
for (const { name, host, done } of client.workers()) console.log(`  worker ${name} on host ${host}: ${done} items`);
console.log(losses.length === 0 ? 'nothing was retried' : losses.join('\n'));
// prints: 1000 of 1000 results arrived and are right, in ... s
