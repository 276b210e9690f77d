// The house and its papers: layers, printed tables, examples and doc comments that say what is.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS, formatErrorTable } from '../../src/base/index.ts';
import { BIN, ROOT, runToEnd, tempFolder, untilNoneMarked, writeProgram } from '../support/processes.ts';

test('every room is entered by its door only, and only from a room above it', async () => {
  const { checkLayers } = (await import(join(ROOT, 'tools/check-layers.js'))) as { checkLayers(src: string): string[] };
  assert.deepEqual(checkLayers(join(ROOT, 'src')), []);
});

test('the layer check finds what it is for', async (t) => {
  const { checkLayers } = (await import(join(ROOT, 'tools/check-layers.js'))) as { checkLayers(src: string): string[] };
  const src = tempFolder(t);
  for (const room of ['base', 'wire', 'kernel', 'utils']) mkdirSync(join(src, room));
  writeProgram(join(src, 'base'), 'a.ts', "// A.\nimport { b } from '../wire/index.ts';\nsetTimeout(b);\n");
  writeProgram(join(src, 'kernel'), 'b.ts', "// B.\nimport { b } from '../wire/encode.ts';\n");
  writeProgram(join(src, 'utils'), 'c.ts', 'export {};\n');
  writeProgram(src, 'loose.ts', `// L.\n${'\n'.repeat(401)}`);
  const faults = checkLayers(src).join('\n');
  for (const part of [
    "'base' may not enter 'wire'",
    "'setTimeout' reaches for the world",
    "enter 'wire' by its door",
    "'utils' is no room",
    "'utils' is a drawer",
    'no loose file',
    'at most 400',
    'opens with a sentence',
  ])
    assert.ok(faults.includes(part), part);
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
    "import { channelName, Client, current, FlotillaError, hasCode, here, Runtime, service, serviceName, setUp, type Task, taskName } from 'flotilla';\nimport { simulate, World } from 'flotilla/testing';\nimport { parseAddress, formatAddress } from 'PLACE';\n".replace(
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
