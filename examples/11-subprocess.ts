// A task on a worker drives a program there by its stdin and stdout; the client talks to the task. (dispycos_client5)
//
//   npx flotilla run examples/11-subprocess.ts
import { Client, type Task, type TaskRef } from 'flotilla';

async function calculator(self: Task<string>, back: TaskRef<string>): Promise<number> {
  const { spawn } = await import('node:child_process');
  const { createInterface } = await import('node:readline');
  // Any program would do: this one answers each line with its value.
  const program = spawn(process.execPath, [
    '-e',
    "require('readline').createInterface(process.stdin).on('line', (l) => console.log(l + ' = ' + l.split('+').reduce((a, b) => a + Number(b), 0)))",
  ]);
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  let asked = 0;
  for await (const question of self) {
    program.stdin.write(`${question}\n`);
    await back.deliver((await lines.next()).value as string);
    asked++;
  }
  program.stdin.end();
  await new Promise((resolve) => program.once('close', resolve));
  return asked;
}

await using client = await Client.connect({ workers: 1 });
const printer = client.runtime.spawn(async (self: Task<string>) => {
  for await (const line of self) console.log(line);
});
const task = await client.spawn(calculator, printer);
for (const question of ['1 + 2', '20 + 22']) task.send(question);
task.close();
console.log(`${await task.result} answers`);
printer.close();
await printer.result;
// prints: 1 + 2 = 3
// prints: 20 + 22 = 42
// prints: 2 answers
