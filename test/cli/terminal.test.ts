import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, runToEnd, start, tempFolder, writeProgram } from '../support/processes.ts';
import { flotillaLine, HAS_TERMINALS, onTerminal, screenOf, withoutCodes } from '../support/terminal.ts';

const LIBRARY = new URL('../../src/index.js', import.meta.url).pathname;
const skip = !HAS_TERMINALS && 'needs script, of util-linux';
const flotilla = (args: readonly string[], env: Record<string, string> = {}) => runToEnd([BIN, ...args], { env });

/** What begins every change of a terminal's modes. */
const MODE = '\u001b[?';

// Workers and the program print while the bar is shown.
const JOB = `
  import { Client } from '${LIBRARY}';
  async function halve(n) { console.log('worker says ' + n); await new Promise((resolve) => setTimeout(resolve, 10)); return n / 2; }
  const client = await Client.connect({ workers: 2, scheduler: 'local' });
  for await (const half of client.map(halve, Array.from({ length: 60 }, (_, i) => i), { progress: true })) {
    console.log('program says ' + half);
    if (half >= Number(process.argv[2])) process.exit(3);
  }
  await client.close();
`;

for (const columns of [50, 120])
  test(`what workers and the program print has lines of its own above the bar, on ${columns} columns`, { skip }, async (t) => {
    const HOME = tempFolder(t);
    const file = writeProgram(HOME, 'job.mjs', JOB);
    const program = onTerminal(t, flotillaLine('run', file, '1000'), { columns, env: { HOME } });
    await program.exited;
    const rows = screenOf(program.output, columns).filter((row) => row !== '');
    for (let i = 0; i < 60; i++) {
      assert.ok(
        rows.some((row) => /^\[.*\/[12]\] worker says /.test(row) && row.endsWith(` ${i}`)),
        `worker says ${i}:\n${rows.join('\n')}`,
      );
      assert.ok(rows.includes(`program says ${i / 2}`), `program says ${i / 2}:\n${rows.join('\n')}`);
    }
    assert.equal(rows.length, 121, rows.join('\n'));
    // What workers printed may come when the last result is there, and the bar has ended.
    const end = rows.findIndex((row) => /^halve █+ 100 % 60\/60 in [\d.]+ s$/.test(row));
    assert.ok(end > 0 && rows.slice(end + 1).every((row) => /^\[.*\/[12]\] worker says /.test(row)), rows.join('\n'));
  });

test('a program that ends during a bar, by process.exit or Ctrl-C, leaves a terminal that wraps lines, and the bar on a line of its own', {
  skip,
}, async (t) => {
  const HOME = tempFolder(t);
  const file = writeProgram(HOME, 'job.mjs', JOB);
  const exits = onTerminal(t, `${flotillaLine('run', file, '10')}; echo "ended with $?"`, { columns: 80, env: { HOME } });
  await exits.exited;
  assert.ok(!exits.output.includes(MODE), 'a mode of the terminal was changed');
  const rows = screenOf(exits.output, 80).filter((row) => row !== '');
  assert.equal(rows.at(-1), 'ended with 3');
  assert.match(rows.at(-2)!, /^halve █+░+ \d+ % \d+\/60/);
  const endless = writeProgram(HOME, 'endless.mjs', JOB.replace('{ length: 60 }', '{ length: 100_000 }'));
  const killed = onTerminal(t, flotillaLine('run', endless, '1e9'), { columns: 80, env: { HOME } });
  await killed.until(/program says 9/);
  killed.child.stdin!.write('\u0003');
  await killed.exited;
  assert.ok(!killed.output.includes(MODE), 'a mode of the terminal was changed');
});

test('a daemon in the background of a shell is not stopped for reading the terminal, and reads commands once it is in the foreground', {
  skip,
}, async (t) => {
  const HOME = tempFolder(t);
  const line = flotillaLine('scheduler', 'tcp://127.0.0.1:0', '--no-discovery');
  const shell = onTerminal(t, `set -m; ${line} & echo "pid $!"; read typed; echo "typed $typed"; fg`, { columns: 120, env: { HOME } });
  const [, pid] = await shell.until(/pid (\d+)/);
  await shell.until(/listens at/);
  shell.child.stdin!.write('hello\n');
  await shell.until(/typed hello/);
  await shell.until(/commands: status/);
  assert.doesNotMatch(readFileSync(`/proc/${pid}/stat`, 'latin1'), /\) T /);
  shell.child.stdin!.write('status\n');
  await shell.until(/0 hosts, 0 of 0 workers granted/);
  shell.child.stdin!.write('quit\n');
  await shell.until(/ends/);
  await shell.exited;
});

