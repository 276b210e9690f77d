// The house and its papers: layers, printed tables, examples and doc comments that say what is.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS, formatErrorTable } from '../../src/base/index.ts';
import { BIN, ROOT, runToEnd, tempFolder, untilNoneMarked, writeProgram } from '../support/processes.ts';

interface LayerCheck {
  checkLayers(src: string, papers?: { glossary?: string; map?: string }): string[];
  checkOwn(): string[];
  compareFaults(faults: readonly string[], known: readonly string[]): { added: string[]; gone: string[] };
  knownFaults(): string[];
}
const layerCheck = (): Promise<LayerCheck> => import(join(ROOT, 'tools/check-layers.js'));

test('the house is in order: rooms, doors, shapes, circles, world, laws, names, glossary and map; and the list of known faults only gets shorter', async () => {
  const { checkOwn, compareFaults, knownFaults } = await layerCheck();
  assert.deepEqual(compareFaults(checkOwn(), knownFaults()), { added: [], gone: [] });
});

test('a known fault that is mended must leave the list, and one that moved a line is the same', async () => {
  const { compareFaults } = await layerCheck();
  assert.deepEqual(compareFaults(['src/a.ts:12  too far (3)'], ['src/a.ts  too far', 'src/b.ts  gone']), {
    added: [],
    gone: ['src/b.ts  gone'],
  });
  assert.deepEqual(compareFaults(['src/c.ts:1  new'], []), { added: ['src/c.ts:1  new'], gone: [] });
});

interface Planted {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly papers?: { readonly glossary?: string; readonly map?: string };
  readonly fault: string;
}

