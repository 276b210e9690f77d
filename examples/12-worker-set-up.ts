// Each worker is sent a file of its own and set up with it, before its first call. (dispycos_client9_server)
//
//   npx flotilla run examples/12-worker-set-up.ts
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, here, setUp } from 'flotilla';

async function loadPart(file: string): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  here().worker.state['part'] = await readFile(here().file(file), 'utf8'); // what one function leaves, the next finds
}

const search = (word: string): string[] => {
  const { state } = here().worker;
  return String(state['part'])
    .split(' ')
    .filter((one) => one.startsWith(word));
};

const folder = mkdtempSync(join(tmpdir(), 'flotilla-example-'));
const parts = ['apple apricot banana', 'avocado blueberry cherry'];
const client = await Client.connect({ workers: 2, disableWorkers: true, workerSetUp: setUp(loadPart, '') });
let enabled = 0;
let ready = 0;
for await (const event of client.events()) {
  if (event.kind === 'worker-discovered') {
    const file = `part-${++enabled}.txt`;
    writeFileSync(join(folder, file), parts[enabled - 1] as string);
    await client.sendFile(event.host, join(folder, file));
    client.enableWorker(event.worker, file);
  }
  if (event.kind === 'worker-initialized' && ++ready === 2) break;
}
// Every worker has another part: ask each.
const found = await Promise.all(client.workers().map(({ name }) => client.with({ at: name }).run(search, 'a')));
console.log(found.flat().sort().join(', '));
await client.close();
rmSync(folder, { recursive: true });
// prints: apple, apricot, avocado
