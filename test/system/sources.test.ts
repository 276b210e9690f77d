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
