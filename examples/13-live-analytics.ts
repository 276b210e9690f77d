// One stream of data to two tasks on workers: one keeps the mean, the other raises an alarm. (dispycos_live_analytics)
//
//   npx flotilla run examples/13-live-analytics.ts
import { Client, type Task, type TaskRef } from 'flotilla';

interface Reading {
  readonly at: number;
  readonly value: number;
}

async function mean(self: Task<Reading>, every: number, report: TaskRef<string>): Promise<number> {
  let sum = 0;
  let count = 0;
  for await (const { value } of self) {
    sum += value;
    if (++count % every === 0) await report.deliver(`mean of ${count}: ${(sum / count).toFixed(1)}`);
  }
  return count;
}

async function alarm(self: Task<Reading>, limit: number, report: TaskRef<string>): Promise<number> {
  let raised = 0;
  for await (const { at, value } of self) {
    if (value <= limit) continue;
    raised++;
    await report.deliver(`alarm at ${at}: ${value}`);
  }
  return raised;
}

await using client = await Client.connect({ workers: 2 });
const lines: string[] = [];
const report = client.runtime.spawn(async (self: Task<string>) => {
  for await (const line of self) lines.push(line);
});
const tasks = [await client.spawn(mean, 500, report), await client.spawn(alarm, 99, report)] as const;
for (let at = 1; at <= 1_000; at++) {
  const reading = { at, value: at % 400 === 0 ? 100 : at % 50 };
  // send() is false when a reader is behind: then this waits for room, and nothing is lost or piles up.
  for (const task of tasks) if (!task.send(reading)) await task.room();
}
for (const task of tasks) task.close();
const [counted, raised] = await Promise.all(tasks.map((task) => task.result));
report.close();
await report.result;
for (const line of lines.sort()) console.log(line);
console.log(`${counted} readings, ${raised} alarms`);
// prints: alarm at 400: 100
// prints: alarm at 800: 100
// prints: mean of 1000: 24.7
// prints: mean of 500: 24.7
// prints: 1000 readings, 2 alarms
