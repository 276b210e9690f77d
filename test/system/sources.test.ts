// The same program, however it is run: plainly, through tsx, by flotilla run, by Node's own type stripping.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, ROOT, runToEnd, tempFolder, writeProgram } from '../support/processes.ts';

const MAIN = (types: boolean): string =>
  `import { Client } from 'flotilla';
import { shared${types ? ', type Shape' : ''} } from './part.${types ? 'ts' : 'js'}';
const FACTOR${types ? ': number' : ''} = 3;
const help = (x${types ? ': number' : ''}) => x * FACTOR;
class Box { constructor(n${types ? ': number' : ''}) { this.n = n; } ${types ? 'n: number; ' : ''}twice() { return this.n * 2; } }
const client = await Client.connect({ workers: 1 });
${types ? 'const shape: Shape = { side: 2 };' : 'const shape = { side: 2 };'}
console.log(await client.run((x${types ? ': number' : ''}) => help(x) + new Box(x).twice(), 5));
console.log(await client.run(shared, shape), await client.run(shared, shape));
try {
  await client.run(function fails()${types ? ': never' : ''} {
    throw new Error('on line 12');
  });
} catch (error) {
  console.log(/main\\.[jt]s:12:/.test(error${types ? '!' : ''}.stack) ? 'stack: line 12' : error${types ? '!' : ''}.stack);
}
await client.close();
${types ? 'interface Erased {\n  x: number;\n}\n' : ''}try {
  throw new Error('here');
} catch (error) {
  const [, line] = /main\\.[jt]s:(\\d+):/.exec(error${types ? '!' : ''}.stack)${types ? '!' : ''};
  console.log('own stack', Number(line) === OWN_LINE ? 'right' : line);
}
`
    .replace(/error!\.stack/g, '(error as Error).stack!')
    .replace('OWN_LINE', types ? '22' : '19');
const PART = (types: boolean): string => `let calls = 0;
${types ? 'export interface Shape { side: number }\n' : ''}export function shared(shape${types ? ': Shape' : ''}) {
  return shape.side * 100 + ++calls;
}
`;
const EXPECTED = '25\n201 202\nstack: line 12\nown stack right\n';

test('functions of a program and its modules travel in every way of running it', (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'flotilla'));
  writeProgram(folder, 'package.json', '{"type":"module"}');
  for (const types of [true, false]) {
    const end = types ? 'ts' : 'js';
    writeProgram(folder, `main.${end}`, MAIN(types));
    writeProgram(folder, `part.${end}`, PART(types));
  }
  const env = { HOME: folder };
  const run = (args: string[]) => {
    const { code, stdout, stderr } = runToEnd(args, { env, cwd: folder });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, EXPECTED, args.join(' '));
  };
  run([join(folder, 'main.js')]);
  run([BIN, 'run', 'main.js']);
  run([BIN, 'run', 'main.ts']);
  run([join(ROOT, 'node_modules/tsx/dist/cli.mjs'), 'main.ts']);
  if ('typescript' in process.features && process.features.typescript) run([join(folder, 'main.ts')]);
  else t.diagnostic(`Node ${process.versions.node} does not strip types by itself`);
});

test('what a function imports when it runs travels too: modules, JSON, names it computes; what is absent can be caught', (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'flotilla'));
  writeProgram(folder, 'package.json', '{"type":"module"}');
  writeProgram(folder, 'data.json', '{"list":[1,2,3]}');
  writeProgram(folder, 'extra.ts', 'export const extra = (n: number): number => n * 21;');
  writeProgram(
    folder,
    'part.ts',
    `import data from './data.json' with { type: 'json' };
export const length = (): number => data.list.length;
export const later = async (): Promise<number> => (await import('./extra.ts')).extra((await import('./data.json', { with: { type: 'json' } })).default.list[1]!);`,
  );
  writeProgram(
    folder,
    'main.ts',
    `import { Client } from 'flotilla';
import data from './data.json' with { type: 'json' };
import { later, length } from './part.ts';
const client = await Client.connect({ workers: 1, components: [new URL('./sent.mjs', import.meta.url).pathname] });
console.log(await client.run(length), await client.run(later), await client.run(() => data.list[2]));
console.log(await client.run(async (n: number) => {
  const { extra } = await import('./extra.ts');
  const { default: { list } } = await import('./data.json', { with: { type: 'json' } });
  return extra(n) + list.length;
}, 2));
console.log(await client.run(async (name: string) => (await import(name)).sent, 'sent.mjs'));
console.log(await client.run(async () => {
  try {
    await import('./nowhere.ts');
    return 'there';
  } catch {
    return 'absent';
  }
}));
await client.run(client.run as never).catch(({ code, message }) => console.log(code, /method of instances/.test(message)));
await client.close();`,
  );
  writeProgram(folder, 'sent.mjs', "export const sent = 'sent';");
  const { stdout, stderr } = runToEnd([BIN, 'run', 'main.ts'], { env: { HOME: folder }, cwd: folder });
  assert.equal(stdout, '3 42 3\n45\nsent\nabsent\nERR_CODE_CAPTURES true\n', stderr);
});
