// The rewriting of what runs beside a program's code: it does what the source does, and does not look at what was replaced.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT, tempFolder, writeProgram } from '../support/processes.ts';

const SOURCE = `
import { EventEmitter as Emitter } from 'node:events';
export { join as joined } from 'node:path';
class Own { #list = []; get(key) { this.#list.push(key); return 'own ' + key + this.#list.length; } push(...all) { return all.length; } }
const name = 'x';
function shadow(WeakMap) { return WeakMap.get('a'); }
export async function run(given) {
  const map = new Map([['a', 1]]);
  const { a, b = [3, 4].map((n) => n + 1) } = { a: new Set([1, 2]) };
  const nothing = undefined;
  const nested = [[1], [2, 3]].map((one) => one.filter((n) => n > 1).map((n) => map.get('a') + n)).concat([[map.has('z')]]);
  const own = new Own();
  const optional = [nothing?.push(1), map?.get('a'), own?.get?.('q'), nothing?.a.get('b'), given?.list.length, given.list?.at(0)?.toFixed(1)];
  const later = await new Promise((resolve) => queueMicrotask(() => process.nextTick(() => setImmediate(() => resolve('later')))));
  const sum = [...map.values(), ...a.values()].reduce((left, right) => left + right, 0);
  map.set('c', await Promise.resolve(7).then((n) => n + 1));
  return { nested, own: [own.get(name), own.push(1, 2), own.get('b')], optional, later, sum, b, shadow: shadow({ get: () => 'shadowed' }),
    entries: Object.entries(Object.fromEntries(map.entries())), is: [map instanceof Map, [] instanceof Array, Emitter.name], list: given.list };
}
`;

test('a rewritten module does what its source does, also when all that it uses has been replaced', async (t) => {
  const folder = tempFolder(t);
  const tools = (name: string): string => pathToFileURL(join(ROOT, 'tools', 'taken', name)).href;
  const { rewrite } = (await import(tools('rewrite.js'))) as { rewrite(source: string, taken: string): string };
  const { takingModule } = (await import(tools('names.js'))) as { takingModule(): string };
  writeProgram(folder, 'plain.mjs', SOURCE);
  writeProgram(folder, 'taken.mjs', takingModule());
  const rewritten = rewrite(SOURCE, './taken.mjs');
  writeProgram(folder, 'rewritten.mjs', rewritten);
  assert.equal(rewritten.split('\n').length, SOURCE.split('\n').length, 'lines stay what they were');
  const program = writeProgram(
    folder,
    'look.mjs',
    `const { run } = await import(process.argv[2]);
const { stringify } = JSON;
const write = process.stdout.write.bind(process.stdout);
if (process.argv[3]) {
  const broken = () => { throw new Error('replaced'); };
  for (const [of, names] of [[Array, ['push', 'map', 'filter', 'concat', 'reduce']], [Map, ['get', 'set', 'has', 'values', 'entries']], [Set, ['values']], [Promise, ['then']]])
    for (const name of names) of.prototype[name] = broken;
  for (const name of ['queueMicrotask', 'setImmediate']) globalThis[name] = broken;
  process.nextTick = Object.entries = Object.fromEntries = Promise.resolve = broken;
}
const result = await run({ list: [8] });
write(stringify(result));`,
  );
  const look = (...args: string[]): unknown => {
    const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return JSON.parse(stdout);
  };
  const plain = look('./plain.mjs');
  assert.deepEqual(look('./rewritten.mjs'), plain);
  assert.deepEqual(look('./rewritten.mjs', 'replaced'), plain);
});
