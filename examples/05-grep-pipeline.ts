// Two external programs joined by a pipe, read line by line by a task.
//
//   npx flotilla run examples/05-grep-pipeline.ts
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Runtime, type Task } from 'flotilla';

await using runtime = await Runtime.start({ name: 'grep' });
const source = spawn('seq', ['1', '2000'], { stdio: ['ignore', 'pipe', 'inherit'] });
const grep = spawn('grep', ['77'], { stdio: [source.stdout, 'pipe', 'inherit'] });
const counter = runtime.spawn(async (self: Task<string>) => {
  const found: string[] = [];
  for await (const line of self) found.push(line);
  return found;
});
for await (const line of createInterface({ input: grep.stdout })) if (!counter.send(line)) await counter.room();
counter.close();
const found = await counter.result;
console.log(`${found.length} lines, from ${found[0]} to ${found.at(-1)}`);
// prints: 38 lines, from 77 to 1977
