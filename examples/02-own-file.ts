// The function is in the same file as the program, with a helper, a constant and an import of its own.
//
//   npx flotilla run examples/02-own-file.ts
import { createHash } from 'node:crypto';
import { Client } from 'flotilla';

const ROUNDS = 2_000;

function once(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

// Only this function, ROUNDS, once() and the import travel: nothing else of this file runs on a worker.
function stretch(password: string, salt: string): string {
  let key = salt + password;
  for (let i = 0; i < ROUNDS; i++) key = once(key);
  return key.slice(0, 12);
}

await using client = await Client.connect();
const passwords = ['correct', 'horse', 'battery', 'staple'];
for await (const key of client.map(stretch, passwords, { args: ['salt-'] })) console.log(key);
// prints: 9d2615edfb9e
// prints: 32d206666ad3
// prints: 33a25714fcaa
// prints: afe6d331457d
