// A channel in one process: what is sent, every subscriber gets.
//
//   npx flotilla run examples/06-channel.ts
import { channelName, Runtime, type Task } from 'flotilla';

await using runtime = await Runtime.start({ name: 'channel' });
const numbers = runtime.channel(channelName<number>('numbers'));
const summing = async (self: Task<number>): Promise<number> => {
  let sum = 0;
  for await (const n of self) sum += n;
  return sum;
};
const multiplying = async (self: Task<number>): Promise<number> => {
  let product = 1;
  for await (const n of self) product *= n;
  return product;
};
const sum = runtime.spawn(summing);
const product = runtime.spawn(multiplying);
await numbers.subscribe(sum);
await numbers.subscribe(product);
for (let n = 1; n <= 5; n++) console.log(`${n} reached ${await numbers.deliver(n)} tasks`);
sum.close();
product.close();
console.log(`sum ${await sum.result}, product ${await product.result}`);
// prints: 1 reached 2 tasks
// prints: 2 reached 2 tasks
// prints: 3 reached 2 tasks
// prints: 4 reached 2 tasks
// prints: 5 reached 2 tasks
// prints: sum 15, product 120
