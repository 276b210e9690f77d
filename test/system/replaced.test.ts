// Programs that replace what the language and Node.js give: their workers go on; one that can't is noticed, and replaced.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, start, tempFolder, writeProgram } from '../support/processes.ts';

const FLOTILLA = join(ROOT, 'dist/lib/index.js');

const program = (replace: string): string => `
import { Client, current } from '${FLOTILLA}';
const client = await Client.connect({ workers: 1, warn: () => {}, output: 'ignore', onStatus: (event) => event.kind === 'worker-lost' && console.log(event.reason) });
const pid = () => process.pid;
const replace = () => { ${replace}; return process.pid; };
const first = await client.run(replace);
const same = [];
for (let i = 0; i < 20; i++) same.push(await client.run(pid));
for await (const one of client.map(pid, [1, 2, 3, 4])) same.push(one);
console.log(same.every((one) => one === first) ? 'the same worker' : 'another worker');
const task = await client.spawn(async (self) => { let got = []; for await (const one of self) { got = [...got, one.get('a')]; if (got.length === 2) return got; } });
for (const n of [1, 2]) task.send(new Map([['a', n]]));
console.log('task', ...await task.result);
await client.close();
console.log('over');
process.exit(0);
`;

for (const [what, code] of [
  [
    'process.nextTick, setImmediate, queueMicrotask and timers',
    'for (const name of ["setImmediate", "queueMicrotask", "setTimeout", "clearTimeout"]) globalThis[name] = () => {}; process.nextTick = () => {}',
  ],
  [
    'Array.prototype.push, shift and splice',
    'for (const name of ["push", "shift", "splice", "map", "filter"]) Array.prototype[name] = () => undefined',
  ],
  [
    'Map.prototype.get, set and has',
    'const get = Map.prototype.get; for (const name of ["set", "has", "delete", "values", "entries"]) Map.prototype[name] = () => undefined; Map.prototype.get = function (key) { return typeof key === "string" && key.length === 1 ? get.call(this, key) : undefined; }',
  ],
] as const) {
  test(`a worker goes on when its program replaces ${what}`, async (t) => {
    const folder = tempFolder(t);
    const file = writeProgram(folder, 'replaces.mjs', program(code));
    const one = start(t, [file], { env: { HOME: folder, TMPDIR: folder } });
    await one.until(/over/, 40_000);
    assert.match(one.output, /^the same worker\ntask 1 2\nover/m);
  });
}

test('a worker that does not answer any more, though nothing runs there, is replaced, and why is said', { timeout: 90_000 }, async (t) => {
  const folder = tempFolder(t);
  // What was left behind computes for ever, once the call has been answered, and before the next can have come.
  const file = writeProgram(folder, 'stuck.mjs', program('setImmediate(() => { for (;;); })'));
  const one = start(t, [file], { env: { HOME: folder, TMPDIR: folder } });
  await one.until(/over/, 60_000);
  assert.match(one.output, /it did not answer calls any more, though nothing ran there/);
  assert.match(one.output, /another worker\ntask 1 2/);
});
