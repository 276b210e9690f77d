import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runToEnd, tempFolder, writeProgram } from '../support/processes.ts';

const LIBRARY = new URL('../../src/index.js', import.meta.url).pathname;

// Runs the body of a program that has a runtime.
function program(
  t: { after(fn: () => void): void },
  options: string,
  body: string,
): { code: number | null; stdout: string; stderr: string } {
  const HOME = tempFolder(t);
  const file = writeProgram(
    HOME,
    'p.mjs',
    `import { Runtime } from '${LIBRARY}';\nconst runtime = await Runtime.start(${options});\n${body}\n`,
  );
  return runToEnd([file], { env: { HOME }, timeout: 30_000 });
}

test('a runtime that others can find says in one line where it is; one that they cannot, nothing', (t) => {
  const { stderr } = program(t, `{ name: 'r', listen: 'tcp://0.0.0.0:0' }`, 'await runtime.close();');
  assert.match(stderr, /^flotilla: Runtime 'r' listens at tcp:\/\/\S+:\d+(, tcp:\S+)*\.\n$/);
  assert.match(
    program(t, `{ listen: 'tcp://127.0.0.1:0', discover: true, udpPort: 9799 }`, 'await runtime.close();').stderr,
    /listens at tcp:\/\/127/,
  );
  assert.equal(program(t, `{ listen: 'tcp://127.0.0.1:0' }`, 'await runtime.close();').stderr, '');
  assert.equal(program(t, `{ listen: 'tcp://0.0.0.0:0', logLevel: 'warn' }`, 'await runtime.close();').stderr, '');
});

const HOOKS = `
runtime.onClose(() => console.log('low'), -1);
runtime.onClose(async () => { console.log('high'); await new Promise((resolve) => setTimeout(resolve, 50)); console.log('waited'); }, 5);
`;

test('onClose hooks run once when a program closes its runtime, and when it just ends', (t) => {
  assert.equal(program(t, '{}', `${HOOKS} await runtime.close(); process.exit();`).stdout, 'high\nwaited\nlow\n');
  assert.equal(program(t, '{}', HOOKS).stdout, 'high\nwaited\nlow\n');
});

test('by process.exit or an uncaught error, what onClose hooks do before their first wait is done', (t) => {
  const exits = program(t, '{}', `${HOOKS} process.exit(3);`);
  assert.deepEqual([exits.code, exits.stdout], [3, 'high\nlow\n']);
  const throws = program(
    t,
    '{}',
    `${HOOKS} runtime.onClose(() => { throw new Error('in a hook'); }, 9); setTimeout(() => { throw new Error('uncaught'); }, 1);`,
  );
  assert.deepEqual([throws.code, throws.stdout], [1, 'high\nlow\n']);
  assert.match(throws.stderr, /onClose threw: in a hook/);
});
