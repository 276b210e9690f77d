// A data file goes to where the work is, a result file comes back. (dispycos_client4)
//
//   npx flotilla run examples/11-files.ts
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, here } from 'flotilla';

async function countWords(name: string): Promise<number> {
  const { readFile, writeFile } = await import('node:fs/promises');
  const words = (await readFile(here().file(name), 'utf8')).split(/\s+/).filter(Boolean); // file() finds what was sent
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  await writeFile('counts.json', JSON.stringify([...counts].sort())); // the working folder is the worker's own
  await here().sendFile('counts.json'); // to the client
  return words.length;
}

const folder = mkdtempSync(join(tmpdir(), 'flotilla-example-'));
try {
  writeFileSync(join(folder, 'words.txt'), 'to be or not to be');
  await using client = await Client.connect({ workers: 1, components: [join(folder, 'words.txt')] });
  client.runtime.filesDir = folder; // where received files go
  console.log(`${await client.run(countWords, 'words.txt')} words`);
  console.log(readFileSync(join(folder, 'counts.json'), 'utf8'));
} finally {
  rmSync(folder, { recursive: true });
}
// prints: 6 words
// prints: [["be",2],["not",1],["or",1],["to",2]]
