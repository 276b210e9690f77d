// A task on a worker that talks: it takes numbers, reports the mean after each, and returns how many there were.
//
//   npx flotilla run examples/03-talk.ts
import { Client, type Task, type TaskRef } from 'flotilla';

async function average(self: Task<number>, reportTo: TaskRef<number>): Promise<number> {
  let sum = 0;
  let count = 0;
  for await (const number of self) {
    sum += number;
    reportTo.send(sum / ++count);
  }
  return count;
}

await using client = await Client.connect({ workers: 1 });
const means = client.runtime.spawn(async (self: Task<number>) => {
  for await (const mean of self) console.log(`mean so far: ${mean}`);
});
const task = await client.spawn(average, means);
for (const number of [3, 5, 10]) task.send(number);
task.close(); // the loop there ends after what is queued
console.log(`numbers averaged: ${await task.result}`);
means.close();
await means.result;
// prints: mean so far: 3
// prints: mean so far: 4
// prints: mean so far: 6
// prints: numbers averaged: 3