const KERNEL = { 'kernel/tasks/x.ts': '// X.\nexport class Mailbox {}\n' };
const PLANTED: readonly Planted[] = [
  {
    what: 'a room that enters one above it',
    files: { 'base/a.ts': "// A.\nimport { b } from '../wire/index.ts';\n", 'wire/index.ts': '// W.\n' },
    fault: "'base' may not enter 'wire'",
  },
  {
    what: 'a way into a room beside its door',
    files: { 'kernel/b.ts': "// B.\nimport { b } from '../wire/encode.ts';\n", 'wire/encode.ts': '// E.\n' },
    fault: "enter 'wire' by its door",
  },
  { what: 'a room that is none', files: { 'utils/c.ts': '// C.\n' }, fault: "'utils' is no room" },
  { what: 'a drawer', files: { 'kernel/helpers.ts': '// H.\n' }, fault: "'helpers.ts' is a drawer" },
  {
    what: 'a door with a number of another room',
    files: { 'host/protocol.ts': "// P.\nexport const HOST = door<HostDoor>('host', 24, {});\n" },
    fault: "the door 'host' has the number 24: those of 'host' go from 16 to 23",
  },
  {
    what: 'two doors of one number',
    files: { 'host/protocol.ts': "// P.\nexport const A = door<A>('a', 16, {});\nexport const B = workDoor(\n  'b',\n  16,\n);\n" },
    fault: "the door 'b' has the number of 'a', 16",
  },
  {
    what: 'a part of the kernel that names all of it',
    files: { 'kernel/post/kernel.ts': '// K.\n', 'kernel/tasks/y.ts': "// Y.\nimport type { K } from '../post/kernel.ts';\n" },
    fault: 'src/kernel/tasks/y.ts  names the whole kernel',
  },
  { what: 'a loose file', files: { 'loose.ts': '// L.\n' }, fault: 'no loose file' },
  { what: 'a giant', files: { 'base/giant.ts': `// G.\n${'\n'.repeat(400)}` }, fault: 'more than 400 lines' },
  {
    what: 'a crowd',
    files: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`base/f${i}.ts`, '// F.\n'])),
    fault: 'src/base  more than 16 files',
  },
  { what: 'a file that does not say what it is', files: { 'base/silent.ts': 'export {};\n' }, fault: 'opens with a sentence' },
  { what: 'furniture in a door', files: { 'base/index.ts': '// I.\nexport const a = 1;\n' }, fault: 'a door has no furniture' },
  { what: 'global time', files: { 'base/t.ts': '// T.\nsetTimeout(b);\n' }, fault: "'setTimeout' reaches for the world" },
  {
    what: 'global time in a network that is made of a clock',
    files: { 'transport/n/index.ts': "/* N. */\nexport { N } from './n.ts';\n", 'transport/n/n.ts': '// N.\nsetTimeout(b);\n' },
    fault: "'setTimeout' reaches for the world",
  },
  { what: "the process's variables", files: { 'base/e.ts': "// E.\nprocess.env['A'];\n" }, fault: "'process.env' reaches for the process" },
  { what: 'state of a module', files: { 'base/s.ts': '// S.\nconst all = new Map<string, number>();\n' }, fault: 'a module has no state' },
  {
    what: 'a law that is cited and nowhere',
    files: { 'base/x.ts': '// X.\n//\n//   XY1. It holds.\nexport const a = 1; // XY1, XY2\n' },
    fault: 'src/base/x.ts:4  cites the law XY2, which is nowhere',
  },
  { what: 'a class that the glossary does not have', files: KERNEL, papers: { glossary: '' }, fault: 'does not say what a Mailbox is' },
  { what: 'a word that is no class any more', files: KERNEL, papers: { glossary: '`Mailbox` `Post`' }, fault: "'Post' is no class" },
  {
    what: 'a place that is gone from the glossary',
    files: KERNEL,
    papers: { glossary: '`Mailbox` `kernel/x`' },
    fault: 'there is no src/kernel/x',
  },
  { what: 'a room that the map does not have', files: KERNEL, papers: { map: '' }, fault: "says nothing of the room 'kernel'" },
  {
    what: 'a folder that the map does not have',
    files: KERNEL,
    papers: { map: '| `kernel` | is |' },
    fault: 'says nothing of kernel/tasks/',
  },
  {
    what: 'a folder that is gone from the map',
    files: KERNEL,
    papers: { map: '| `kernel` | `gone/` |' },
    fault: 'there is no kernel/gone/',
  },
  { what: 'a file that is gone from the map', files: KERNEL, papers: { map: '`kernel/y.ts`' }, fault: 'there is no src/kernel/y.ts' },
  { what: 'a map that is a book', files: KERNEL, papers: { map: '\n'.repeat(100) }, fault: 'more than 100 lines' },
  {
    what: 'two things of one name',
    files: { 'base/x.ts': '// X.\nexport interface Place {}\n', 'wire/y.ts': '// Y.\nexport class Place {}\n' },
    fault: "'Place' is a name of src/base/x.ts: one name, one thing",
  },
  {
    what: 'state of a module whose type is long',
    files: { 'base/s.ts': '// S.\nconst all = new WeakMap<object, Set<() => void>>();\n' },
    fault: 'a module has no state',
  },
  { what: 'a list of a module', files: { 'base/s.ts': '// S.\nconst all: string[] = [];\n' }, fault: 'a module has no state' },
  {
    what: 'state of a class',
    files: { 'base/s.ts': '// S.\nclass S {\n  static readonly all = new Set();\n}\n' },
    fault: 'a module has no state',
  },
  {
    what: 'what all of a process share',
    files: { 'base/g.ts': "// G.\nObject.defineProperty(globalThis, 'a', {});\n" },
    fault: "'globalThis' is shared by the whole process",
  },
  {
    what: 'a listener of the process',
    files: { 'base/g.ts': "// G.\nprocess.on('exit', f);\n" },
    fault: "'process.on(' is shared by the whole process",
  },
  {
    what: 'a reason for state where there is none',
    files: { 'base/signals.ts': '// S.\nexport const a = 1;\n' },
    fault: 'src/base/signals.ts  has neither state nor shares anything',
  },
  {
    what: 'a circle at run time',
    files: { 'base/x.ts': "// X.\nimport { y } from './y.ts';\n", 'base/y.ts': "// Y.\nexport { x } from './x.ts';\n" },
    fault: 'src/base/x.ts  is in a circle of files at run time (base/x.ts, base/y.ts)',
  },
  {
    what: 'a circle of three, types counted',
    files: {
      'base/x.ts': "// X.\nimport type { Y } from './y.ts';\n",
      'base/y.ts': "// Y.\nimport type {\n  Z,\n} from './z.ts';\n",
      'base/z.ts': "// Z.\nexport type { X } from './x.ts';\n",
    },
    fault: 'is in a circle of more than two files, types counted (base/x.ts, base/y.ts, base/z.ts)',
  },
  {
    what: 'two files with laws of one name',
    files: { 'base/l.ts': '// L.\n//   Q1. One.\nf(); // Q1\n', 'base/m.ts': '// M.\n//   Q1. Other.\nf(); // Q1\n' },
    fault: 'src/base/m.ts  its laws are called Q, as those of src/base/l.ts',
  },
  { what: 'a law that nothing cites', files: { 'base/l.ts': '// L.\n//   Q1. One.\n' }, fault: 'law Q1 is cited nowhere' },
  {
    what: 'laws out of order',
    files: { 'base/l.ts': '// L.\n//   Q2. One.\nf(); // Q2\n' },
    fault: 'law Q2 stands where Q1 should',
  },
  {
    what: 'a row of the table that nobody uses',
    files: { 'base/index.ts': '// B.\n', 'wire/index.ts': '// W.\n' },
    fault: "'wire' may enter 'base' and does not",
  },
];