test('status, top and explain fit 50 columns; explain and doctor have --json; clients and calls have speaking names', {
  skip,
}, async (t) => {
  const HOME = tempFolder(t);
  const scheduler = start(t, [BIN, 'scheduler', 'tcp://127.0.0.1:0', '--daemon', '--no-discovery'], { env: { HOME } });
  const [, address] = await scheduler.until(/listens at (tcp:\S+?)[,;]/);
  const host = ['host', 'tcp://127.0.0.1:0', '--daemon', '--no-discovery', '--cpus', '1', '--name', 'a-machine-with-quite-a-long-name'];
  await start(t, [BIN, ...host, '--scheduler', address!], { env: { HOME } }).until(/listens/);
  const file = writeProgram(
    HOME,
    'factor.mjs',
    `import { Client } from '${LIBRARY}';
     const client = await Client.connect();
     console.log('connected');
     await Promise.all([1, 2].map(() => client.run(async () => { await new Promise(() => { setInterval(() => {}, 1000); }); })));`,
  );
  await start(t, [BIN, 'run', file], { env: { HOME, FLOTILLA_SCHEDULER: address! } }).until(/connected/);
  const fits = async (verb: string, ...args: string[]): Promise<string> => {
    const line = flotillaLine(verb, '--scheduler', address!, ...args);
    const program = onTerminal(t, line, { columns: 50, env: { HOME } });
    await program.exited;
    const raw = withoutCodes(program.output).split(/\r?\n/);
    for (const row of raw) assert.ok(row.length <= 50, `${verb}: '${row}' is ${row.length} wide`);
    return program.output;
  };
  assert.match(await fits('status'), /a-machine.*…\s+1\/1/);
  assert.match(await fits('status'), /factor\.mjs on/);
  assert.match(await fits('top', '--times', '1'), /factor\.mjs/);
  for (const waited = Date.now(); ; ) {
    const says = await fits('explain');
    if (/anonymous at factor\.mjs:4/.test(says.replace(/\s+/g, ' '))) break;
    assert.ok(Date.now() - waited < 20_000, says);
  }
  const explained = JSON.parse(flotilla(['explain', '--json', '--scheduler', address!], { HOME }).stdout);
  assert.match(explained[0].client, /^factor\.mjs on \S+$/);
  assert.ok(explained[0].says.length > 1 && explained[0].id.length > 8);
  const findings = JSON.parse(flotilla(['doctor', '--json'], { HOME }).stdout);
  assert.ok(findings.some((one: { ok: boolean; what: string }) => one.ok && /^node \d+/.test(one.what)));
});

test('colours are for terminals, unless NO_COLOR; FORCE_COLOR has them elsewhere, too', { skip }, async (t) => {
  const HOME = tempFolder(t);
  const isRed = (text: string): boolean => text.includes('\u001b[31merror\u001b[39m: ');
  const fails = (...env: string[]): string => flotilla(['run', 'nowhere.ts'], Object.fromEntries(env.map((one) => one.split('=')))).stderr;
  assert.ok(!isRed(fails()));
  assert.ok(isRed(fails('FORCE_COLOR=1')));
  const shown = async (env: string): Promise<string> => {
    const program = onTerminal(t, `unset NO_COLOR FORCE_COLOR CI; ${env} ${flotillaLine('run', 'nowhere.ts')}`, {
      columns: 80,
      env: { HOME },
    });
    await program.exited;
    return program.output;
  };
  assert.ok(isRed(await shown('')));
  assert.ok(!isRed(await shown('NO_COLOR=1')));
});

test('a syntax error in a program shows the line and nothing of ours', (t) => {
  const folder = tempFolder(t);
  writeProgram(folder, 'dep.ts', 'export const x: number = 1;\nexport function half(n: number) {\n  return n / ;\n}\n');
  const file = writeProgram(folder, 'program.ts', "import { half } from './dep.js';\nconsole.log(half(2));\n");
  const { code, stderr } = flotilla(['run', file]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: Unexpected ";"\n\n.*dep\.ts:3:13:\n.*return n \/ ;\n/s);
  assert.match(stderr, /\[ERR_CODE_SYNTAX\]\n$/);
  assert.ok(stderr.split('\n').length < 12, stderr);
  assert.doesNotMatch(stderr, /node_modules|at .*\d+:\d+\)/);
});

test('a shell completes verbs, options and files', (t) => {
  const folder = tempFolder(t);
  writeProgram(folder, 'factor.ts', '');
  const words = (...typed: string[]): string[] =>
    runToEnd([BIN, 'complete', '--', ...typed], { cwd: folder })
      .stdout.split('\n')
      .map((line) => line.split('\t')[0]!)
      .filter((word) => word !== '' && !word.startsWith(':'));
  assert.deepEqual(words('do'), ['doctor']);
  assert.deepEqual(words('host', '--multi'), ['--multicast']);
  assert.deepEqual(words('secret', 'ro'), ['rotate']);
  assert.deepEqual(words('run', 'fac'), ['factor.ts']);
  assert.deepEqual(words('run', join(folder, 'fac')), [join(folder, 'factor.ts')]);
  assert.deepEqual(words('host', '--config', 'f'), ['factor.ts']);
  for (const shell of ['bash', 'zsh', 'fish']) assert.match(flotilla(['completion', shell]).stdout, /flotilla complete -- /);
});
