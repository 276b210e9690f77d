// What a map holds: what its window allows, however many items there are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOTILLA, runToEnd, tempFolder, writeProgram } from '../support/processes.ts';

// Each way of reading is given more than the whole heap can hold.
const ENDLESS = `
import { Client } from '${FLOTILLA}';
const double = (item) => ({ n: item.n * 2, text: item.text });
function* many(count, text) { for (let n = 0; n < count; n++) yield { n, text: text + n }; }
async function* later(count, text) { yield* many(count, text); }
const client = await Client.connect({ workers: 2 });
let read = 0;
for await (const value of client.map(double, many(1_000_000, 'item '))) if (value.n === read * 2) read++;
console.log('in order', read);
read = 0;
for await (const value of client.map(double, many(250_000, 'item '), { unordered: true })) read += value.n;
console.log('unordered', read);
read = 0;
for await (const { item, value } of client.map(double, later(150_000, 'item ')).outcomes()) if (value.n === item.n * 2) read++;
console.log('outcomes', read);
read = 0;
const large = 'x'.repeat(50_000);
for await (const value of client.map(double, many(2_000, large), { window: 64 })) if (value.text.length > 50_000) read++;
console.log('large', read);
await client.close();
`;

test('an endless map has flat memory: a million items, and large ones, in a heap of 64 MB', (t) => {
  const program = writeProgram(tempFolder(t), 'endless.mjs', ENDLESS);
  const { code, stdout, stderr } = runToEnd(['--max-old-space-size=64', program], { timeout: 200_000 });
  assert.equal(code, 0, stderr.slice(0, 2_000));
  assert.deepEqual(stdout.trim().split('\n'), ['in order 1000000', 'unordered 62499750000', 'outcomes 150000', 'large 2000']);
});