for (const { what, files, papers, fault } of PLANTED) {
  test(`the check of the house finds ${what}`, async (t) => {
    const { checkLayers } = await layerCheck();
    const src = tempFolder(t);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(src, name, '..'), { recursive: true });
      writeFileSync(join(src, name), text);
    }
    const faults = checkLayers(src, papers);
    assert.ok(
      faults.some((line) => line.includes(fault)),
      faults.join('\n'),
    );
  });
}

test('the check of the house takes no list for state that can hold nothing, no method for a field, no text for code', async (t) => {
  const { checkLayers } = await layerCheck();
  const src = tempFolder(t);
  mkdirSync(join(src, 'base'));
  const harmless = [
    'const NONE: never[] = [];',
    'class A {',
    '  static of(): A {',
    "    return say('it called process.exit(0)', child.process.once('exit', f));",
    '  }',
    '}',
  ];
  writeFileSync(join(src, 'base/a.ts'), `// A.\n${harmless.join('\n')}\n`);
  assert.deepEqual(checkLayers(src), []);
});

test('docs/errors.md is the table of the code, and every code is used', () => {
  assert.equal(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8'), formatErrorTable());
  const source = readdirSync(join(ROOT, 'src'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts') && name !== 'base/errors.ts')
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
    .join('\n');
  assert.deepEqual(
    Object.keys(ERRORS).filter((code) => !source.includes(code)),
    [],
  );
});

test('every example runs offline, prints what it says, and leaves nothing', async (t) => {
  const [HOME, TMPDIR] = [tempFolder(t), tempFolder(t)];
  for (const name of readdirSync(join(ROOT, 'examples')).filter((file) => /^\d+-.*\.ts$/.test(file))) {
    const expected = [...readFileSync(join(ROOT, 'examples', name), 'utf8').matchAll(/^\/\/ prints: (.*)$/gm)].map(
      (match) => match[1] as string,
    );
    assert.ok(expected.length > 0, `${name} says what it prints`);
    const { code, stdout, stderr } = runToEnd([BIN, 'run', join('examples', name)], { env: { HOME, TMPDIR, FLOTILLA_TEST_MARK: TMPDIR } });
    assert.equal(code, 0, `${name}: ${stderr}`);
    const lines = stdout.split('\n');
    for (const [i, line] of expected.entries()) {
      const pattern = new RegExp(`^${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\.\\.\\.', '.*')}$`);
      assert.match(lines[i] ?? '', pattern, `${name}, line ${i + 1}`);
    }
  }
  await untilNoneMarked(TMPDIR, 5_000);
  // Where code is kept for the next time, and where hosts that run say so.
  const kept = /^flotilla-\d+($|\/store($|\/)|\/hosts$)/;
  const left = readdirSync(TMPDIR, { recursive: true }).map(String);
  assert.deepEqual(
    left.filter((path) => !kept.test(path)),
    [],
  );
});

test('the examples of doc comments run, and give what they say', (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'flotilla'));
  writeProgram(folder, 'package.json', '{"type":"module"}');
  const names =
    "import { channelName, Client, current, FlotillaError, hasCode, here, Runtime, service, serviceName, setUp, type Task, taskName } from 'flotilla';\nimport { simulate, World } from 'flotilla/testing';\nimport { formatAddress, parseAddress, tcpNetwork, unixNetwork } from 'PLACE';\n".replace(
      'PLACE',
      join(ROOT, 'dist/src/transport/index.js'),
    );
  let count = 0;
  for (const name of readdirSync(join(ROOT, 'src'), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'))) {
    for (const [, body] of readFileSync(join(ROOT, 'src', name), 'utf8').matchAll(/@example\n \* ```ts\n((?: \* .*\n)+?) \* ```/g)) {
      const code = (body as string).replace(/^ \* /gm, '');
      const expected = [...code.matchAll(/\/\/ => (.*)$/gm)].flatMap((match) =>
        (match[1] as string)
          .split(/ (?=\d+(?: |$))/)
          .join('\n')
          .split('\n'),
      );
      const file = writeProgram(folder, `example${count++}.ts`, names + code);
      const { stdout, stderr } = runToEnd([BIN, 'run', file], { env: { HOME: folder }, cwd: folder });
      assert.equal(stdout.trim().split('\n').join('\n'), expected.join('\n'), `${name}: ${stderr}`);
    }
  }
  assert.ok(count >= 6, `${count} examples`);
});

test('nothing in the project speaks of anything but itself', () => {
  const words = new RegExp(['\\.\\./sha' + 'red', '/wo' + 'rk/', 'farm-' + 'bench'].join('|'));
  for (const folder of ['src', 'test', 'docs', 'examples', 'bench', 'tools', 'bin']) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true }).map(String)) {
      if (!/\.(ts|js|md|json)$/.test(name)) continue;
      assert.doesNotMatch(readFileSync(join(ROOT, folder, name), 'utf8'), words, `${folder}/${name}`);
    }
  }
});
