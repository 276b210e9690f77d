// The store of code of a host: what is in it is whole, what is used stays, and no client changes what another runs.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Store, type UnitHead } from '../../src/code/index.ts';
import { digest } from '../../src/code/unit.ts';
import { tempFolder } from '../support/processes.ts';

const TEXTS = [0, 1, 2, 3, 4].map((i) => `export const value = ${i}; // ${'x'.repeat(80)}\n`);
const HEADS = TEXTS.map((text, i): UnitHead => ({ name: `m${String(i).repeat(16)}`, hash: digest(text), externals: [] }));
const head = (i: number): UnitHead => HEADS[i] as UnitHead;
const text = (i: number): string => TEXTS[i] as string;

test('a text that is used stays; what has to go when the store is full is what was used longest ago', async (t) => {
  const folder = tempFolder(t);
  let now = Date.now() - 100_000;
  const store = new Store(join(folder, 'store'), { wall: () => now, packages: process.cwd(), most: 3 * text(0).length + 10 });
  const put = (i: number): Promise<void> => store.put(head(i).hash, text(i));
  const is = (): string[] => readdirSync(join(folder, 'store')).sort();
  for (const i of [0, 1, 2]) await put(i);
  now = Date.now() + 100_000;
  assert.deepEqual(await store.provide(tempFolder(t), [head(0)]), []);
  await put(3);
  while (is().length > 3) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(is().includes(`${head(0).hash}.mjs`), 'the one in use is there');
  assert.deepEqual(await store.provide(tempFolder(t), [head(0), head(3)]), []);
  const gone = await store.provide(tempFolder(t), [head(1), head(2)]);
  assert.equal(gone.length, 1, 'what was trimmed is told as missing');
});

test('a text that was cut short or changed on the disk is as one that is not there', async (t) => {
  const folder = tempFolder(t);
  const store = new Store(folder, { wall: Date.now, packages: process.cwd() });
  for (const i of [0, 1]) await store.put(head(i).hash, text(i));
  truncateSync(join(folder, `${head(0).hash}.mjs`), 40);
  writeFileSync(join(folder, `${head(1).hash}.mjs`), text(1).replace('x', 'y'));
  const client = tempFolder(t);
  const heads = [head(0), head(1)];
  assert.deepEqual(await store.provide(client, heads), [head(0).hash, head(1).hash]);
  for (const i of [0, 1]) await store.put(head(i).hash, text(i));
  assert.deepEqual(await store.provide(client, heads), []);
  for (const i of [0, 1]) assert.equal(readFileSync(join(client, 'code', `${head(i).name}.mjs`), 'utf8'), text(i));
});

test('what a program writes into its own folder changes nothing for others', async (t) => {
  const store = new Store(tempFolder(t), { wall: Date.now, packages: process.cwd() });
  await store.put(head(0).hash, text(0));
  const [one, other] = [tempFolder(t), tempFolder(t)];
  await store.provide(one, [head(0)]);
  writeFileSync(join(one, 'code', `${head(0).name}.mjs`), 'export const value = "mine";');
  assert.deepEqual(await store.provide(other, [head(0)]), []);
  assert.equal(readFileSync(join(other, 'code', `${head(0).name}.mjs`), 'utf8'), text(0));
});

test('a folder that was removed is told as that, not as code that is missing', async (t) => {
  const store = new Store(tempFolder(t), { wall: Date.now, packages: process.cwd() });
  await store.put(head(0).hash, text(0));
  const client = tempFolder(t);
  await store.provide(client, []);
  rmSync(client, { recursive: true });
  await assert.rejects(store.provide(client, [head(0)]), { code: 'ERR_HOST_FOLDER', message: /was removed while it was in use.*--dest/ });
});

test('units that are given to a client twice at once are there whole when either says so', async (t) => {
  const store = new Store(tempFolder(t), { wall: Date.now, packages: process.cwd() });
  const large = `export default '${'x'.repeat(4 << 20)}';`;
  const unit: UnitHead = { name: `m${'f'.repeat(16)}`, hash: digest(large), externals: [] };
  await store.put(unit.hash, large);
  const client = tempFolder(t);
  const length = (): number => readFileSync(join(client, 'code', `${unit.name}.mjs`)).length;
  const lengths = await Promise.all([1, 2, 3].map(() => store.provide(client, [unit]).then(length)));
  assert.deepEqual(lengths, [large.length, large.length, large.length]);
  assert.deepEqual(readdirSync(join(client, 'code')), [`${unit.name}.mjs`]);
});
